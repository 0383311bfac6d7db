"""Published contracts whose terms are tiers on plain time: two other evaluators' figures, to the cent.

The rest of that collection needs rule kinds and measures that are not written yet.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sla_builders import contract, judged, measured, terms

from sla.facts import Exclusion, Outage
from sla.money import Money
from sla.period import Period
from sla.rules import Edge, Percent, Tier, Tiers

FILE = Path(__file__).parents[2] / "shared" / "data" / "contracts.json"
PLAIN = ["aws-arc-cluster", "fastly-network", "pagerduty", "twilio-services-api"]


def examples() -> list[Any]:
    if not FILE.exists():
        return []
    published = {found["id"]: found for found in json.loads(FILE.read_text())["contracts"]}
    return [
        pytest.param(published[id], example, id=f"{id}: {example['name']}")
        for id in PLAIN
        for example in published[id]["examples"]
    ]


pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the folder of test material is not beside the repository")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def rows(published: dict[str, Any]) -> tuple[Tier, ...]:
    (rule,) = published["rules"]
    found = []
    for row in rule["rows"]:
        comparison = "<" if "lt" in row["when"] else "<="
        value = row["when"].get("lt") or row["when"]["lte"]
        assert row["credit"]["unit"] == "pct_fee"
        found.append(Tier(Edge(comparison, Decimal(value)), Percent(Decimal(row["credit"]["value"]))))
    return tuple(found)


@pytest.mark.parametrize(("published", "example"), examples())
def test_a_published_contract_pays_what_two_other_evaluators_computed(
    published: dict[str, Any], example: dict[str, Any]
) -> None:
    given, expected = example["inputs"], example["expected"]
    facts = measured(
        *(Outage(None, ms(each["start"]), ms(each["end"])) for each in given.get("outages", ())),
        exclusions=tuple(Exclusion(None, ms(e["start"]), ms(e["end"])) for e in given.get("exclusions", ())),
    )
    period = Period(ms(example["period"]["start"]), ms(example["period"]["end"]), "UTC", "")
    effect = "exclude" if published["availability"]["excluded_time"] == "shrink_base" else "count_up"
    promised = terms(published["target"], fee=f"{example['fee']} EUR", exclusions=effect, start=period.from_ms)
    least = published.get("min_payable")
    minimum = (">", Money(int(Decimal(least["amount"]) * 100), "EUR")) if least else None
    agreed = contract(replace(promised, credits=(Tiers(rows(published)),), minimum=minimum))
    found = judged(facts, period, agreed)
    assert Fraction(found.measure.base) == 1000 * Fraction(expected["period_base"])
    assert Fraction(found.measure.counted) == 1000 * Fraction(expected["counted_downtime"])
    assert (found.verdict == "MET") == expected["target_met"]
    assert found.credit is not None
    assert found.credit.amount == expected["credit_amount"]
