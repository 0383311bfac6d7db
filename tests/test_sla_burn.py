"""Budget and burn (ACCOUNTING.md section 5): rates, default rules, when they fire, and the time to breach."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from sla_builders import DAY, HOUR, MINUTE, SECOND, contract, measured, terms

from sla.budget import budget, exhausted
from sla.build import build_statement
from sla.burn import (
    BurnError,
    Burning,
    BurnRule,
    State,
    breach_after_ms,
    burn,
    burn_over,
    default_rules,
    left_out,
    look,
    pace_of,
    rules_for,
    written_rule,
)
from sla.facts import Exclusion, Outage
from sla.forecast import at_this_pace
from sla.period import Period
from sla.spans import Spans
from sla.statement import Stretch
from sla.terms import Options
from sla.timeline import Piece, TimeClass

MONTH = 30 * DAY
TARGET = Decimal("99.9")
UTC = Options(timezone="UTC")
NOW = 10 * DAY  # in a history of ten days
PAGE, SLOW_PAGE, TICKET = default_rules(MONTH)


def pieces(*stretches: tuple[int, int, TimeClass], end: int = NOW) -> list[Piece]:
    """A gapless timeline from 0: up but for these, in order."""
    found, at = [], 0
    for start, stop, time_class in (*stretches, (end, end, "up")):
        found += [Piece(at, start, "up")] if at < start else []
        if start < stop:
            found.append(Piece(start, stop, time_class, weight=Fraction(time_class == "down")))
        at = stop
    return found


def seen(*stretches: tuple[int, int, TimeClass], rule: BurnRule = PAGE, at: int = NOW, **options: object) -> Burning:
    [found] = look([rule], pieces(*stretches), at, Options(timezone="UTC", **options), TARGET)
    return found


def test_one_failed_check_of_60_s_burns_16_7_times_a_budget_of_99_9_over_an_hour() -> None:
    rate = burn(MINUTE, HOUR, TARGET)
    assert rate == Fraction(50, 3)
    assert seen((NOW - MINUTE, NOW, "down")) == Burning(PAGE, "firing", rate, 12 * rate)


def test_a_budget_that_lasts_just_for_the_period_burns_once() -> None:
    assert burn(2_592 * SECOND, MONTH, TARGET) == 1


def test_only_considered_time_is_in_a_burn() -> None:
    half_out = pieces((NOW - HOUR, NOW - HOUR // 2, "maintenance"), (NOW - MINUTE, NOW, "down"))
    assert burn_over(half_out, (NOW - HOUR, NOW), UTC, TARGET) == Fraction(100, 3)
    as_up = Options(timezone="UTC", maintenance="count_up")
    assert burn_over(half_out, (NOW - HOUR, NOW), as_up, TARGET) == Fraction(50, 3)


def test_nothing_considered_burns_nothing() -> None:
    assert burn(0, 0, TARGET) is None
    assert seen((NOW - 7 * HOUR, NOW, "outside_service_hours")) == Burning(PAGE, "quiet", None, None)


def test_the_default_rules_of_30_days() -> None:
    assert [(str(rule), rule.factor) for rule in default_rules(MONTH)] == [
        ("page at 14.4 times over 1 h and 5 min", Fraction(72, 5)),
        ("page at 6 times over 6 h and 30 min", 6),
        ("ticket at 1 times over 3 d and 6 h", 1),
    ]


def test_other_periods_keep_the_share_of_the_budget() -> None:
    assert [rule.factor for rule in default_rules(7 * DAY)] == [Fraction("3.36"), Fraction("1.4"), Fraction(7, 30)]
    assert default_rules(31 * DAY)[0].factor == Fraction("14.88")


@pytest.mark.parametrize(
    ("target", "kept"),
    [("99.9", 3), ("93.1", 3), ("93", 2), ("84", 2), ("83.3", 1), ("0.1", 1), ("100", 0)],
)
def test_a_default_rule_that_cannot_fire_for_a_target_is_left_out_and_named(target: str, kept: int) -> None:
    agreed = Decimal(target)
    assert rules_for(agreed, MONTH) == default_rules(MONTH)[3 - kept :]
    assert left_out(agreed, MONTH) == (() if target == "100" else default_rules(MONTH)[: 3 - kept])


def test_a_rule_whose_factor_only_all_time_down_would_reach_cannot_fire() -> None:
    edge = BurnRule("page", HOUR, 5 * MINUTE, Fraction(10))
    assert written_rule(edge, Decimal("90.01")) == edge
    with pytest.raises(BurnError) as refused:
        written_rule(edge, Decimal(90))
    assert str(refused.value) == (
        "page at 10 times over 1 h and 5 min can never fire: at 90 % all time down burns 10 times; "
        "write a factor below 10"
    )


@pytest.mark.parametrize(
    ("rule", "target", "words"),
    [
        ((HOUR, 5 * MINUTE, Fraction(2)), "100", "a target of 100 % allows no downtime, so nothing burns"),
        ((HOUR, 5 * MINUTE, Fraction(1, 2)), "100", "a target of 100 % allows no downtime"),
        ((HOUR, 5 * MINUTE, Fraction(0)), "99.9", "a factor of 0 always fires; write e.g. 14.4"),
        ((HOUR, HOUR, Fraction(2)), "99.9", "1 h and 1 h: the first window must be the longer one"),
        ((HOUR, 0, Fraction(2)), "99.9", "1 h and 0 ms: the first window must be the longer one"),
        ((90 * MINUTE, 1500, Fraction(2000)), "99.9", "page at 2000 times over 90 min and 1500 ms can never fire"),
    ],
)
def test_a_written_rule_that_is_none_is_refused(rule: tuple[int, int, Fraction], target: str, words: str) -> None:
    with pytest.raises(BurnError, match=f"^{words}"):
        written_rule(BurnRule("page", *rule), Decimal(target))


def test_a_slow_rule_and_short_windows_are_written_rules() -> None:
    rule = BurnRule("ticket", 90 * SECOND, 1, Fraction(1, 3))
    assert written_rule(rule, TARGET) == rule
    assert str(rule) == "ticket at 0.33 times over 90 s and 1 ms"
    assert str(replace(rule, factor=Fraction("14.8813"))) == "ticket at 14.8813 times over 90 s and 1 ms"
    assert str(replace(rule, factor=Fraction("14.88125"))) == "ticket at 14.88 times over 90 s and 1 ms"


@pytest.mark.parametrize("time_class", ["up", "degraded", "down"])
def test_whatever_was_seen_first_the_watch_begins_with_it(time_class: TimeClass) -> None:
    first = (NOW - HOUR, NOW - HOUR + MINUTE, time_class)
    assert seen((0, NOW - HOUR, "unknown"), first).state != "not_covered"


def test_a_target_of_100_has_no_burn_and_any_counted_downtime_exhausts_it() -> None:
    assert burn(SECOND, HOUR, Decimal(100)) is None
    assert exhausted(budget(Decimal(100), MONTH, Fraction(1, 2)))
    assert not exhausted(budget(Decimal(100), MONTH, Fraction(0)))


@pytest.mark.parametrize(
    ("down_ms", "state"), [(51_840, "quiet"), (51_841, "firing")], ids=["at the factor", "1 ms above it"]
)
def test_a_rule_fires_above_its_factor_not_at_it(down_ms: int, state: State) -> None:
    assert seen((NOW - down_ms, NOW, "down")).state == state


def test_what_is_over_does_not_fire_any_more() -> None:
    ended = (NOW - 20 * MINUTE, NOW - 10 * MINUTE, "down")
    assert seen(ended) == Burning(PAGE, "quiet", Fraction(500, 3), Fraction(0))


def test_no_rule_looks_before_its_long_window_is_covered() -> None:
    begun = NOW - HOUR
    new = (0, begun + 1, "not_contracted")
    assert seen(new, (NOW - MINUTE, NOW, "down")).state == "not_covered"
    assert seen((0, begun, "unknown"), (NOW - MINUTE, NOW, "down")).state == "firing"
    assert seen((0, begun, "unknown"), (NOW - MINUTE, NOW, "down"), rule=SLOW_PAGE).state == "not_covered"


def test_a_window_that_nobody_watched_enough_is_not_judged() -> None:
    blind = (NOW - 10 * MINUTE, NOW - 7 * MINUTE, "unknown")
    down = (NOW - MINUTE, NOW, "down")
    assert seen(blind, down).state == "firing"  # 95 % of the hour is known: just enough
    more = (NOW - 10 * MINUTE - 1, NOW - 7 * MINUTE, "unknown")
    assert seen(more, down).state == "not_covered"
    assert seen(more, down, min_coverage=Decimal(90)).state == "firing"


def test_a_timeline_that_ends_before_the_instant_covers_no_window() -> None:
    assert look([PAGE], pieces(end=NOW - 1), NOW, UTC, TARGET)[0].state == "not_covered"
    assert look([PAGE], [], NOW, UTC, TARGET)[0].state == "not_covered"


def test_maintenance_mutes_until_its_last_millisecond() -> None:
    down = (NOW - 30 * MINUTE, NOW - 2 * MINUTE, "down")
    window = (NOW - 2 * MINUTE, NOW, "maintenance")
    assert seen(down, window).state == "muted"
    after = [*pieces(down, window), Piece(NOW, NOW + 1, "up")]
    assert look([PAGE], after, NOW + 1, UTC, TARGET)[0].state == "firing"


def test_time_to_breach_at_the_present_rate() -> None:
    left = budget(TARGET, MONTH, Fraction(1_296 * SECOND)).remaining_ms
    rate = burn(6 * MINUTE, HOUR, TARGET)
    assert rate is not None
    assert breach_after_ms(left, pace_of(rate, TARGET)) == 12_960 * SECOND  # a tenth of the time is down
    assert breach_after_ms(left, Fraction(0)) is None
    assert breach_after_ms(-1, Fraction(1)) == 0


def test_a_whole_budget_lasts_for_the_period_over_the_burn() -> None:
    allowed = budget(TARGET, MONTH, Fraction(0)).allowed_ms
    assert breach_after_ms(allowed, pace_of(Fraction(72, 5), TARGET)) == MONTH / Fraction(72, 5)


def test_the_forecast_of_the_board_is_the_same_time_to_breach() -> None:
    part = budget(TARGET, MONTH, Fraction(1_296 * SECOND))
    found = at_this_pace(part, 10 * DAY, now_ms=10 * DAY, end_ms=MONTH)
    assert found.at_ms == 10 * DAY + 10 * DAY  # half of it went in ten days


def test_the_burn_of_a_real_timeline_counts_what_the_statement_counts() -> None:
    period = Period(0, MONTH, "UTC", "")
    facts = measured(
        Outage("O-1", NOW - 30 * MINUTE, NOW - 20 * MINUTE),
        degraded=(Outage("D-1", NOW - 20 * MINUTE, NOW),),
        unknown=Spans.of([(NOW - 2 * MINUTE, NOW - MINUTE)]),
        exclusions=(Exclusion("X-1", NOW - 30 * MINUTE, NOW - 25 * MINUTE),),
    )
    agreed = contract(terms(degraded=Decimal("0.5")))
    [found] = build_statement(agreed, [facts], period, as_of_ms=NOW).services
    told = [Piece(line.from_ms, line.to_ms, line.time_class, weight=weight_of(line)) for line in found.timeline]
    counted, considered = 5 * MINUTE + 19 * MINUTE // 2, HOUR - 6 * MINUTE
    options = agreed.versions[0].options
    assert burn_over(told, (NOW - HOUR, NOW), options, TARGET) == burn(counted, considered, TARGET)
    whole = burn(Fraction(found.measure.counted), int(found.measure.base), TARGET)
    assert burn_over(told, (0, NOW), options, TARGET) == whole


def weight_of(line: Stretch) -> Fraction:
    return Fraction(line.weight or 1) if line.time_class in ("down", "degraded") else Fraction(0)
