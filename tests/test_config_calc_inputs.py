"""`inputs` and `series` of `nines calc`: measures that are not time, and what a contract needs that nobody entered."""

from __future__ import annotations

from fractions import Fraction

import pytest

from config.calc import parse_calc
from config.load import ConfigError
from sla.build import build_statement
from sla.statement import ServiceStatement

CONTRACT = """
acme-api:
  client: acme
  service: api
  from: 2026-01-01
  currency: EUR
  target: 99.9
  fee: 2500.00
  credits: {< 99.9: 10 %}
"""


def calculated(facts: str, more: str = "") -> ServiceStatement:
    given = parse_calc(f"period: 2026-11\n{facts}", "facts.yaml", contract_text=CONTRACT + more, contract_name="c.yaml")
    return build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms).services[0]


def refusal(facts: str, more: str = "") -> list[str]:
    with pytest.raises(ConfigError) as refused:
        calculated(facts, more)
    return str(refused.value).splitlines()


def test_requests_are_the_average_of_the_error_rates_of_every_bucket() -> None:
    found = calculated(
        "series: {requests: {bucket: 1 h, buckets: [{count: 2, requests: 3, errors: 1}, {requests: 0, errors: 0}]}}\n",
        "  measure: {by: requests}\n",
    )
    assert (found.measure.by, found.measure.unit, found.measure.base, found.measure.counted) == (
        "requests",
        "buckets",
        "720",
        "2/3",
    )
    assert (found.verdict, found.considered_ms, found.budget, found.coverage_pct) == ("MET", None, None, "100.000")


def test_a_bucket_in_excluded_time_leaves_the_average() -> None:
    found = calculated(
        "exclusions: [{start: 2026-11-10T00:00:00Z, end: 2026-11-10T02:00:00Z}]\n"
        "series: {requests: {bucket: 1 h, buckets: [{at: 2026-11-10T01:00:00Z, requests: 10, errors: 10},"
        " {at: 2026-11-10T02:00:00Z, requests: 10, errors: 5}]}}\n",
        "  measure: {by: requests}\n",
    )
    assert (found.measure.base, found.measure.counted, found.verdict) == ("718", "0.5", "MET")
    assert found.exclusions[0].without_pct is None


def test_users_weigh_each_outage() -> None:
    found = calculated(
        "down: [{start: 2026-11-10T00:00:00Z, end: 2026-11-10T01:00:00Z, affected: 25},"
        " {start: 2026-11-11T00:00:00Z, end: 2026-11-11T01:00:00Z}]\n"
        "inputs: {users: 100}\n",
        "  measure: {by: users}\n",
    )
    assert Fraction(found.measure.base) == 100 * 720 * 3_600_000
    assert Fraction(found.measure.counted) == 125 * 3_600_000


@pytest.mark.parametrize(("entered", "verdict"), [("99.9", "MET"), ("99.89", "NOT_MET")])
def test_an_entered_value_is_what_is_judged(entered: str, verdict: str) -> None:
    found = calculated(f"inputs: {{values: {{uptime: {entered}}}}}\n", "  measure: {by: value uptime}\n")
    assert (found.verdict, found.measure.by, found.measure.base) == (verdict, "value", "100")


def test_a_series_stands_for_its_average() -> None:
    found = calculated("series: {uptime: [99.8, 100]}\n", "  measure: {by: value uptime}\n")
    assert (found.verdict, found.measure.counted) == ("MET", "0.1")


def test_the_fee_of_the_period_may_be_the_greater_of_two() -> None:
    contract = CONTRACT.replace("fee: 2500.00", "fee: {amount: 2500.00, by: greater}")
    down = "down: [{start: 2026-11-10T00:00:00Z, end: 2026-11-10T01:00:00Z}]\n"
    for entered, amount in (("3000.00", "300.00"), ("2000.00", "250.00")):
        facts = f"period: 2026-11\n{down}inputs: {{fee: {entered}}}\n"
        given = parse_calc(facts, "facts.yaml", contract_text=contract)
        (found,) = build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms).services
        assert found.credit is not None
        assert found.credit.amount == amount


def test_an_annual_fee_is_a_twelfth_each_month() -> None:
    down = "down: [{start: 2026-11-10T00:00:00Z, end: 2026-11-10T01:00:00Z}]\n"
    contract = CONTRACT.replace("fee: 2500.00", "fee: {amount: 1000.00, per: year}")
    given = parse_calc(f"period: 2026-11\n{down}", "facts.yaml", contract_text=contract)
    (found,) = build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms).services
    assert found.credit is not None
    assert (found.credit.fee, found.credit.amount) == ("83.33", "8.33")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("  measure: {by: users}\n", "inputs: users is missing, and the contract needs it; write inputs: {users: 100}"),
        (
            "  measure: {by: requests}\n",
            "series: requests is missing, and the contract needs it; "
            "write series: {requests: {bucket: 5 min, buckets: [{requests: 1000, errors: 3}]}}",
        ),
        (
            "  measure: {by: value uptime}\n",
            "inputs: values.uptime is missing, and the contract needs it; write inputs: {values: {uptime: 12.5}}",
        ),
        (
            "  cap: remaining pot\n",
            "inputs: remaining.pot is missing, and the contract needs it; write inputs: {remaining: {pot: 5.00}}",
        ),
    ],
)
def test_what_the_contract_needs_and_nobody_entered_is_named(more: str, message: str) -> None:
    assert refusal("down: []\n", more) == [f"facts.yaml:1 {message}"]


def test_every_wrong_input_is_named_with_its_line() -> None:
    assert refusal(
        "inputs:\n  users: 0\n  history: [maybe]\n  fee: 5 USD\n  tickets: [{id: T-1}]\n  rate: 5\n"
        "series:\n  requests: {bucket: 5 min, buckets: [{requests: 1, errors: 2}]}\n  jitter: []\n"
    ) == [
        "facts.yaml:3 inputs.users: 0 is not above zero; write e.g. 20",
        "facts.yaml:4 inputs.history[0]: 'maybe' is no period before; write its availability (99.95), met or missed",
        "facts.yaml:5 inputs.fee: '5 USD' is not in the fee's currency; write it in EUR",
        "facts.yaml:6 inputs.tickets[0]: is no ticket; write e.g. {id: T-1, took: 5 h}",
        "facts.yaml:7 inputs.rate: unknown key; known here: annual_fee, credited, fee, history, hourly_rate, quantity, "
        "remaining, tickets, users, values",
        "facts.yaml:9 series.requests.buckets[0]: has more errors (2) than requests (1); "
        "write errors of them, e.g. 3 of 1000",
        "facts.yaml:10 series.jitter: is no list of values; write e.g. jitter: [12.5, 13.1]",
    ]


def test_more_buckets_than_the_period_has_are_refused() -> None:
    facts = "series: {requests: {bucket: 1 h, buckets: [{count: 721, requests: 1, errors: 1}]}}\n"
    assert refusal(facts, "  measure: {by: requests}\n") == [
        "facts.yaml:2 series.requests.buckets: has 721 buckets, but the period only 720; write each once"
    ]


def test_a_ticket_is_named_by_plain_text() -> None:
    assert refusal("inputs: {tickets: [{id: [T-1], took: 5 h}]}\n") == [
        "facts.yaml:2 inputs.tickets[0]: is a list; write one plain value"
    ]


def test_a_term_of_the_contract_among_the_facts_is_sent_to_its_file() -> None:
    assert refusal("cap: 50 %\n") == [
        "facts.yaml:2 cap: is a term of the contract; write that in a file of its own, named with --contract"
    ]
