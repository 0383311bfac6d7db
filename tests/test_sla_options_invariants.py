"""Whatever the options, services and instants of asking: classes sum, bounds hold the figure, nothing counts twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from sla_builders import HOUR, MINUTE
from test_sla_oracle import PERIOD, scene

from sla.build import build_statement
from sla.canonical import as_json, from_json
from sla.explain import explain
from sla.statement import Statement
from sla.terms import Comparing, Contract, Edge, Least, Options

HOURS = ((8 * 60, 18 * 60),)


def varied(draw: Random, options: Options) -> Options:
    """The options of the scene, with those that look at whole outages."""
    bucket = draw.choice((None, 30 * MINUTE, HOUR, 2 * HOUR))
    return replace(
        options,
        outage_start=draw.choice(("first_failure", "last_success", "midpoint", "confirmation")),
        merge_gap_ms=draw.choice((0, HOUR, 2 * HOUR)),
        min_outage=draw.choice((None, Least(">=", 2 * HOUR), Least(">", 2 * HOUR))),
        min_outage_before_exclusions=draw.random() < 0.3,
        bucket_ms=bucket,
        bad=draw.choice((Edge(">=", Decimal(100)), Edge(">", Decimal(40)))) if bucket else Edge(">=", Decimal(100)),
        min_run=draw.choice((1, 2, 4)) if bucket else 1,
        quorum_of=draw.choice(("all", "voting")),
        compare=draw.choice((None, None, Comparing(0), Comparing(1, "down"))),
        base_ms=draw.choice((None, None, 72 * HOUR, 80 * HOUR)),
    )


def made(seed: int) -> tuple[Contract, Statement]:
    drawn, draw = scene(seed), Random(seed)
    terms = replace(drawn.terms, options=varied(draw, drawn.options))
    versions = (terms,)
    if draw.random() < 0.4:
        options = varied(draw, drawn.options)
        versions = (terms, replace(terms, from_ms=PERIOD.from_ms + 24 * HOUR, options=options))
    contract = replace(drawn.contract, versions=versions)
    return contract, build_statement(contract, [drawn.facts], PERIOD, as_of_ms=drawn.as_of_ms)


@pytest.mark.parametrize("seed", range(120))
def test_a_statement_holds_together_under_any_options(seed: int) -> None:
    contract, statement = made(seed)
    (found,) = statement.services
    lines = found.timeline
    assert all(a.to_ms == b.from_ms for a, b in pairwise(lines))
    assert sum(found.split_ms.values()) == (lines[-1].to_ms - lines[0].from_ms if lines else 0)
    if all(part.options["unknown"] != "down" for part in found.parts):  # that is down without an outage behind it
        assert sum(each.counted_ms for each in found.outages) >= Fraction(found.measure.counted)
    assert from_json(as_json(statement)) == statement
    assert explain(statement)
    if found.bounds_pct is not None and contract.versions[0].options.base_ms is None and len(found.parts) == 1:
        low, high = map(Fraction, found.bounds_pct)
        assert low <= Fraction(found.availability_pct or 0) <= high
