"""`nines calc`'s facts: read from YAML or JSON, refused by line, and right for the neutral cases of other engines."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from config.calc import parse_calc
from config.load import ConfigError
from sla.build import build_statement
from sla.statement import ServiceStatement

CASES = Path(__file__).parents[2] / "shared" / "data" / "sla_cases" / "normalized_core.json"
CONTRACT = (
    "acme-api: {client: acme, service: api, from: 2026-01-01, target: 99.9, fee: 2500.00 EUR, credits: {< 99.9: 10 %}}"
)
TERMS = "target: 99.9\nfee: 2500.00 EUR\ncredits: {< 99.9: 10 %, < 99.0: 25 %, < 95.0: 50 %}\n"
HOUR = "{start: 2026-10-05T10:00:00Z, end: 2026-10-05T11:00:00Z}"


def calculated(text: str, contract: str | None = None) -> ServiceStatement:
    given = parse_calc(text, "facts.yaml", contract_text=contract, contract_name="terms.yaml")
    return build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms).services[0]


def refusal(text: str, contract: str | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_calc(text, "facts.yaml", contract_text=contract, contract_name="terms.yaml")
    return str(refused.value)


def test_facts_and_terms_in_one_file() -> None:
    found = calculated(f"period: 2026-10\nzone: Europe/Berlin\n{TERMS}down: [{HOUR}]\n")
    assert (found.verdict, found.considered_ms) == ("NOT_MET", 745 * 3_600_000)
    assert found.credit is not None
    assert found.credit.amount == "250.00"


def test_the_same_in_json_with_integers_for_instants() -> None:
    start = 1_791_194_400_000
    facts = {"period": "2026-10", "target": 99.9, "down": [{"start": start, "end": start + 3_600_000}]}
    assert calculated(json.dumps(facts)).split_ms["down"] == 3_600_000


def test_without_a_target_there_is_no_verdict() -> None:
    assert calculated("period: 2026-10\n").verdict == "NO_TARGET"


def test_times_without_an_offset_are_local() -> None:
    facts = "period: 2026-10\nzone: Europe/Berlin\ndown: [{start: 2026-10-25 01:00, end: 2026-10-25 04:00}]\n"
    assert calculated(facts).split_ms["down"] == 4 * 3_600_000


def test_every_class_of_time_can_be_given() -> None:
    hours = [f"{{start: 2026-10-0{day}T10:00:00Z, end: 2026-10-0{day}T11:00:00Z}}" for day in range(1, 8)]
    names = ("down", "degraded", "maintenance", "unknown", "outside_service_hours", "exclusions")
    facts = "period: 2026-10\n" + "".join(f"{name}: [{hour}]\n" for name, hour in zip(names, hours, strict=False))
    split = calculated(
        facts + "outages: [{id: O-1, start: 2026-10-09T00:00:00Z, end: 2026-10-09T01:00:00Z}]\n"
    ).split_ms
    assert [split[name] for name in ("degraded", "maintenance", "unknown", "outside_service_hours", "excluded")] == [
        3_600_000
    ] * 5
    assert split["down"] == 7_200_000


def test_a_weight_acts_on_what_is_counted() -> None:
    found = calculated(
        f"period: 2026-10\n{TERMS}down: [{{start: 2026-10-05T10:00:00Z, end: 2026-10-05T11:00:00Z, weight: 0.5}}]\n"
    )
    assert found.split_ms["down"] == 3_600_000
    assert Fraction(found.measure.counted) == 1_800_000


@pytest.mark.parametrize("key", ["options", "policy"])
def test_case_39_unknown_down_is_an_option(key: str) -> None:
    facts = (
        "period: 2026-11\ntarget: 99.9\n"
        "down: [{start: 2026-11-20T00:00:00Z, end: 2026-11-20T00:30:00Z}]\n"
        "unknown: [{start: 2026-11-10T00:00:00Z, end: 2026-11-10T05:00:00Z}]\n"
    )
    assert calculated(facts).verdict == "UNDETERMINED"
    found = calculated(facts + f"{key}: {{unknown: down}}\n")
    assert (found.verdict, (found.availability_pct or "")[:6]) == ("NOT_MET", "99.236")


@pytest.mark.parametrize(
    "contract",
    [
        CONTRACT,
        f"contracts:\n  {CONTRACT}\n",
        f"version: 1\ntimezone: UTC\nclients: {{acme: {{name: Acme}}}}\ncontracts:\n  {CONTRACT}\n",
        "clients: {acme: {currency: EUR}}\nplans: {gold: {target: 99.9, credits: {< 99.9: 10 %}}}\n"
        "contracts: {acme-api: {client: acme, service: api, from: 2026-01-01, plan: gold, fee: 2500.00}}\n",
    ],
)
def test_terms_come_from_a_contracts_file(contract: str) -> None:
    found = calculated(f"period: 2026-10\ndown: [{HOUR}]\n", contract)
    assert found.credit is not None
    assert found.credit.amount == "250.00"


def test_every_mistake_is_named_with_its_line() -> None:
    assert refusal(
        "period: 2026-13\ndwon: []\ndown: [{start: yesterday, end: 3}, 5]\noptions: {unknown: maybe, bucket: 5}\n"
        "target: 101\nseries: [1]\n"
    ).splitlines() == [
        "facts.yaml:1 period: '2026-13' is not a period (month must be in 1..12); "
        "write e.g. 2026-10, 2026-Q4, 2026-W07, 2026 or 2026-10-01/2026-10-15 (end exclusive)",
        "facts.yaml:2 dwon: unknown key; did you mean down?",
        "facts.yaml:3 down[0]: start 'yesterday' is no instant; write e.g. start: 2026-10-05T10:00:00Z",
        "facts.yaml:3 down[1]: is no span; write {start: 2026-10-05T10:00:00Z, end: 2026-10-05T10:40:00Z}",
        "facts.yaml:4 options.bucket: 5 has no unit; write e.g. 5 s, 5 min or 2 h",
        "facts.yaml:4 options.unknown: 'maybe' is not known here; write exclude, up or down",
        "facts.yaml:5 target: 101 is above 100 %; write e.g. 99.9",
        "facts.yaml:6 series: is no mapping; write `key: value` lines below series:",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "facts.yaml:1: is no mapping; write e.g. period: 2026-10"),
        ("down: []", "facts.yaml:1 period: is missing; write e.g. period: 2026-10"),
        ("period: 2026-10\nzone: Mars", "facts.yaml:2 zone: 'Mars' is no time zone"),
        ("period: {start: 5, end: 3}", "facts.yaml:1 period: ends at 3, before it starts at 5; swap them"),
        ("period: 2026-10\ndown: {}", "facts.yaml:2 down: is no list; write [{start: ..., end: ...}]"),
        ("period: 2026-10\nexpected: {}", "facts.yaml:2 expected: unknown key"),
        ("period: 2026-10\ndown: [{start: 1, end: 2, weight: 2}]", "down[0].weight: 2 is not between 0 and 1"),
        ("period: 2026-10\ndown: [{start: 1, end: 2, weight: 0.33333}]", "weight: 0.33333 has more than four decimals"),
        ("period: 2026-10\ndown: [{start: .nan, end: 2}]", "facts.yaml:2 down[0]: start '.nan' is no instant"),
        ("period: 2026-10\ndown: [{start: 1.5e3, end: 2}]", "facts.yaml:2 down[0]: start '1.5e3' is no instant"),
        ("period: 2026-10\ndown: [{start: 1790000000000.5, end: 2}]", "start '1790000000000.5' is no instant"),
        ("period: 2026-10\ndown: [{start: 20000-01-01T00:00:00Z, end: 2}]", "'20000-01-01T00:00:00Z' is no instant"),
        ("period: 2026-10\ndown: [{start: 1, end: 568971820800000}]", "end 568971820800000 is no instant of the years"),
        (
            "period: 2026-10\ndown: [{start: 2026-10-05T10:00:00.0001Z, end: 2026-10-05T11:00:00Z}]",
            "'2026-10-05T10:00:00.0001Z' is finer than a millisecond; write at most three decimals of a second",
        ),
        (
            "period: 2026-10\nzone: Europe/Berlin\ndown: [{start: 2026-10-25T02:30:00, end: 2026-10-25T04:00:00}]",
            "start '2026-10-25T02:30:00' is shown twice by clocks in Europe/Berlin; write it with its offset",
        ),
        (
            "period: 2026-03\nzone: Europe/Berlin\ndown: [{start: 2026-03-29T02:30:00, end: 2026-03-29T04:00:00}]",
            "start '2026-03-29T02:30:00' is shown never by clocks in Europe/Berlin; write it with its offset",
        ),
        ("period: 2026-10\ndown: [{start: 1, end: 2}, {start: 3, e", "facts.yaml:3: broken YAML"),
        ("period: 2026-10\ntarget: 99.9\nfee: 5\ncredits: {< 99: 10 %}", "fee: '5' names no currency"),
        ("period: 2026-10\ntarget: 99.9\nfee: 5 EUR\ncredits: {< 99: 10 %}", "credits: leaves 99 % and above"),
    ],
)
def test_a_mistake_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize(
    "rows",
    [
        f"{HOUR}, {HOUR}",
        "{start: 2026-10-05T10:00:00Z, end: 2026-10-05T10:40:00Z}, "
        "{start: 2026-10-05T10:20:00Z, end: 2026-10-05T11:00:00Z}",
        f"{HOUR}, {{start: 2026-10-07T10:00:00Z, end: 2026-10-07T12:00:00+02:00}}",
        "{start: 2026-10-05T10:00:00.000000Z, end: 2026-10-05T11:00:00.000Z}",
        "{start: 2026-10-05T10:00:00, end: 2026-10-05T11:00:00}",
    ],
    ids=[
        "a row twice",
        "overlapping rows",
        "a row without length",
        "zeros below the millisecond",
        "clocks of the zone",
    ],
)
def test_rows_are_a_union_of_time(rows: str) -> None:
    assert calculated(f"period: 2026-10\ndown: [{rows}]\n").split_ms["down"] == 3_600_000


def test_a_contracts_file_must_hold_exactly_one_and_stand_alone() -> None:
    two = CONTRACT + "\n" + CONTRACT.replace("acme-api", "other")
    assert refusal("period: 2026-10\n", two) == (
        "terms.yaml:1: is not exactly one contract; write its terms below one id, e.g. "
        "acme-api: {client: acme, target: 99.9, credits: {< 99.9: 10 %}}"
    )
    assert "facts.yaml:2 target: stands beside --contract" in refusal("period: 2026-10\ntarget: 99\n", CONTRACT)
    assert "terms.yaml:1 acme-api.target: 101 is above 100 %" in refusal(
        "period: 2026-10\n", CONTRACT.replace("target: 99.9", "target: 101")
    )


@pytest.mark.skipif(not CASES.exists(), reason="the cases of other engines are not in this checkout")
def test_the_neutral_cases_of_other_engines_agree() -> None:
    for case in json.loads(CASES.read_text())["cases"]:
        found, expected = calculated(json.dumps(case)), case["expected"]
        assert found.considered_ms == expected["considered_seconds"] * 1000, case["id"]
        if expected["percent_fraction"] is None:
            assert found.availability_pct is None, case["id"]
        else:
            exact = 1 - Fraction(found.measure.counted) / Fraction(found.measure.base)
            assert exact * 100 == Fraction(expected["percent_fraction"]), case["id"]
