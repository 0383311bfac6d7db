"""Other engines' own calculation suites, brought into one shape: our engine gives the same seconds and fraction."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sla_builders import contract, judged, measured, terms

from sla.facts import Outage, Window
from sla.period import Period
from sla.spans import Spans

FILE = Path(__file__).parents[2] / "shared" / "data" / "sla_cases" / "normalized_core.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"] if FILE.exists() else []

pytestmark = pytest.mark.skipif(not CASES, reason="the folder of test material is not beside the repository")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def pairs(case: dict[str, Any], name: str) -> list[tuple[int, int]]:
    return [(ms(each["start"]), ms(each["end"])) for each in case[name]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_same_seconds_as_other_engines(case: dict[str, Any]) -> None:
    facts = measured(
        *(Outage(None, *span) for span in pairs(case, "down")),
        unknown=Spans.of(pairs(case, "unknown")),
        windows=tuple(Window(None, *span, None) for span in pairs(case, "maintenance")),
    )
    facts = replace(facts, outside_hours=Spans.of(pairs(case, "outside_service_hours")))
    period = Period(ms(case["period"]["start"]), ms(case["period"]["end"]), "UTC", "")
    agreed = contract(terms(None, start=period.from_ms, **case["policy"]))
    found, expected = judged(facts, period, agreed), case["expected"]
    assert Fraction(found.measure.base) == 1000 * Fraction(str(expected["considered_seconds"]))
    assert Fraction(found.measure.counted) == 1000 * Fraction(str(expected["down_seconds"]))
    if expected["percent"] is None:
        assert (found.availability_pct, found.verdict) == (None, "NO_DATA")
    else:
        share = 1 - Fraction(found.measure.counted) / Fraction(found.measure.base)
        assert share * 100 == Fraction(expected["percent_fraction"])
