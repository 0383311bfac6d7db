"""Printed figures: never flattering, never contradicting the verdict."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sla_builders import judged, lasting, measured, spans

from sla.figures import (
    bounds_text,
    digits_for,
    duration_clock,
    duration_text,
    exact_text,
    floored,
    percent_text,
    printed_pct,
    raised,
)


@pytest.mark.parametrize(
    ("value", "digits", "down", "up"),
    [
        ("99.89961", 3, "99.899", "99.900"),
        ("100", 3, "100.000", "100.000"),
        ("0.0001", 3, "0.000", "0.001"),
        ("7", 0, "7", "7"),
    ],
)
def test_figures_are_floored_or_raised(value: str, digits: int, down: str, up: str) -> None:
    assert (floored(Fraction(value), digits), raised(Fraction(value), digits)) == (down, up)


percents = st.fractions(0, 100, max_denominator=10**7)
targets = st.decimals(0, 100, places=4, allow_nan=False)


@given(percents, targets)
def test_what_is_met_prints_so_and_what_is_missed_does_not(share: Fraction, target: Decimal) -> None:
    text = floored(share, digits_for(target, 3))
    assert (Fraction(text) >= Fraction(target)) == (share >= Fraction(target))


@given(percents, percents, targets)
def test_a_missed_upper_bound_never_prints_as_met(a: Fraction, b: Fraction, target: Decimal) -> None:
    low, high = bounds_text(min(a, b), max(a, b), target=target, digits=3)
    assert Fraction(low) <= min(a, b)
    assert Fraction(high) >= max(a, b)
    assert (Fraction(high) >= Fraction(target)) == (max(a, b) >= Fraction(target))


def test_a_service_prints_its_figure_by_its_own_options() -> None:
    assert percent_text(judged(measured(lasting("2026-11-20 10:00", 2_602_000)))) == "99.899"
    assert percent_text(judged(measured(unknown=spans(("2026-11-01", "2026-12-01"))))) is None


def test_the_statements_availability_is_floored_for_reading() -> None:
    assert printed_pct("99.999510", target_pct="99.9995") == "99.9995"
    assert printed_pct("99.899614", target_pct="99.9") == "99.899"
    assert printed_pct("99.899614", target_pct=None, digits=4) == "99.8996"


@pytest.mark.parametrize(
    ("length_ms", "down", "up", "exact"),
    [
        (0, "0 s", "0 s", "0 s"),
        (3_444_000, "57 min 24 s", "57 min 24 s", "57 min 24 s"),
        (12_486_000, "3 h 28 min 06 s", "3 h 28 min 06 s", "3 h 28 min 06 s"),
        (7_200_000, "2 h 00 min", "2 h 00 min", "2 h 00 min"),
        (2_678_400, "44 min 38 s", "44 min 39 s", "44 min 38.4 s"),
        (999, "0 s", "1 s", "0.999 s"),
        (-10_500, "−11 s", "−10 s", "−10.5 s"),
        (-400, "−1 s", "0 s", "−0.4 s"),
        (3_600_500, "1 h 00 min", "1 h 00 min 01 s", "1 h 00 min 00.5 s"),
    ],
)
def test_durations_in_prose(length_ms: int, down: str, up: str, exact: str) -> None:
    found = [duration_text(length_ms, rounding=rounding) for rounding in ("down", "up", "exact")]  # type: ignore[arg-type]
    assert found == [down, up, exact]


def test_durations_in_columns() -> None:
    assert (duration_clock(12_486_400), duration_clock(12_486_400, rounding="up")) == ("3:28:06", "3:28:07")
    assert duration_clock(-400, rounding="up") == "0:00:00"
    assert duration_clock(-10_000) == "−0:00:10"


@pytest.mark.parametrize(("value", "text"), [("1/2", "0.5"), ("1/3", "1/3"), ("250", "250"), ("1001/8", "125.125")])
def test_exact_numbers_stay_exact(value: str, text: str) -> None:
    assert exact_text(Fraction(value)) == text
    assert Fraction(text) == Fraction(value)
