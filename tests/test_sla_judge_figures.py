"""From checks to the figure: how often an endpoint was checked never weighs on it."""

from __future__ import annotations

from collections.abc import Callable

from sla_builders import DAY, HOUR, contract, judged, measured, ms, terms

from sla.facts import Outage, ServiceFacts
from sla.judge import Check, Closed, CoverageClosed, Method, State, Transition, judge
from sla.spans import Spans
from sla.statement import ServiceStatement

EVERY_MINUTE = Method(interval_ms=60_000, timeout_ms=10_000)
EVERY_FIVE = Method(interval_ms=300_000, timeout_ms=10_000, retry_every_ms=30_000)
Truth = Callable[[int], bool]


def watched(start: str, end: str, method_at: Callable[[int], Method], is_down: Truth, *, seen: Truth) -> ServiceFacts:
    """What an endpoint's checks leave behind, probed at its own pace from `start` to `end`."""
    now, state, said = ms(start), State(), list[Transition]()
    first_ms = now
    while now < ms(end):
        method = method_at(now)
        if seen(now):
            verdict = "down" if is_down(now) else "up"
            state, more = judge(state, Check(now, verdict), method)  # type: ignore[arg-type]
            said.extend(more)
        now += state.pace_ms(method)
    return facts(state, said, first_ms=first_ms, from_ms=ms(start), to_ms=ms(end))


def facts(state: State, said: list[Transition], *, first_ms: int, from_ms: int, to_ms: int) -> ServiceFacts:
    covered = [(one.from_ms, one.to_ms) for one in said if isinstance(one, CoverageClosed)]
    if state.coverage_from_ms is not None and state.covered_until_ms is not None:
        covered.append((state.coverage_from_ms, min(state.covered_until_ms, to_ms)))
    outages = [
        Outage(f"O-{number}", one.from_ms, one.to_ms)
        for number, one in enumerate(said)
        if isinstance(one, Closed) and one.kind == "down"
    ]
    unknown = Spans.of([(from_ms, to_ms)]) - Spans.of(covered)
    return measured(*outages, unknown=unknown, first_check_ms=first_ms)


def always(_: int) -> bool:
    return True


def between(start: str, end: str) -> Truth:
    return lambda at: ms(start) <= at < ms(end)


def figure(found: ServiceStatement) -> str:
    return str(found.availability_pct)[:6]


def test_case_01_changing_the_pace_of_checks_does_not_change_what_an_outage_weighs() -> None:
    def pace(at: int) -> Method:
        return EVERY_MINUTE if at < ms("2026-11-16") else EVERY_FIVE

    down = between("2026-11-20", "2026-11-20 12:00")
    found = judged(watched("2026-11-01", "2026-12-01", pace, down, seen=always))
    assert figure(found) == "98.333"
    assert found.split_ms["down"] == 12 * HOUR
    assert found.split_ms["unknown"] == 0


def test_case_02_ten_times_the_checks_while_down_weigh_no_more() -> None:
    down = between("2026-11-20 12:00", "2026-11-20 13:00")
    day = watched("2026-11-20", "2026-11-21", lambda _: EVERY_FIVE, down, seen=always)
    assert figure(judged(day, "2026-11-20/2026-11-21")) == "95.833"


def test_case_03_one_failed_check_a_day_leaves_the_month_whole() -> None:
    strict = Method(interval_ms=60_000, timeout_ms=10_000, confirm=3)
    found = judged(watched("2026-11-01", "2026-12-01", lambda _: strict, lambda at: at % DAY == 3 * HOUR, seen=always))
    assert figure(found) == "100.00"
    assert found.outages == ()


def test_case_04_ten_minutes_of_bad_checks_are_600_seconds_of_downtime() -> None:
    strict = Method(interval_ms=60_000, timeout_ms=10_000, confirm=3, retry_every_ms=60_000)
    down = between("2026-11-20 10:00", "2026-11-20 10:09:01")
    found = judged(watched("2026-11-20", "2026-11-21", lambda _: strict, down, seen=always), "2026-11-20/2026-11-21")
    assert found.split_ms["down"] == 600_000
    assert [(one.from_ms, one.to_ms) for one in found.outages] == [(ms("2026-11-20 10:00"), ms("2026-11-20 10:10"))]
    assert figure(found) == "99.305"


def test_case_05_five_hours_without_a_check_are_unknown_but_for_the_last_checks_reach() -> None:
    def on(at: int) -> bool:
        return not between("2026-11-10 10:00", "2026-11-10 15:00")(at)

    down = between("2026-11-20 10:00", "2026-11-20 10:30")
    found = judged(watched("2026-11-01", "2026-12-01", lambda _: EVERY_MINUTE, down, seen=on), agreed=contract(terms()))
    reach_beyond_the_next_tick_ms = EVERY_MINUTE.reach_ms - 60_000
    assert found.split_ms["unknown"] == 5 * HOUR - reach_beyond_the_next_tick_ms
    assert found.split_ms["down"] == HOUR // 2
    assert found.verdict == "UNDETERMINED"
