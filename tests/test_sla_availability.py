"""Tallies add up, and the coverage that a contract asks for is compared exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from sla_builders import DAY, contract, judged, measured, ms, terms

from sla.availability import Measured, judge_target, tally
from sla.spans import Spans
from sla.terms import Options
from sla.timeline import Piece

PIECES = (
    Piece(0, 5, "down", weight=Fraction(1, 2)),
    Piece(5, 8, "unknown", spared=True),
    Piece(8, 10, "unknown"),
    Piece(10, 30, "up"),
)


def test_tallies_of_disjoint_stretches_add_and_come_apart_again() -> None:
    whole = tally(PIECES)
    assert (whole.counted, whole.spared, whole.split["unknown"]) == (Fraction(5, 2), 3, 5)
    first, rest = tally(PIECES[:2]), tally(PIECES[2:])
    assert first + rest == whole
    assert whole - first == rest
    assert whole - rest == first


@pytest.mark.parametrize(("unknown_ms", "verdict"), [(36 * 60 * 60_000, "MET"), (36 * 60 * 60_000 + 1, "UNDETERMINED")])
def test_exactly_the_coverage_that_is_asked_for_is_enough(unknown_ms: int, verdict: str) -> None:
    start = ms("2026-11-01 00:00")
    facts = measured(unknown=Spans.of([(start + DAY, start + DAY + unknown_ms)]))  # 5 % of 30 days
    found = judged(facts, agreed=contract(terms("90", min_coverage=Decimal(95))))
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("unknown_ms", "verdict"), [(2_592_000, ("MET", None)), (2_592_001, ("UNDETERMINED", "bounds"))]
)
def test_in_a_running_period_the_bounds_are_held_against_the_whole_budget(
    unknown_ms: int, verdict: tuple[str, str | None]
) -> None:
    start = ms("2026-11-01 00:00")
    facts = measured(unknown=Spans.of([(start, start + unknown_ms)]))
    found = judged(facts, agreed=contract(terms("99.9", min_coverage=Decimal(0))), as_of="2026-11-01 01:00")
    assert (found.verdict, found.reason) == verdict


@pytest.mark.parametrize(("base_ms", "verdict"), [(999, "NOT_MET"), (1_000, "MET")])
def test_of_a_period_that_is_over_no_time_lies_ahead(base_ms: int, verdict: str) -> None:
    down = Fraction(1)
    over = Measured(base_ms, base_ms, down, base_ms, down, down, unknown_ms=0, watched_ms=base_ms, blind_ms=0)
    assert judge_target(over, Decimal("99.9"), Options("UTC")).verdict == verdict
