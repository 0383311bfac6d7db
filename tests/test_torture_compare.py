"""The crash test can fail: each way in which a ledger might lie about one endpoint is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from torture_compare import Comparison
from torture_daemon import Death
from torture_plan import BAD, GOOD, Watched
from torture_record import DOWN, UP, Booked, Record, Row, Stamps
from torture_server import Served

T = 1_790_000_000_000
BADLY = range(5, 8)  # seconds
END = T + 20_500
LOG = [Served("e", T + s * 1000 + 3, BAD if s in BADLY else GOOD, T + s * 1000 + 4) for s in range(21)]
ROWS = [Row(T + s * 1000, DOWN if s in BADLY else UP, "http_status" if s in BADLY else None) for s in range(21)]
OUTAGE = Booked(
    id="O-1",
    from_ms=T + 5_000,
    to_ms=T + 8_000,
    last_good_ms=T + 4_000,
    first_bad_ms=T + 5_000,
    confirmed_ms=T + 6_000,
    last_bad_ms=T + 7_000,
    first_good_ms=T + 8_000,
    failed_checks=3,
    end_reason="recovered",
)
TOLD = [("O-1.opened", T + 6_000), ("O-1.closed", T + 8_000)]
RECORD = Record({"e": ROWS}, {"e": [OUTAGE]}, [Stamps(T, END, END)], {id: 1 for id, _ in TOLD}, {"e": TOLD})
UNKNOWN_SPANS = [(T - 60_000, T)]


def found(record: Record, *, log: list[Served] = LOG, unknown: list[tuple[int, int]] = UNKNOWN_SPANS) -> list[str]:
    watched = {"e": Watched("e", 1_000, (0,), (GOOD,))}
    made = Comparison(watched, {"e": log}, record, [Death(END, END + 100, clean=True)], END)
    return made.run(["O-1.opened", "O-1.closed"], {"e": unknown}).findings


def test_a_ledger_that_tells_the_truth_is_without_fault() -> None:
    assert found(RECORD) == []


def outage(**changed: object) -> Record:
    return replace(RECORD, outages={"e": [replace(OUTAGE, **changed)]})  # type: ignore[arg-type]


LIES: dict[str, Callable[[], list[str]]] = {
    "a check is missing": lambda: found(replace(RECORD, checks={"e": ROWS[:10] + ROWS[11:]})),
    "a check nobody answered": lambda: found(RECORD, log=LOG[:12] + LOG[13:]),
    "a good check that was answered badly": lambda: found(
        RECORD, log=[*LOG[:2], replace(LOG[2], answer=BAD), *LOG[3:]]
    ),
    "an acknowledged event is missing": lambda: found(replace(RECORD, events={"O-1.opened": 1})),
    "an event twice": lambda: found(replace(RECORD, events={"O-1.opened": 2, "O-1.closed": 1})),
    "the outage is missing": lambda: found(replace(RECORD, outages={})),
    "the outage twice": lambda: found(replace(RECORD, outages={"e": [OUTAGE, replace(OUTAGE, from_ms=T + 15_000)]})),
    "it begins too early": lambda: found(outage(from_ms=T + 4_000, first_bad_ms=T + 4_000)),
    "it ends too late": lambda: found(outage(to_ms=T + 9_000, first_good_ms=T + 9_000)),
    "it is still open": lambda: found(outage(to_ms=None, last_bad_ms=None, first_good_ms=None)),
    "its last good check is another": lambda: found(outage(last_good_ms=T + 3_000)),
    "it counts one failure too many": lambda: found(outage(failed_checks=4)),
    "nobody is said to have seen its end": lambda: found(outage(end_reason="unobserved")),
    "its end is told before its beginning": lambda: found(replace(RECORD, told={"e": TOLD[::-1]})),
    "known time is unknown": lambda: found(RECORD, unknown=[*UNKNOWN_SPANS, (T + 10_100, T + 10_900)]),
    "another endpoint": lambda: found(replace(RECORD, checks={"e": ROWS, "other": ROWS})),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(lie: str) -> None:
    assert LIES[lie]() != []


def test_time_without_a_check_that_is_said_to_be_known_is_found() -> None:
    """The daemon was killed at 10 s and back at 15 s: five seconds nobody vouches for."""
    rows = ROWS[:11] + ROWS[15:]
    lives = [Stamps(T, T + 10_300, None), Stamps(T + 14_900, END, END)]
    record = replace(RECORD, checks={"e": rows}, lives=lives)
    watched = {"e": Watched("e", 1_000, (0,), (GOOD,))}
    deaths = [Death(T + 10_400, T + 10_500, clean=False), Death(END, END + 100, clean=True)]

    def told(spans: list[tuple[int, int]]) -> list[str]:
        log = {"e": LOG[:11] + LOG[15:]}
        made = Comparison(watched, log, record, deaths, END)
        return made.run(["O-1.opened", "O-1.closed"], {"e": spans}).findings

    assert told([*UNKNOWN_SPANS, (T + 10_300, T + 15_000)]) == []
    assert told(UNKNOWN_SPANS) != []
    assert told([*UNKNOWN_SPANS, (T + 12_000, T + 15_000)]) != []
