"""Years in a small file: what is rolled up and deleted, what stays, and that no figure changes by it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cli_rig import in_folder
from ledger_scenes import HOUR, MINUTE, SECOND, T0, checks, new_ledger, watch, writing

from ledger.definitions import store
from ledger.events import claim_deliveries, mark_sent
from ledger.facts import endpoint_facts
from ledger.journal import PROGRAM
from ledger.journal_check import verify
from ledger.latency import Latency, latencies
from ledger.observations import Observed
from ledger.query import run
from ledger.retention import Retention, Step, give_back, housekeeping, in_words, prunable_days
from ledger.slots import DAY_MS
from ledger.soundness import check
from ledger.store import Ledger, open_ledger
from sla.facts import Definition, EndpointFacts
from sla.judge import Check, Method, State, judge
from sla.period import parse
from sla.spans import Span

ROOT = Path(__file__).resolve().parent.parent
DAY0 = T0 // DAY_MS * DAY_MS  # the midnight before
DAYS = 6
NOW = DAY0 + (DAYS + 40) * DAY_MS
EVERY = 5 * MINUTE
METHOD_5 = Method(interval_ms=EVERY, timeout_ms=10 * SECOND)
NOTHING_GOES = Retention(checks_ms=None, messages_ms=None)
USUAL = Retention()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def rows(ledger: Ledger, query: str) -> list[tuple[Any, ...]]:
    with ledger.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def history(ledger: Ledger, *, days: int = DAYS, seed: int = 1, spells: tuple[Span, ...] = ()) -> None:
    """Checks each five minutes with retries, now and then a failure, an outage in each spell, and one night unseen."""
    agreed = Definition("endpoint", "api", DAY0, {"interval_ms": EVERY})
    store(ledger, [agreed], at_ms=DAY0, actor=PROGRAM, source_sha256=None)
    draw, state = Random(seed), State()
    spells = spells or ((DAY0 + 30 * HOUR, DAY0 + 33 * HOUR), (DAY0 + 71 * HOUR, DAY0 + 73 * HOUR))
    with writing(ledger) as writer:
        for tick in range(days * DAY_MS // EVERY):
            at_ms = DAY0 + tick * EVERY + 137_000 + draw.randrange(4)
            if 100 * HOUR < at_ms - DAY0 < 103 * HOUR:
                continue
            next_ms, retry = at_ms + EVERY, False
            while at_ms < next_ms - 10_000:
                bad = any(start <= at_ms < end for start, end in spells) or draw.random() < 0.01
                check = Check(at_ms, "down" if bad else "up", "timeout" if bad else None, 20 + draw.randrange(900))
                state, said = judge(state, check, METHOD_5)
                writer.life(at_ms)
                writer.put(Observed("api", "local", check, retry, {"connect": 9}, transitions=said))
                if not state.unsettled:
                    break
                retry, at_ms = True, at_ms + 20_000


def keep_house(ledger: Ledger, retention: Retention = USUAL, *, now_ms: int = NOW) -> list[Step]:
    return list(housekeeping(ledger, retention, now_ms=now_ms))


ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns")
SPANS = [*(parse("2026-09-22/2026-09-26", zone) for zone in ZONES), parse("2026-09", "Europe/Berlin")]


def figures(ledger: Ledger) -> list[EndpointFacts]:
    return [
        endpoint_facts(ledger, ["api"], from_ms=span.from_ms, to_ms=span.to_ms, now_ms=NOW)["api"] for span in SPANS
    ]


def test_no_figure_changes_when_days_are_rolled_up_and_raw_checks_go(ledger: Ledger) -> None:
    history(ledger)
    before = figures(ledger)
    assert [found.checks_made for found in before[:2]] == [1152 - 36, 1152 - 36]
    assert before[0].checks_due == 4 * 288
    assert before[0].unconfirmed > 3
    steps = keep_house(ledger, NOTHING_GOES)
    assert steps == [Step("rolled", 1)] * DAYS
    assert figures(ledger) == before
    keep_house(ledger)
    assert rows(ledger, "SELECT SUM(pruned), COUNT(*) FROM rolled_day") == [(DAYS, DAYS)]
    assert figures(ledger) == before


def test_what_was_not_up_stays_with_the_good_check_on_either_side_and_nothing_else(ledger: Ledger) -> None:
    history(ledger)
    before = rows(ledger, "SELECT at_ms, verdict, retry, latency_ms FROM raw_check ORDER BY at_ms")
    evidence = rows(ledger, "SELECT * FROM check_evidence ORDER BY at_ms")
    keep_house(ledger)
    good = [row[1] == 0 for row in before]
    kept = [
        row
        for place, row in enumerate(before)
        if not all(good[max(place - 1, 0) : place + 2]) or place == len(before) - 1
    ]
    assert rows(ledger, "SELECT at_ms, verdict, retry, latency_ms FROM raw_check ORDER BY at_ms") == kept
    assert 100 < len(kept) < len(before) / 2
    assert rows(ledger, "SELECT * FROM check_evidence ORDER BY at_ms") == evidence


def test_the_newest_check_stays_for_it_says_how_far_time_is_known(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uuuu"))
    known = endpoint_facts(ledger, ["api"], from_ms=T0, to_ms=NOW, now_ms=NOW)["api"].unknown
    keep_house(ledger)
    assert rows(ledger, "SELECT at_ms FROM raw_check") == [(T0 + 3 * MINUTE,)]
    assert endpoint_facts(ledger, ["api"], from_ms=T0, to_ms=NOW, now_ms=NOW)["api"].unknown == known


def test_a_second_time_nothing_is_left_to_do(ledger: Ledger) -> None:
    history(ledger)
    assert {step.what for step in keep_house(ledger)} == {"rolled", "checks", "days"}
    assert keep_house(ledger) == []


def test_what_may_be_kept_for_good_is(ledger: Ledger) -> None:
    history(ledger)
    before = rows(ledger, "SELECT COUNT(*) FROM raw_check")
    keep_house(ledger, NOTHING_GOES)
    assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == before


def test_a_day_that_is_not_over_is_left_alone(ledger: Ledger) -> None:
    history(ledger, days=2)
    assert keep_house(ledger, NOTHING_GOES, now_ms=DAY0 + 2 * DAY_MS) == [Step("rolled", 1)]  # late ones may come
    assert keep_house(ledger, NOTHING_GOES, now_ms=DAY0 + 2 * DAY_MS + HOUR) == [Step("rolled", 1)]


def test_a_late_check_has_its_day_rolled_up_again_while_the_raw_ones_are_there(ledger: Ledger) -> None:
    history(ledger, days=1)
    now_ms = DAY0 + DAY_MS + HOUR
    keep_house(ledger, now_ms=now_ms)
    [(made,)] = rows(ledger, "SELECT checks FROM rolled_day")
    with writing(ledger) as writer:
        writer.put(Observed("api", "local", Check(DAY0 + 7 * HOUR, "up", None, 5)))
    assert keep_house(ledger, now_ms=now_ms) == [Step("rolled", 1)]
    assert rows(ledger, "SELECT checks FROM rolled_day") == [(made + 1,)]
    keep_house(ledger)
    with writing(ledger) as writer:
        writer.put(Observed("api", "local", Check(DAY0 + 8 * HOUR, "up", None, 5)))
    keep_house(ledger)
    assert rows(ledger, "SELECT checks FROM rolled_day") == [(made + 1,)]  # the others of that day are gone


def test_a_day_that_differs_from_its_raw_checks_is_named_by_the_check(ledger: Ledger) -> None:
    history(ledger, days=1)
    keep_house(ledger, now_ms=DAY0 + DAY_MS + HOUR)
    found = {finding.subject: finding.state for finding in check(ledger, at_ms=NOW)}
    assert found["roll-ups"] == "ok"
    with ledger.decide() as connection:
        connection.exec_driver_sql("UPDATE rolled_day SET checks = checks - 1")
    (finding,) = (finding for finding in check(ledger, at_ms=NOW) if finding.subject == "roll-ups")
    assert (finding.state, finding.found) == (
        "warning",
        f"day {DAY0 // DAY_MS} of endpoint 1: differ from their raw checks",
    )


def test_percentiles_of_days_without_raw_checks_are_within_a_thirty_second(ledger: Ledger) -> None:
    history(ledger)
    spans = [(DAY0 + day * DAY_MS, DAY0 + (day + 1) * DAY_MS) for day in range(DAYS)] + [(DAY0, DAY0 + DAYS * DAY_MS)]
    exact = latencies(ledger, "api", spans)
    keep_house(ledger)
    for told, true in zip(latencies(ledger, "api", spans), exact, strict=True):
        assert told.count == true.count > 200
        for mine, real in zip(_percentiles(told), _percentiles(true), strict=True):
            assert 0 < abs(mine - real) * 32 <= real or mine == real


def _percentiles(of: Latency) -> list[int]:
    return [value for value in (of.p50_ms, of.p95_ms, of.p99_ms) if value is not None]


def test_a_change_of_the_interval_within_a_day_is_rolled_up_by_both(ledger: Ledger) -> None:
    versions = [
        Definition("endpoint", "api", DAY0, {"interval_ms": EVERY}),
        Definition("endpoint", "api", DAY0 + 12 * HOUR, {"interval_ms": MINUTE}),
    ]
    store(ledger, versions, at_ms=DAY0, actor=PROGRAM, source_sha256=None)
    with writing(ledger) as writer:
        watch(writer, checks("u" * 144, from_ms=DAY0 + 9_000, every_ms=EVERY), method=METHOD_5)
        watch(writer, checks("u" * 720, from_ms=DAY0 + 12 * HOUR + 31_000), method=METHOD_5)
    span = {"from_ms": DAY0, "to_ms": DAY0 + DAY_MS, "now_ms": NOW}
    before = endpoint_facts(ledger, ["api"], **span)["api"]
    assert (before.checks_due, before.checks_made) == (864, 864)
    keep_house(ledger)
    assert endpoint_facts(ledger, ["api"], **span)["api"] == before


def test_space_is_given_back_to_the_file_system(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("u"))
    row = "INSERT INTO raw_check (endpoint, location, at_ms, verdict, retry, latency_ms) VALUES (1, 1, ?, 0, 0, 9)"
    with ledger.decide() as connection:
        connection.exec_driver_sql(row, [(DAY0 + 10_000 * number + 1,) for number in range(50_000)])
    before = size(ledger)
    keep_house(ledger)
    assert ledger.free_pages() > before / 4096 * 0.7
    assert {step.what for step in give_back(ledger, spare_pages=20)} == {"pages"}
    assert ledger.free_pages() == 20
    assert size(ledger) < before * 0.4


def size(ledger: Ledger) -> int:
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return ledger.path.stat().st_size


def test_old_messages_go_but_not_what_waits_to_be_told(ledger: Ledger) -> None:
    insert = "INSERT INTO event (id, kind, at_ms, body) VALUES (:id, 'outage.opened', :at_ms, '{}')"
    with ledger.decide() as connection:
        for number in range(40):
            run(connection, insert, id=f"e{number}", at_ms=T0 + number)
    waiting, *told = claim_deliveries(ledger, ["desk"], at_ms=T0 + HOUR, limit=100)
    for delivery in told:
        mark_sent(ledger, delivery, at_ms=T0 + HOUR)
    keep_house(ledger, Retention(checks_ms=None, messages_ms=1))
    assert rows(ledger, "SELECT id FROM event") == [(waiting.event.id,)] == [("e0",)]
    assert rows(ledger, "SELECT number, state FROM delivery") == [(waiting.number, "pending")]


KILLED = """
    import sys
    sys.path.insert(0, "tests")
    from ledger.retention import Retention, housekeeping
    from ledger.store import open_ledger
    with open_ledger(sys.argv[1], at_ms=0) as ledger:
        print("begun", flush=True)
        for step in housekeeping(ledger, Retention(), now_ms=int(sys.argv[2])):
            print(step.what, flush=True)
"""


def test_sigkill_while_pruning_leaves_every_figure_as_it_was(ledger: Ledger) -> None:
    history(ledger)
    before = figures(ledger)
    keep_house(ledger, NOTHING_GOES)
    ledger.close()
    draw = Random(7)
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(ledger.path), str(NOW)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(draw.randrange(1, 5)):
            child.stdout.readline()
        child.kill()
        child.wait(10)
        child.stdout.close()
        with open_ledger(ledger.path, at_ms=T0) as again:
            assert rows(again, "PRAGMA integrity_check") == [("ok",)]
            assert figures(again) == before
    with open_ledger(ledger.path, at_ms=T0) as again:
        keep_house(again)
        assert figures(again) == before
        assert rows(again, "SELECT DISTINCT pruned FROM rolled_day") == [(1,)]


def test_days_are_counted_before_they_go(ledger: Ledger) -> None:
    history(ledger)
    keep_house(ledger, NOTHING_GOES)
    assert prunable_days(ledger, before_ms=DAY0 + 3 * DAY_MS) == 3
    assert in_words({}) == "nothing was due"
    assert in_words({"rolled": 3, "checks": 4320}) == "3 days rolled up, 4,320 raw checks deleted"


def test_pruning_by_hand_says_what_it_would_do_does_it_and_is_in_the_journal(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history(ledger)
    keep_house(ledger, NOTHING_GOES)
    nines = in_folder(tmp_path, monkeypatch, capsys)
    (tmp_path / "nines.yaml").write_text("version: 1\nretention: {checks: forever}\n")
    assert "raw checks are kept for ever" in nines("--db", "nines.db", "db", "prune", "--dry-run").out
    said = nines("--db", "nines.db", "db", "prune", "--checks", "3d", "--dry-run", "--format", "json").data
    assert said == {"checks_kept_ms": 3 * DAY_MS, "days": DAYS}
    said = nines("--db", "nines.db", "db", "prune", "--checks", "3d", "--format", "json").data
    assert said["checks"] > 1000
    assert rows(ledger, "SELECT action, actor_kind FROM journal ORDER BY seq DESC LIMIT 1") == [
        ("raw checks deleted", "person")
    ]
    assert verify(ledger).sound
    bad = nines("--db", "nines.db", "db", "prune", "--checks", "1h")
    assert (bad.code, "write e.g. 35 d or forever" in bad.err) == (2, True)
