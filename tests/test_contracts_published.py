"""Published contracts in our language (tests/contracts), each with its worked examples, computed as `nines calc` does.

The figures are those of two other evaluators. Base and counted downtime are in seconds, buckets or user-seconds,
availability is rounded half up at nine digits; all of them, the credit and met or not are compared exactly.
"""

import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from config.calc import parse_calc
from config.yaml_source import parse
from sla.build import build_statement
from sla.canonical import as_json

PUBLISHED = sorted((Path(__file__).parent / "contracts").glob("*.yaml"))
NINE_DIGITS = Decimal("0.000000001")


def contract_and_examples(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    source = parse(path.read_text(encoding="utf-8"), path.name)
    assert source.problems == []
    return source.value["contract"], source.value["examples"]


def computed(contract: str, example: dict[str, Any]) -> dict[str, Any]:
    """The statement's JSON of one example."""
    facts = {key: value for key, value in example.items() if key not in ("name", "expected")}
    given = parse_calc(json.dumps(facts), "facts.yaml", contract_text=contract, contract_name="contract.yaml")
    statement = build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms)
    found: dict[str, Any] = as_json(statement)
    return found


def told(statement: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Of the statement what the example states, in its units."""
    (service,) = statement["services"]
    measure, credit = service["measure"], service["credit"]
    base, counted = Fraction(measure["base"]), Fraction(measure["counted"])
    scale = 1000 if measure["unit"].endswith("ms") else 1
    share = (1 - counted / base) * 100 if base else Fraction(0)
    found = {
        "base": base / scale,
        "counted": counted / scale,
        "availability": (Decimal(share.numerator) / share.denominator).quantize(NINE_DIGITS, ROUND_HALF_UP),
        "credit": credit["amount"],
        "service_days": credit["service_days"],
        "met": {"MET": "true", "NOT_MET": "false"}.get(service["verdict"]),
    }
    assert credit["determined"] is True
    return {key: found[key] for key in expected}


def stated(expected: dict[str, str]) -> dict[str, Any]:
    readers: dict[str, Any] = {"base": Fraction, "counted": Fraction, "availability": Decimal}
    return {key: readers.get(key, str)(value) for key, value in expected.items()}


def agree(path: Path) -> None:
    """Every example of the contract comes to what it states."""
    terms, examples = contract_and_examples(path)
    entry = {"client": "client", "service": "service", "from": "2026-01-01", **terms}
    contract = json.dumps({"contracts": {path.stem: entry}})
    found = {example["name"]: told(computed(contract, example), example["expected"]) for example in examples}
    assert found == {example["name"]: stated(example["expected"]) for example in examples}


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_published_contract_pays_what_two_other_evaluators_computed(path: Path) -> None:
    agree(path)


def test_every_worked_example_is_here() -> None:
    assert sum(len(contract_and_examples(path)[1]) for path in PUBLISHED) == 428
