"""The supervisor and its two children: either may die and come back alone, and none outlives the supervisor."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon_rig import House, Target, checks, child, free_port, wait_for


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()


@pytest.fixture
def house(tmp_path: Path, target: Target) -> Iterator[House]:
    found = House(tmp_path)
    found.write(f'endpoints: {{shop: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}}}\n')
    yield found
    found.close()


def serves(house: House) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{house.web_port}/", timeout=2) as answer:
            return b"shop" in answer.read()
    except OSError:
        return False


def metrics(house: House, port: int | None = None) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port or house.metrics_port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def the_budget_left_is_told(house: House) -> bool:
    """By the pages as `status` says it, and for what has a target alone."""
    lines = [line for line in metrics(house, house.web_port).splitlines() if line.startswith("nines_budget")]
    [budget] = [service["budget"] for service in house.json("status")["services"] if service["budget"] is not None]
    for series, seconds in (line.rsplit(" ", 1) for line in lines):
        assert series == 'nines_budget_remaining_seconds{contract="shop-sla",service="shop"}'
        assert float(seconds) == pytest.approx(budget["remaining_ms"] / 1000, abs=0.1)  # made a moment before
    return len(lines) == 1


def test_each_child_dies_and_comes_back_alone(house: House, target: Target) -> None:
    settings = f'{{url: "{target.url}", interval: 1 s, timeout: 1 s}}'
    measured = "measure: {before_first_check: not_contracted}"
    house.write(
        f"endpoints: {{shop: {settings}, bare: {settings}}}\nclients: {{sample: {{timezone: UTC}}}}\n"
        f"contracts: {{shop-sla: {{client: sample, service: shop, from: 2026-01-01, target: 99.9, {measured}}}}}\n"
    )
    house.start()
    wait_for(lambda: serves(house) and checks(house) >= 2)
    web, probe = child(house, "web"), child(house, "probe")
    assert web is not None
    assert probe is not None

    os.kill(web, signal.SIGKILL)
    seen = checks(house)
    wait_for(lambda: checks(house) >= seen + 2)
    wait_for(lambda: serves(house))
    wait_for(lambda: the_budget_left_is_told(house))
    assert child(house, "probe") == probe

    os.kill(probe, signal.SIGKILL)
    wait_for(lambda: child(house, "probe") not in (None, probe))
    seen = checks(house)
    wait_for(lambda: checks(house) >= seen + 2)
    assert house.stop() == 0
    assert (child(house, "web"), child(house, "probe")) == (None, None)


def test_children_stop_by_themselves_when_the_supervisor_is_killed(house: House) -> None:
    house.start()
    wait_for(lambda: serves(house) and checks(house) >= 2)
    house.signal(signal.SIGKILL)
    wait_for(lambda: child(house, "web") is None and child(house, "probe") is None)
    with sqlite3.connect(house.folder / "nines.db") as connection:
        [(stopped,)] = connection.execute("SELECT stopped_ms IS NOT NULL FROM life").fetchall()
    assert stopped


def test_a_second_daemon_on_the_same_ledger_is_told_so(house: House, tmp_path: Path) -> None:
    house.start()
    wait_for(lambda: checks(house) >= 1)
    other = House(tmp_path)
    second = other.nines("--db", "nines.db", "child", "probe", expect=2)
    assert "another daemon" in second.stderr
    assert house.stop() == 0


def test_systemd_hears_ready_alive_and_stopping(house: House, tmp_path: Path) -> None:
    import socket

    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(30)
    house.environment |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    house.start()
    heard = [manager.recv(1000).decode() for _ in range(3)]
    assert house.stop() == 0
    manager.setblocking(False)
    while True:
        try:
            heard.append(manager.recv(1000).decode())
        except BlockingIOError:
            break
    manager.close()
    assert "READY=1" in heard
    assert "WATCHDOG=1" in heard
    assert "STOPPING=1" in heard
    assert heard.index("READY=1") < heard.index("STOPPING=1")


def test_a_port_that_is_taken_is_said_and_probing_goes_on(house: House, target: Target) -> None:
    port = int(target.url.rsplit(":", 1)[1].strip("/"))
    house.web_port = port
    house.write(f'endpoints: {{shop: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}}}\n')
    house.start()
    wait_for(lambda: f"127.0.0.1:{port}" in house.log.read_text() and checks(house) >= 3)
    assert "Traceback" not in house.log.read_text()
    house.web_port = free_port()
    assert house.stop() == 0


def test_the_daemon_outlives_its_database_and_nothing_is_missing(house: House, tmp_path: Path) -> None:
    """Moved away and back; then locked, and killed meanwhile. Each check of the first life is there once."""
    house.start()
    wait_for(lambda: checks(house) >= 2)
    assert "nines_ledger_available 1.0" in metrics(house)
    database = house.folder / "nines.db"
    database.rename(tmp_path / "elsewhere")
    wait_for(lambda: "nines_ledger_available 0.0" in metrics(house))
    wait_for(lambda: float(metrics(house).split("\nnines_spool_records ")[1].split()[0]) >= 3)
    assert not database.exists()
    (tmp_path / "elsewhere").rename(database)
    wait_for(lambda: "nines_ledger_available 1.0" in metrics(house))
    assert "the ledger was deleted or moved away" in house.log.read_text()
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    seen = checks(house)
    wait_for(lambda: float(metrics(house).split("\nnines_spool_records ")[1].split()[0]) >= 3)
    house.kill()
    other.execute("ROLLBACK")
    house.start()
    wait_for(lambda: checks(house) >= seen + 3)
    assert house.stop() == 0
    lives = other.execute("SELECT written, stamp_ms FROM life ORDER BY started_ms").fetchall()
    instants = [at_ms for (at_ms,) in other.execute("SELECT at_ms FROM raw_check ORDER BY at_ms")]
    own = """SELECT (SELECT COUNT(*) FROM event WHERE kind LIKE 'prober.%')
+ (SELECT COUNT(*) FROM "interval" WHERE endpoint IS NULL)"""
    [(told,)] = other.execute(own).fetchall()  # of the prober itself: a busy machine makes its loop stall
    other.close()
    assert len(lives) == 2
    first = [at_ms for at_ms in instants if at_ms <= lives[0][1]]
    assert len(first) <= lives[0][0] <= len(first) + 2 * told
    assert max(b - a for a, b in itertools.pairwise(first)) < 2_500


def test_what_is_applied_beside_the_daemon_is_probed_within_seconds(house: House, target: Target) -> None:
    house.start()
    wait_for(lambda: checks(house) >= 1)
    endpoint = f'{{url: "{target.url}", interval: 1 s, timeout: 1 s}}'
    house.write(f"endpoints: {{shop: {endpoint}, desk: {endpoint}}}\n")
    house.nines("config", "apply")
    database = sqlite3.connect(house.folder / "nines.db")
    query = "SELECT 1 FROM raw_check WHERE endpoint = (SELECT number FROM endpoint WHERE id = 'desk')"
    wait_for(lambda: database.execute(query).fetchone(), within_s=4, every_s=0.05)
    database.close()
    assert house.stop() == 0


def test_a_reload_takes_in_rates_and_the_place_of_heartbeats_and_says_where_rates_are_too_low(
    house: House, target: Target
) -> None:
    many = "".join(f'  web-{n}: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}\n' for n in range(8))
    job = f"  job: {{heartbeat: 'sha256:{'0' * 64}', interval: 1 h}}\n"
    pushes = [free_port(), free_port()]

    def write(rate: int, push: int) -> None:
        house.write(f"rates: {{per_host_per_s: {rate}}}\nendpoints:\n{many}{job}")
        path = house.folder / "nines.yaml"
        path.write_text(path.read_text().replace("listen: {", f'listen: {{push: "127.0.0.1:{push}", ', 1))

    def told(push: int) -> int | None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{push}/push/job", b"", timeout=2)
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return None
        return 200

    write(1, pushes[0])
    house.start()
    wait_for(lambda: told(pushes[0]) == 401 and checks(house) >= 2)
    assert "rates.per_host_per_s: 1 checks a second are allowed, the endpoints on 127.0.0.1 need 8" in log_of(house)
    write(100, pushes[1])
    house.signal(signal.SIGHUP)
    wait_for(lambda: told(pushes[1]) == 401)
    assert told(pushes[0]) is None
    assert log_of(house).count("checks a second are allowed") == 1
    before = checks(house)
    wait_for(lambda: checks(house) >= before + 16, within_s=8)  # at the old rate 8 at most
    assert house.stop() == 0


def log_of(house: House) -> str:
    return house.log.read_text()


def test_a_metrics_port_that_is_taken_is_said_and_probing_goes_on(house: House, target: Target) -> None:
    house.metrics_port = int(target.url.rsplit(":", 1)[1].strip("/"))
    house.write(f'endpoints: {{shop: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}}}\n')
    house.start()
    wait_for(lambda: "no metrics until then" in house.log.read_text() and checks(house) >= 2)
    assert "Traceback" not in house.log.read_text()
    assert house.stop() == 0
