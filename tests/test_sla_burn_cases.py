"""Burn, windows and budgets of other engines and of the published formulae: the same numbers from ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sla_builders import DAY, MINUTE, SECOND

from sla.budget import allowance, budget, exhausted, used_share
from sla.burn import BurnRule, breach_after_ms, burn, burn_over, can_fire, default_rules, factor_of, look, pace_of
from sla.statement import Budget
from sla.terms import Options
from sla.timeline import Piece

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "sla_cases"
UTC = Options(timezone="UTC")


def cases(file: str, *kinds: str) -> list[Any]:
    """The cases of those kinds; none where the folder is missing, and then the test is skipped with the reason."""
    path = FOLDER / file
    found = json.loads(path.read_text())["cases"] if path.exists() else []
    params = [pytest.param(case, id=case["id"]) for case in found if case["kind"] in kinds]
    missing = pytest.mark.skip(reason="the folder of test material is not beside the repository")
    return params or [pytest.param({}, marks=missing, id="no material")]


def exact(number: Any) -> Fraction:
    """A number of the file as it was written."""
    return Fraction(str(number))


def in_ms(hours: Any) -> Fraction:
    """Hours of the file, of which 0.08333333333333333 means five minutes, in ms."""
    return round(exact(hours) * 60) * Fraction(MINUTE)


@pytest.mark.parametrize("case", cases("burn_windows.json", "burn_windows"))
def test_the_windows_and_factors_of_other_engines(case: dict[str, Any]) -> None:
    period_ms = case["input"]["slo_window_days"] * DAY
    rules = case["expected"].get("rules")
    if rules is None:  # that engine knows no window of 42 days; ours is stated for any period
        assert [rule.factor for rule in default_rules(period_ms)] == [
            Fraction("20.16"),
            Fraction("8.4"),
            Fraction("1.4"),
        ]
        return
    for rule in rules:
        long_ms, factor = in_ms(rule["long_hours"]), exact(rule["factor"])
        if "budget_percent" in rule:
            found = factor_of(exact(rule["budget_percent"]) / 100, period_ms=period_ms, long_ms=int(long_ms))
            assert round(found, 12) == round(factor, 12)
        else:
            allowed = budget(Decimal(99), period_ms, Fraction(0)).allowed_ms
            lasts = breach_after_ms(allowed, pace_of(factor, Decimal(99)))
            assert lasts == rule["exhausts_days"] * DAY


@pytest.mark.parametrize("case", cases("sre_workbook_burn.json", "burn_rule"))
def test_a_rule_of_the_published_tables(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    target, period_ms = Decimal(str(given["target_percent"])), given["window_days"] * DAY
    long_ms, short_ms = int(in_ms(given["long_hours"])), int(in_ms(given["short_hours"][0]))
    factor = factor_of(exact(given["budget_percent"]) / 100, period_ms=period_ms, long_ms=long_ms)
    assert factor == exact(expected["factor"])
    threshold = pace_of(factor, target)
    assert threshold == exact(expected["error_ratio_threshold"])
    assert can_fire(BurnRule("page", long_ms, short_ms, factor), target) == expected["can_fire"]
    for name, window_ms in (("long", long_ms), ("short", short_ms)):
        seconds = expected[f"full_outage_seconds_to_fire_{name}"]
        if seconds is None:
            assert threshold >= 1
        else:
            assert burn(exact(seconds) * SECOND, window_ms, target) == factor
    taken = threshold * long_ms / allowance(target, period_ms)
    assert taken * 100 == exact(expected["budget_consumed_percent_at_fire"])


@pytest.mark.parametrize("case", cases("sre_workbook_burn.json", "burn_rate"))
def test_a_burn_rate(case: dict[str, Any]) -> None:
    given = case["input"]
    found = burn(exact(given["bad_seconds"]), given["window_seconds"], Decimal(str(given["target_percent"])))
    assert found is not None
    assert round(found, 6) == exact(case["expected"]["burn_rate"])


@pytest.mark.parametrize("case", cases("sre_workbook_burn.json", "detection_time"))
def test_how_long_an_outage_lasts_until_a_window_burns_at_the_factor(case: dict[str, Any]) -> None:
    given = case["input"]
    down = exact(case["expected"]["seconds"]) * exact(given["error_percent"]) / 100
    assert burn(down, given["window_seconds"], Decimal(str(given["target_percent"]))) == exact(given["factor"])


@pytest.mark.parametrize("case", cases("sre_workbook_burn.json", "error_budget"))
def test_an_error_budget(case: dict[str, Any]) -> None:
    allowed = allowance(Decimal(str(case["input"]["target_percent"])), case["input"]["days"] * DAY)
    assert allowed == exact(case["expected"]["budget_seconds"]) * SECOND


def instants(edges: list[int | None], horizon: int) -> Iterator[int]:
    """Every quarter of a minute, and the seconds around what is expected."""
    near = (second for edge in edges if edge is not None for second in range(edge - 3, edge + 4))
    return chain(range(1, horizon, 15), near)


@pytest.mark.parametrize("case", cases("sre_workbook_burn.json", "burn_timeline"))
def test_when_rules_fire_first_and_last(case: dict[str, Any]) -> None:
    given, target = case["input"], Decimal(str(case["input"]["target_percent"]))
    pieces, at = [], -4 * DAY  # full history, all up
    for start, end in given["outages_seconds"]:
        pieces += [Piece(at, start * SECOND, "up"), Piece(start * SECOND, end * SECOND, "down", weight=Fraction(1))]
        at = end * SECOND
    pieces.append(Piece(at, given["horizon_seconds"] * SECOND, "up"))
    for written, expected in zip(given["rules"], case["expected"]["rules"], strict=True):
        rule = BurnRule(
            "page", written["long_seconds"] * SECOND, written["short_seconds"] * SECOND, exact(written["factor"])
        )
        edges = [expected["first_firing_at"], expected["last_firing_at"]]
        firing = [
            second
            for second in instants(edges, given["horizon_seconds"])
            if look([rule], pieces, second * SECOND, UTC, target)[0].state == "firing"
        ]
        assert (min(firing, default=None), max(firing, default=None)) == tuple(edges)


@pytest.mark.parametrize("case", cases("slo_generator_report.json", "event_ratio"))
def test_a_report_of_good_and_bad_events(case: dict[str, Any]) -> None:
    """Events as milliseconds. A least number of events is theirs alone: ours asks for coverage instead."""
    given = case["input"]
    expected = case["expected"] | (case.get("derived_by_us") or {})
    counts = [given.get(name) for name in ("good", "bad")]
    good, bad = (max(0, count) if isinstance(count, int) else 0 for count in counts)
    if given.get("sli") is not None:
        good, bad = exact(given["sli"]) * 1000, (1 - exact(given["sli"])) * 1000
    target = Decimal(str(given["goal"])) * 100
    total = int(good + bad)
    found = burn(bad, total, target)
    if not expected.get("valid", True):
        assert (found is None) == (total == 0)
        assert total < given["min_valid_events"]
        return
    assert found is not None
    window_min = Fraction(given["window_seconds"], 60)
    sli = Fraction(good) / total
    minutes = {
        "sli": round(sli, 6),
        "gap": sli - exact(given["goal"]),
        "burn_rate": round(found, 1),
        "error_minutes": (1 - sli) * window_min,
        "error_budget_minutes": allowance(target, given["window_seconds"]) / 60,
        "error_budget_remaining_minutes": allowance(target, given["window_seconds"]) / 60 - (1 - sli) * window_min,
        "alert": found > given.get("burn_rate_threshold", found),
    }
    assert {name: minutes[name] for name in expected if name in minutes} == {
        name: value if isinstance(value, bool) else exact(value) for name, value in expected.items() if name in minutes
    }


@pytest.mark.parametrize("case", cases("shimesaba_slices.json", "budget_rate"))
def test_the_share_of_a_budget_that_is_used(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    allowed, left = given["budget_minutes"], given["remaining_minutes"]
    part = Budget(allowed, allowed - left, left)
    assert used_share(part) == exact(expected["usage_rate"])
    assert exhausted(part) == (left < 0)
    assert Fraction(given["newly_consumed_minutes"], allowed) == exact(expected["consumption_rate"])


@pytest.mark.parametrize("case", cases("shimesaba_slices.json", "minute_slices"))
def test_a_budget_of_minutes(case: dict[str, Any]) -> None:
    expected = case["expected"]
    minutes = expected["up_minutes"] + expected["failure_minutes"]
    part = budget(Decimal(95), minutes * MINUTE, Fraction(expected["failure_minutes"] * MINUTE))
    if "budget_minutes" in expected:
        assert part.allowed_ms == expected["budget_minutes"] * MINUTE
        assert part.remaining_ms == expected["budget_remaining_minutes"] * MINUTE
    down = Piece(0, expected["failure_minutes"] * MINUTE, "down", weight=Fraction(1))
    line = [down, Piece(down.to_ms, minutes * MINUTE, "up")]
    burned = burn_over(line, (0, minutes * MINUTE), UTC, Decimal(95))
    assert burned == Fraction(expected["failure_minutes"], minutes) * 20
