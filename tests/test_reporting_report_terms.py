"""The report and `explain` under less usual terms: what is printed adds up by hand and names its rule."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from config.calc import parse_calc
from reporting.credits import as_csv, credit_rows, table_rows
from reporting.explain import explain_lines
from reporting.report import consequences, cover, credit, ladder, leftout, method, reading, sentences, taken_out
from sla.build import build_statement
from sla.statement import Statement

DOWN = """
down:
  - {start: 2026-10-06T08:00:00Z, end: 2026-10-06T09:10:00Z}
  - {start: 2026-10-14T09:30:00Z, end: 2026-10-14T11:47:13Z}
"""
TIERS = "credits: {< 99.9: 10 %, < 99.0: 25 %}"
USUAL = f"target: 99.9\nfee: 2500.00 EUR\n{TIERS}"
EXCLUDED = "exclusions: [{start: 2026-10-14T09:40:00Z, end: 2026-10-14T10:00:00Z, category: client}]"
UNSEEN = "unknown: [{start: 2026-10-20T09:00:00Z, end: 2026-10-20T09:30:00Z}]"
SLOW = "degraded: [{start: 2026-10-09T08:00:00Z, end: 2026-10-09T08:41:00Z}]"
REQUESTS = "series: {requests: {bucket: 5 min, buckets: [{requests: 1000, errors: 200, count: 12}]}}"


def built(terms: str, *facts: str, period: str = "2026-10") -> Statement:
    entry = "\n  ".join(["client: client", "service: service", "from: 2026-01-01", "timezone: UTC", *terms.split("\n")])
    text = "\n".join([f"period: {period}", DOWN, *facts])
    given = parse_calc(text, "facts.yaml", contract_text=f"sample:\n  {entry}\n")
    contract = replace(given.contract, client_name="Sample Client")
    return build_statement(contract, given.services, given.period, as_of_ms=given.as_of_ms)


def page_of(terms: str, *facts: str, period: str = "2026-10") -> reading.Reading:
    return reading.read(built(terms, *facts, period=period))


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def milliseconds(column: str) -> int:
    hours, minutes, seconds = column.removeprefix("−").split(":")
    sign = -1 if column.startswith("−") else 1
    return sign * ((int(hours) * 3600 + int(minutes) * 60) * 1000 + int(Decimal(seconds) * 1000))


def labels(page: reading.Reading) -> dict[str, str]:
    (only,) = ladder.ladders(page)
    return {step.label: step.figures[0].text for step in only.steps}


@pytest.mark.parametrize(
    ("option", "facts", "named"),
    [
        ("measure: {bucket: 5 min, bad: '>= 50 %'}", "", "By the agreed rule on which downtime counts"),
        ("measure: {min_outage: '>= 90 min'}", "", "By the agreed rule on which downtime counts"),
        ("measure: {degraded: 0.5}", SLOW, "Counted in part, by weight"),
        ("measure: {unknown: down}", UNSEEN, "Not measured, counted as down"),
        ("base: 730 h", "", "To the fixed base of 730 h"),
        ("exclusions: {effect: count_up}", EXCLUDED, "of it excluded by agreement"),
        ("measure: {service_hours: {mon-fri: '08:00-10:00'}}", "", "of it outside service hours"),
        ("paused: [2026-10-13/2026-10-15]", "", "of it not under contract"),
    ],
)
def test_the_reconciliation_adds_up_and_names_the_option_that_changed_it(option: str, facts: str, named: str) -> None:
    page = page_of(f"{USUAL}\n{option}", facts)
    (only,) = ladder.ladders(page)
    assert {named} <= {plain(step.label) for step in only.steps}
    assert ladder.OTHER_RULES not in {step.label for step in only.steps}
    running = 0
    for step in only.steps:
        (figure,) = step.figures
        if not re.fullmatch(r"−?\d+:\d\d:\d\d(\.\d+)?", figure.text):
            continue
        assert not figure.text.startswith("−")  # an operator, never a sign behind an operator
        if step.kind == "sum":
            assert running == milliseconds(figure.text)
        elif step.kind == "gap" or not figure.operator:
            running = milliseconds(figure.text)
        else:
            running += milliseconds(figure.text) * (-1 if figure.operator == "−" else 1)


def test_a_measure_of_requests_is_reconciled_in_its_own_unit() -> None:
    page = page_of(f"{USUAL}\nmeasure: {{by: requests}}", REQUESTS)
    found = labels(page)
    assert (plain(found["Base, buckets"]), found["Counted against the service, buckets"]) == ("8 928", "2.4")
    assert "requests" in method.paragraphs(page)[0].text
    told = list(explain_lines(page.statement))
    assert not any("counts whole as downtime" in line for line in told)


def test_time_that_stays_in_the_base_is_not_called_taken_out() -> None:
    page = page_of(f"{USUAL}\nexclusions: {{effect: count_up}}", EXCLUDED)
    assert leftout.left_out(page)[0].label.endswith("counts as up")
    assert taken_out.head(page) == "Covered"
    assert taken_out.taken_rows(page)[0].without.startswith("in the base, counts as up")


PER_OUTAGE = """target: 99.9
fee: 2500.00 EUR
credits:
  - per_unit: {unit: 30 min, count: started, of: outage, pay: 5 %}
  - tiers: availability
    rows: {< 99.9: 10 %, < 99.0: 25 %}
several_rules: sum
cap: [12 % of event, 30 % of period]
minimum: "> 1.00"
claim: {by: request, deadline: 30 days after period_end}""".replace("\n  ", "\n    ").replace("\n    -", "\n    -")


def test_the_lines_of_several_rules_sum_to_the_credit_and_show_what_they_were_before_the_caps() -> None:
    page = page_of(PER_OUTAGE)
    (only,) = credit.formulas(page)
    amounts = [Decimal(plain(step.figure).removeprefix("EUR ").replace(" ", "")) for step in only.steps[1:]]
    assert sum(amounts) == Decimal(plain(only.result).removeprefix("EUR ")) == Decimal("750.00")
    assert plain(only.steps[1].note) == "outages 2, units 3 + 5, by outage 2 x 300; exact EUR 600.00"
    assert plain(only.line).startswith("Together EUR 850.00 exact. Cap, 12 % of event: EUR 300.00, reached.")
    assert "paid where it is more than EUR 1.00" in plain(only.line)


def test_explain_adds_the_exact_lines_and_names_cap_minimum_and_deadline() -> None:
    of = built(PER_OUTAGE)
    told = [re.sub(r" {2,}", "  ", line.strip()) for line in explain_lines(of)]
    for line in (
        "together, exact, in EUR  850",
        "cap 30 % of period: 750 EUR  reached",
        "paid only where the rounded amount is more than  1.00 EUR",
        "credit in EUR, rounded once  750.00",
        "to be claimed before  2026-12-01 00:00:00 UTC",
    ):
        assert line in told
    only = of.services[0].credit
    assert only is not None
    assert sum((Fraction(line.exact) for line in only.lines), Fraction(0)) == 850


def test_a_claim_names_the_last_day_on_which_it_may_be_made() -> None:
    (claim,) = consequences.consequences(page_of(PER_OUTAGE))
    assert (claim.subject, plain(claim.text)) == ("Claim", "Credited on request, until the end of 30 November 2026.")


def test_a_claim_is_not_asked_for_where_nothing_is_owed() -> None:
    terms = "target: 95.0\nfee: 2500.00 EUR\ncredits: {< 95.0: 10 %}\nclaim: {by: request}"
    assert consequences.consequences(page_of(terms)) == ()


def test_a_chronic_breach_stands_among_the_first_sentences() -> None:
    page = page_of(f"{USUAL}\nchronic: [3 in a row]", "inputs: {history: [missed, missed]}")
    assert "service is in chronic breach, missed 3 in a row." in sentences.verdict_sentences(page)


SERVICE_DAYS = """target: 99.9
credits:
  - tiers: downtime
    rows: {"> 0 s": 0 service days, ">= 5 min": 3 service days}
claim: {by: request, deadline: 30 days after period_end}"""


def test_service_days_are_a_credit_on_every_paper() -> None:
    page = page_of(SERVICE_DAYS)
    (only,) = credit.formulas(page)
    assert (only.result_label, only.result) == ("Added to the term", "3 service days")
    assert cover.verdict_rows(page)[0].credit == "3 days"
    rows = credit_rows([page.statement], period="2026-10")
    assert table_rows(rows)[0][6] == "3 service days"
    assert as_csv(rows).splitlines()[1].endswith(",3,on_request,1796083200000,")
    assert any("no money: the contract pays none" in line for line in explain_lines(page.statement))


def test_a_quarter_pays_from_a_quarterly_fee() -> None:
    (only,) = credit.formulas(page_of(f"{USUAL}\nperiod: quarter", period="2026-Q4"))
    assert plain(only.steps[0].label) == "Quarterly fee, service"


def test_options_are_printed_in_units_and_with_the_terms_of_the_credit() -> None:
    page = page_of(f"{PER_OUTAGE}\nmeasure: {{min_outage: '>= 90 s', merge_gap: 3 min}}")
    options = plain(method.options_line(page))
    assert "merge_gap 3 min" in options
    assert "min_outage >= 90 s" in options
    assert "measure time" in options
    terms = method.credit_terms_line(page)
    for words in (
        "unit 30 min, count started",
        "12 % of event and 30 % of period",
        "deadline 30 days after period_end",
    ):
        assert words in terms
