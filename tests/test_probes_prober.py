"""The prober end to end: real servers, the real writer, a ledger in a temporary folder."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from local_servers import closed_port, ok, serving
from probe_world import targets

from config.endpoint import Endpoint
from ledger.observations import ObservationWriter, Observed
from ledger.resume import ResumePoint, resume_point
from ledger.sight import Unseen
from ledger.store import Ledger, open_ledger
from probes.gate import Rates
from probes.prober import Prober, probe_once
from probes.scheduler import phase_ms

FAST = Rates(per_host_per_s=500, global_per_s=500)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Server:
    """Answers as it is told to."""

    def __init__(self) -> None:
        self.status = b"200 OK"
        self.delay_s = 0.0
        self.asked = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        writer.write(ok(status=self.status))
        await writer.drain()


INTERVAL_MS = 200  # shorter than a config may say, so that the tests are


def endpoint(port: int, *, id: str = "web", headers: dict[str, str] | None = None, **settings: int) -> Endpoint:
    read = Endpoint.model_validate({"id": id, "url": f"http://127.0.0.1:{port}/", "headers": headers or {}})
    return read.model_copy(update={"interval_ms": INTERVAL_MS, "timeout_ms": 150, **settings})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "nines.db", at_ms=now_ms(), create=True)


@asynccontextmanager
async def probing(
    ledger: Ledger, *endpoints: Endpoint, boot: str = "boot-1", clock: Callable[[], int] = now_ms
) -> AsyncIterator[Prober]:
    """A prober that runs with these endpoints and is stopped cleanly; what it saw is on disk afterwards."""
    writer = ObservationWriter(ledger, boot_id=boot, batch_every_s=0.05)
    prober = Prober(ledger, writer, clock, rates=FAST)
    await prober.apply(targets(endpoints))
    running = asyncio.create_task(prober.run())
    try:
        yield prober
    finally:
        await prober.stop(grace_s=0.3)
        await running
        await asyncio.to_thread(writer.close)


async def until(found: Callable[[], Awaitable[bool] | bool], *, within_s: float = 30.0) -> None:
    """Look again and again; the thing waited for happens by the prober's own clock."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        answer = found()
        if answer if isinstance(answer, bool) else await answer:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


def point(ledger: Ledger) -> ResumePoint:
    return resume_point(ledger, "web", "local")


def events(ledger: Ledger) -> list[str]:
    with ledger.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT kind FROM event ORDER BY at_ms, id")]


def outages(ledger: Ledger) -> list[tuple[Any, ...]]:
    with ledger.read() as connection:
        query = 'SELECT kind, from_ms, to_ms, last_good_ms, last_bad_ms, first_good_ms, end_reason FROM "interval"'
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def checks(ledger: Ledger) -> list[tuple[int, int]]:
    with ledger.read() as connection:
        query = "SELECT at_ms, verdict FROM raw_check ORDER BY at_ms"
        return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


async def test_an_outage_is_opened_and_closed_in_the_ledger_to_the_millisecond(ledger: Ledger) -> None:
    server = Server()
    async with serving(server.talk) as port, probing(ledger, endpoint(port)):
        await until(lambda: server.asked >= 1)
        server.status = b"503 Busy"
        await until(lambda: point(ledger).open_outage is not None)
        server.status = b"200 OK"
        await until(lambda: events(ledger) == ["outage.opened", "outage.closed"])
    seen = checks(ledger)
    first_bad = next(at for at, verdict in seen if verdict == 2)
    last_good = max(at for at, verdict in seen if at < first_bad)
    first_good = next(at for at, verdict in seen if at > first_bad and verdict == 0)
    last_bad = max(at for at, verdict in seen if at < first_good)
    assert outages(ledger) == [("down", first_bad, first_good, last_good, last_bad, first_good, "recovered")]


async def test_a_reload_raises_and_lowers_the_rates_and_leaves_a_running_check_alone(ledger: Ledger) -> None:
    server, slow = Server(), Server()
    slow.delay_s = 1.2
    async with serving(server.talk) as port, serving(slow.talk) as other, probing(ledger) as prober:
        many = [endpoint(port, id=f"web-{number}", interval_ms=100) for number in range(10)]
        patient = endpoint(other, id="slow", timeout_ms=20_000, interval_ms=86_400_000)
        patient = patient.model_copy(update={"url": f"http://localhost:{other}/"})

        async def asked_in_a_second(rates: Rates) -> int:
            await prober.apply(targets([*many, patient]), rates=rates)
            await asyncio.sleep(0.3)  # what was admitted before is over
            before = server.asked
            await asyncio.sleep(1)
            return server.asked - before

        assert await asked_in_a_second(Rates(per_host_per_s=4, global_per_s=500)) <= 5
        assert await asked_in_a_second(Rates(per_host_per_s=500, global_per_s=500)) >= 30
        assert await asked_in_a_second(Rates(per_host_per_s=500, global_per_s=4)) <= 5
    with ledger.read() as connection:
        query = "SELECT verdict FROM raw_check JOIN endpoint ON number = endpoint WHERE endpoint.id = 'slow'"
        assert [row[0] for row in connection.exec_driver_sql(query)] == [0]


async def test_ticks_stand_on_the_grid(ledger: Ledger) -> None:
    server = Server()
    async with serving(server.talk) as port, probing(ledger, endpoint(port)):
        await until(lambda: server.asked >= 4)
    phase = phase_ms("web", INTERVAL_MS)
    late_ms = [(at - phase) % INTERVAL_MS for at, _ in checks(ledger)][1:]
    assert sorted(late_ms)[len(late_ms) // 2] < 100


async def test_a_stop_in_the_middle_of_an_attempt_records_no_failure(ledger: Ledger) -> None:
    server = Server()
    async with serving(server.talk) as port, probing(ledger, endpoint(port, timeout_ms=20_000)):
        await until(lambda: server.asked >= 1)
        server.delay_s = 1.0
        await until(lambda: server.asked >= 2)
    assert all(verdict == 0 for _, verdict in checks(ledger))


async def test_a_restart_goes_on_with_the_same_outage(ledger: Ledger) -> None:
    server = Server()
    server.status = b"503 Busy"
    async with serving(server.talk) as port:
        async with probing(ledger, endpoint(port)):
            await until(lambda: point(ledger).open_outage is not None)
        opened = point(ledger).open_outage
        async with probing(ledger, endpoint(port), boot="boot-2"):
            asked = server.asked
            await until(lambda: server.asked > asked)
            server.status = b"200 OK"
            await until(lambda: events(ledger) == ["outage.opened", "outage.closed"])
    assert opened is not None
    assert [row[:2] for row in outages(ledger)] == [("down", opened.from_ms)]


async def test_an_outage_over_by_the_restart_ends_where_the_first_life_ended(ledger: Ledger) -> None:
    server = Server()
    server.status = b"503 Busy"
    async with serving(server.talk) as port:
        async with probing(ledger, endpoint(port)):
            await until(lambda: point(ledger).open_outage is not None)
        stopped_ms = now_ms()
        server.status = b"200 OK"
        await until(lambda: now_ms() > stopped_ms + 250)  # a tick is missed
        async with probing(ledger, endpoint(port), boot="boot-2"):
            await until(lambda: point(ledger).open_outage is None)
    (outage,) = outages(ledger)
    assert outage[6] == "unobserved"
    assert outage[4] <= outage[2] <= stopped_ms
    with ledger.read() as connection:
        covered = [tuple(row) for row in connection.exec_driver_sql("SELECT from_ms, to_ms FROM coverage")]
    assert outage[2] in [to_ms for _, to_ms in covered]
    assert not any(from_ms <= stopped_ms < (to_ms or now_ms()) for from_ms, to_ms in covered)


async def test_after_a_kill_the_gap_is_unknown_and_the_outage_ends_at_the_last_sign_of_life(ledger: Ledger) -> None:
    server = Server()
    server.status = b"503 Busy"
    async with serving(server.talk) as port:
        child = await kill_a_prober(Path(ledger.path), port, when=lambda: point(ledger).open_outage is not None)
        killed_ms = now_ms()
        assert child.returncode == -9
        seen = checks(ledger)
        server.status = b"200 OK"
        await until(lambda: now_ms() > killed_ms + 250)
        async with probing(ledger, endpoint(port), boot="boot-2"):
            await until(lambda: point(ledger).open_outage is None)
    assert checks(ledger)[: len(seen)] == seen
    (outage,) = outages(ledger)
    last_bad_ms = max(at for at, verdict in seen if verdict == 2)
    assert outage[6] == "unobserved"
    assert last_bad_ms <= outage[2] <= killed_ms


async def kill_a_prober(path: Path, port: int, *, when: Callable[[], bool]) -> asyncio.subprocess.Process:
    """A prober in a process of its own, killed as soon as `when` holds."""
    folder = Path(__file__).parent
    story = f"import test_probes_prober as own; own.probe_for_ever({str(path)!r}, {port})"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", story, cwd=folder, env={**os.environ, "PYTHONPATH": f"{folder}:{folder.parent}"}
    )
    try:
        await until(when, within_s=60)
    finally:
        child.kill()
        await child.wait()
    return child


def probe_for_ever(path: str, port: int) -> None:
    async def forever() -> None:
        async with probing(open_ledger(path, at_ms=now_ms()), endpoint(port)):
            await asyncio.sleep(60)

    asyncio.run(forever())


async def test_after_the_wall_clock_was_set_back_checks_go_on(ledger: Ledger) -> None:
    server, back_ms = Server(), [0]
    async with (
        serving(server.talk) as port,
        probing(ledger, endpoint(port), clock=lambda: now_ms() - back_ms[0]),
    ):
        await until(lambda: server.asked >= 2)
        back_ms[0] = 3_600_000
        asked = server.asked
        await until(lambda: server.asked >= asked + 3)


async def test_on_reload_endpoints_come_and_go_and_change(ledger: Ledger) -> None:
    bad, good = Server(), Server()
    bad.status = b"500 No"
    async with (
        serving(bad.talk) as bad_port,
        serving(good.talk) as good_port,
        probing(ledger, endpoint(bad_port)) as prober,
    ):
        await until(lambda: point(ledger).open_outage is not None)
        await prober.apply(targets([endpoint(bad_port, interval_ms=400), endpoint(good_port, id="new")]))
        await until(lambda: good.asked >= 2)
        assert point(ledger).open_outage is not None
        await prober.apply(targets([endpoint(good_port, id="new")]))
        asked = bad.asked
        await until(lambda: good.asked >= 3)
        assert bad.asked == asked
    (outage,) = outages(ledger)
    assert outage[6] == "removed"
    assert events(ledger) == ["outage.opened", "outage.closed"]


async def test_a_blind_spell_left_open_by_an_earlier_life_ends_at_the_start_and_else_nothing_is_told(
    ledger: Ledger,
) -> None:
    async with probing(ledger):
        pass
    writer = ObservationWriter(ledger, boot_id="boot-2")
    blind = Unseen("blind", now_ms(), None, "prober_blind")
    writer.put(Observed(endpoint=None, location="local", check=None, transitions=(blind,)))
    writer.close()
    for boot in ("boot-3", "boot-4"):
        async with probing(ledger, boot=boot):
            pass
    with ledger.read() as connection:
        lives = connection.exec_driver_sql("SELECT boot, written FROM life ORDER BY boot").all()
        [spell] = connection.exec_driver_sql('SELECT from_ms, to_ms FROM "interval"').all()
    assert [tuple(life) for life in lives] == [("boot-1", 0), ("boot-3", 1), ("boot-4", 0)]
    assert spell.from_ms == blind.from_ms
    assert spell.from_ms <= spell.to_ms <= now_ms()


async def test_an_endpoint_removed_while_no_prober_ran_is_ended_at_the_start(ledger: Ledger) -> None:
    server = Server()
    server.status = b"500 No"
    async with serving(server.talk) as port:
        async with probing(ledger, endpoint(port)):
            await until(lambda: point(ledger).open_outage is not None)
        async with probing(ledger, endpoint(port, id="other"), boot="boot-2"):
            await until(lambda: point(ledger).open_outage is None)
    assert outages(ledger)[0][6] == "removed"
    assert point(ledger).coverage_from_ms is None


async def test_a_changed_address_is_probed_at_once_under_the_same_history(ledger: Ledger) -> None:
    server = Server()
    async with serving(server.talk) as port, probing(ledger, endpoint(closed_port())) as prober:
        await until(lambda: point(ledger).open_outage is not None)
        await prober.apply(targets([endpoint(port)]))
        await until(lambda: point(ledger).open_outage is None)
    assert outages(ledger)[0][6] == "recovered"


async def test_an_attempt_that_overruns_does_not_pile_up(ledger: Ledger) -> None:
    server = Server()
    server.delay_s = 30.0
    async with serving(server.talk) as port, probing(ledger, endpoint(port, timeout_ms=INTERVAL_MS)):
        await until(lambda: server.asked >= 3)
    times = [at for at, _ in checks(ledger)]
    assert all(later - earlier >= INTERVAL_MS - 10 for earlier, later in itertools.pairwise(times))


async def test_a_secret_that_is_not_there_is_unknown_and_no_downtime(ledger: Ledger) -> None:
    server = Server()
    headers = {"Authorization": "Bearer ${NINES_SECRET_NONE}"}
    async with serving(server.talk) as port, probing(ledger, endpoint(port, headers=headers)):
        await until(lambda: len(checks(ledger)) >= 1)
    assert server.asked == 0
    assert {verdict for _, verdict in checks(ledger)} == {3}


async def test_probing_once_takes_the_same_path_and_records_nothing(ledger: Ledger) -> None:
    server = Server()
    async with serving(server.talk) as port:
        both = [endpoint(port), endpoint(closed_port(), id="dead")]
        up, down = await probe_once(targets(both), clock=now_ms)
    assert (up.endpoint, up.verdict, up.status) == ("web", "up", 200)
    assert (down.endpoint, down.verdict, down.error) == ("dead", "down", "connect_refused")
    assert checks(ledger) == []
