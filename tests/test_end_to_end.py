"""The whole way with real sockets: a server goes down and comes back under the daemon, and the money follows."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from daemon_rig import House, Target, wait_for

CONTRACT = """
endpoints:
  shop: {{url: "{url}", name: Shop, interval: 1 s, timeout: 1 s}}
clients:
  sample: {{name: Sample Client, timezone: UTC}}
contracts:
  sample-shop:
    client: sample
    service: shop
    from: {since}
    target: 99.9
    fee: 2500.00 EUR
    credits: {{< 99.9: 10 %, < 99.0: 25 %, < 50.0: 50 %}}
    measure: {{before_first_check: not_contracted}}
"""


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()


def outages(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.json("outages", "list")
    return found


def healthy(house: House) -> bool:
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{house.web_port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def text_of(pdf: Path) -> str:
    from pypdf import PdfReader

    pages = PdfReader(BytesIO(pdf.read_bytes())).pages
    return re.sub(r"[\u00a0\u202f\s]+", " ", " ".join(page.extract_text() for page in pages))


def shift_to(instant: datetime) -> int:
    """What to add to the true clock so that it reads `instant` now."""
    return round(instant.timestamp() * 1000) - time.time_ns() // 1_000_000


def raw_checks(house: House) -> list[tuple[int, bool]]:
    """(at_ms, good) of every raw check, straight from the file."""
    with sqlite3.connect(house.folder / "nines.db") as connection:
        return [
            (at, verdict == 0)
            for at, verdict in connection.execute("SELECT at_ms, verdict FROM raw_check ORDER BY at_ms")
        ]


def attached(pdf: Path) -> dict[str, Any]:
    from pypdf import PdfReader

    files = PdfReader(BytesIO(pdf.read_bytes())).attachments
    statement: dict[str, Any] = json.loads(files["statement.json"][0])
    return statement


def clock(at_ms: int) -> str:
    """As the report prints it: seconds, and milliseconds where there are any."""
    whole = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%H:%M:%S")
    return f"{whole}.{at_ms % 1000:03d}" if at_ms % 1000 else whole


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path, shift_ms=getattr(request, "param", 0))
    yield found
    found.close()


def test_an_outage_at_the_end_of_a_month_becomes_its_credit_to_the_millisecond_and_the_cent(
    tmp_path: Path, target: Target
) -> None:
    month_end = datetime(2026, 10, 1, tzinfo=UTC)
    end_ms = round(month_end.timestamp() * 1000)
    house = House(tmp_path, shift_ms=shift_to(month_end - timedelta(seconds=30)))
    house.write(CONTRACT.format(url=target.url, since="2026-09-01"))
    try:
        house.start()
        wait_for(lambda: healthy(house) and len(raw_checks(house)) >= 3)
        target.working = False
        wait_for(lambda: any(outage["state"] == "open" for outage in outages(house)))
        target.working = True
        [outage] = wait_for(lambda: [one for one in outages(house) if one["state"] == "over"])
        wait_for(lambda: raw_checks(house)[-1][0] > end_ms + 2_000)
        statement = house.json("statement", "build", "sample", "--period", "2026-09")
        [row] = house.json("credits", "--period", "2026-09")
        [report] = house.json("report", "sample", "--period", "2026-09", "--out", "out")
        assert house.stop() == 0
    finally:
        house.close()

    checks = raw_checks(house)
    first_ms = checks[0][0]
    first_bad = next(at for at, good in checks if not good)
    first_good = next(at for at, good in checks if good and at > first_bad)
    assert (outage["from_ms"], outage["to_ms"]) == (first_bad, first_good)
    assert outage["last_good_ms"] == max(at for at, good in checks if good and at < first_bad)
    assert outage["failed_checks"] == sum(not good for _, good in checks)

    log = house.log.read_text()
    assert log.count("shop: down since ") == log.count("shop: no longer down, ") == 1

    [service] = statement["services"]
    down_ms, considered_ms = first_good - first_bad, end_ms - first_ms
    assert service["considered_ms"] == considered_ms
    assert service["split_ms"]["down"] == down_ms == service["outages"][0]["counted_ms"]
    assert service["split_ms"]["not_contracted"] == first_ms - statement["period"]["from_ms"]
    exact = Fraction(considered_ms - down_ms, considered_ms) * 100
    assert Fraction(service["availability_pct"]) == Fraction(int(exact * 10**6), 10**6)
    assert (service["verdict"], service["provisional"]) == ("NOT_MET", False)

    percent = 50 if exact < 50 else 25
    owed = f"{2500 * percent / 100:.2f}"
    assert (service["credit"]["amount"], service["credit"]["determined"]) == (owed, True)
    assert (row["credit"], row["credit_low"], row["credit_high"]) == (owed, owed, owed)

    pdf = tmp_path / report["pdf"]
    inside = attached(pdf)
    assert inside["services"][0]["outages"][0]["from_ms"] == first_bad
    assert inside["services"][0]["outages"][0]["to_ms"] == first_good
    text = text_of(pdf)
    floored = f"{int(exact * 1000) // 1000}.{int(exact * 1000) % 1000:03d} %"
    assert f"Shop missed its target: {floored} against 99.9 %." in text
    assert f"EUR {owed}" in text
    assert f"{clock(first_bad)} – {clock(first_good)}" in text


def test_a_daemon_killed_in_an_outage_loses_nothing_and_invents_nothing(house: House, target: Target) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    house.write(CONTRACT.format(url=target.url, since=f"{month}-01"))
    house.start()
    wait_for(lambda: healthy(house) and len(raw_checks(house)) >= 3)
    target.working = False
    wait_for(lambda: any(outage["state"] == "open" for outage in outages(house)))
    time.sleep(2)
    house.kill()
    before = raw_checks(house)
    with sqlite3.connect(house.folder / "nines.db") as connection:
        [stamp_ms] = connection.execute("SELECT max(stamp_ms) FROM life").fetchone()
    time.sleep(4)  # nobody looks
    target.working = True
    house.start()
    wait_for(lambda: len(raw_checks(house)) >= len(before) + 3)
    [outage] = outages(house)
    [service] = house.json("statement", "build", "sample", "--period", month)["services"]
    assert house.stop() == 0

    after = raw_checks(house)
    assert after[: len(before)] == before
    last_bad, back = before[-1][0], after[len(before)][0]
    assert not before[-1][1]
    assert outage["from_ms"] == next(at for at, good in before if not good)
    assert last_bad <= outage["to_ms"] <= max(stamp_ms, last_bad) < back
    assert outage["end_reason"] == "unobserved"
    gap = [line for line in service["timeline"] if line[0] < back and line[1] > outage["to_ms"]]
    assert [(line[0], line[1], line[2]) for line in gap] == [(outage["to_ms"], back, "unknown")]


def test_a_bad_file_at_sighup_leaves_the_old_config_in_force(house: House, target: Target) -> None:
    house.write(f'endpoints: {{shop: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}}}\n')
    house.start()
    wait_for(lambda: healthy(house) and len(raw_checks(house)) >= 2)
    house.write(f'endpoints: {{shop: {{url: "{target.url}", interval: never}}}}\n')
    house.signal(signal.SIGHUP)
    wait_for(lambda: "the old one stays in force" in house.log.read_text())
    seen = len(raw_checks(house))
    wait_for(lambda: len(raw_checks(house)) >= seen + 2)
    house.write(f'endpoints: {{other: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}}}\n')
    house.signal(signal.SIGHUP)
    wait_for(lambda: [row["name"] for row in house.json("status")["services"]] == ["other"])
    assert house.stop() == 0
