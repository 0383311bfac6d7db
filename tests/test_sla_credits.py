"""Credits: tiers, parts, bounds, caps, one rounding. Amounts are to the cent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from sla_builders import (
    DAY,
    HOUR,
    SECOND,
    USUAL_TIERS,
    contract,
    endpoint,
    judged,
    lasting,
    measured,
    ms,
    outage,
    service,
    spans,
    statement,
    terms,
    tiers,
)

from sla.facts import ServiceFacts
from sla.money import Money
from sla.rules import Cap, Percent
from sla.rules_due import deepest
from sla.statement import Credit
from sla.terms import Terms

PROMISED = terms("99.9", fee="2500.00 EUR", credits=USUAL_TIERS)
HALF_FULL = measured(lasting("2026-11-20 10:00", 2_602 * SECOND))


def credit(facts: ServiceFacts, *versions: Terms, period: str = "2026-11", as_of: str | None = None) -> Credit:
    found = judged(facts, period, contract(*(versions or (PROMISED,))), as_of=as_of).credit
    assert found is not None
    return found


def down_share(percent: str) -> ServiceFacts:
    """Down that share of November."""
    return measured(lasting("2026-11-02", round(30 * DAY * Fraction(percent) / 100)))


@pytest.mark.parametrize(
    ("down_pct", "amount"), [("0", "0.00"), ("0.1", "0.00"), ("1", "250.00"), ("1.1", "625.00"), ("6", "1250.00")]
)
def test_case_32_of_the_rows_that_match_the_deepest_counts_once(down_pct: str, amount: str) -> None:
    found = credit(down_share(down_pct))
    assert (found.amount, found.determined, found.state) == (amount, True, "calculated")


def test_case_33_one_event_that_hits_two_endpoints_is_credited_once() -> None:
    down = (lasting("2026-11-20 10:00", 2_602 * SECOND),)
    found = credit(service(endpoint("a", outages=down), endpoint("b", outages=down)))
    assert (found.amount, len(found.lines)) == ("250.00", 1)


def test_case_37_a_new_target_cuts_the_month_in_two_parts_with_their_own_fees() -> None:
    old = terms("99.5", fee="1000.00 EUR", credits={"< 99.5": "10"})
    new = terms("99.9", fee="1000.00 EUR", credits={"< 99.9": "10"}, start=ms("2026-10-16"))
    down = measured(outage("2026-10-05 00:00", "2026-10-05 01:00"), outage("2026-10-20 00:00", "2026-10-20 01:00"))
    found = judged(down, "2026-10", contract(old, new))
    assert [(part.target_pct, part.verdict) for part in found.parts] == [("99.5", "MET"), ("99.9", "NOT_MET")]
    assert (found.target_pct, found.verdict) == (None, "NOT_MET")
    assert found.credit is not None
    assert [(line.part, line.inputs["fee"], line.exact) for line in found.credit.lines] == [
        (0, "483.87", "48.387"),
        (1, "516.13", "51.613"),
    ]
    assert found.credit.amount == "100.00"
    assert judged(down, "2026-09", contract(old, new)) == judged(down, "2026-09", contract(old))


def test_a_new_fee_cuts_nothing_and_the_one_at_the_end_of_the_period_counts() -> None:
    dearer = terms("99.9", fee="5000.00 EUR", credits=USUAL_TIERS, start=ms("2026-11-16"))
    found = judged(HALF_FULL, agreed=contract(PROMISED, dearer))
    assert len(found.parts) == 1
    assert found.credit is not None
    assert found.credit.amount == "500.00"


def test_case_48_a_missed_target_may_leave_the_amount_open() -> None:
    facts = measured(lasting("2026-11-20", 2 * HOUR), unknown=spans(("2026-11-10 00:00", "2026-11-10 08:00")))
    found = judged(facts, agreed=contract(PROMISED))
    assert (found.verdict, found.bounds_pct) == ("NOT_MET", ("98.611", "99.723"))
    assert found.credit is not None
    assert (found.credit.low, found.credit.high, found.credit.amount) == ("250.00", "625.00", "250.00")
    assert (found.credit.determined, found.credit.state) == (False, "needs_decision")


def test_a_credit_is_open_while_the_coverage_is_below_the_agreed_minimum() -> None:
    facts = measured(lasting("2026-11-20", 2 * DAY), unknown=spans(("2026-11-01", "2026-11-04")))
    found = credit(facts)
    assert (found.low, found.high, found.determined, found.state) == ("1250.00", "1250.00", False, "needs_decision")


def test_a_credit_is_open_below_the_minimum_where_no_percentage_is_promised_too() -> None:
    facts = measured(lasting("2026-11-20", 2 * DAY), unknown=spans(("2026-11-01", "2026-11-04")))
    found = credit(facts, terms(None, fee="2500.00 EUR", credits=USUAL_TIERS))
    assert (found.low, found.high, found.state) == ("1250.00", "1250.00", "needs_decision")


def test_unknown_time_that_the_contract_decides_leaves_nothing_open() -> None:
    facts = measured(unknown=spans(("2026-11-10 00:00", "2026-11-10 08:00")))
    found = credit(facts, terms("99.9", fee="2500.00 EUR", credits=USUAL_TIERS, unknown="down"))
    assert (found.amount, found.low, found.high, found.determined) == ("625.00", "625.00", "625.00", True)


@pytest.mark.parametrize(("cap", "amount", "reached"), [("100", "1250.00", False), ("27.5", "687.50", True)])
def test_a_cap_cuts_the_sum_before_the_rounding(cap: str, amount: str, reached: bool) -> None:
    capped = terms("99.9", fee="2500.00 EUR", credits=USUAL_TIERS, caps=(Cap("period", Percent(Decimal(cap))),))
    found = credit(down_share("6"), capped)
    assert (found.amount, found.caps[0]["reached"], found.lines[0].amount) == (amount, reached, amount)


def test_without_a_cap_nothing_is_cut() -> None:
    steep = {"< 99.9": "150"}
    assert credit(down_share("6"), terms(fee="100.00 EUR", credits=steep)).amount == "100.00"
    assert credit(down_share("6"), terms(fee="100.00 EUR", credits=steep, caps=())).amount == "150.00"


@pytest.mark.parametrize(("rounding", "amount"), [("half_up", "0.13"), ("half_even", "0.12")])
def test_halves_are_rounded_as_agreed_and_only_once(rounding: str, amount: str) -> None:
    found = credit(down_share("6"), terms(fee="1.25 EUR", credits={"< 99.9": "10"}, rounding=rounding))
    assert (found.amount, found.lines[0].exact) == (amount, "0.125")


@pytest.mark.parametrize(
    ("currency", "fee", "amount"),
    [("EUR", "2500.00", "250.00"), ("JPY", "2505", "251"), ("BHD", "2500.005", "250.001")],
)
def test_amounts_have_the_digits_of_their_currency(currency: str, fee: str, amount: str) -> None:
    assert credit(HALF_FULL, terms(fee=f"{fee} {currency}", credits=USUAL_TIERS)).amount == amount


@pytest.mark.parametrize(("least", "amount"), [(24_999, "250.00"), (25_000, "0.00")])
def test_the_minimum_payable_looks_at_the_rounded_amount(least: int, amount: str) -> None:
    found = credit(HALF_FULL, terms(fee="2500.00 EUR", credits=USUAL_TIERS, minimum=(">", Money(least, "EUR"))))
    assert found.amount == amount


def test_lines_of_several_parts_sum_to_the_credit() -> None:
    versions = [
        terms(target, fee="0.25 EUR", credits={"< 99.9": "10"}, start=ms(start))
        for target, start in (("99.9", "2026-01-01"), ("99.91", "2026-11-11"), ("99.92", "2026-11-21"))
    ]
    facts = measured(*(outage(f"2026-11-{day} 00:00", f"2026-11-{day} 12:00") for day in ("05", "15", "25")))
    found = credit(facts, *versions)
    assert [line.exact for line in found.lines] == ["0.009", "0.008", "0.008"]
    assert (found.amount, [line.amount for line in found.lines]) == ("0.03", ["0.01", "0.01", "0.01"])


def test_a_missing_fee_is_said_and_never_guessed() -> None:
    found = credit(HALF_FULL, terms(credits=USUAL_TIERS))
    assert (found.state, found.amount, found.fee, found.determined) == ("fee_missing", None, None, False)


def test_a_contract_without_credits_has_none() -> None:
    assert judged(HALF_FULL, agreed=contract(terms(fee="2500.00 EUR"))).credit is None


def test_a_running_period_owes_nothing_yet_and_says_what_is_at_stake() -> None:
    found = credit(measured(outage("2026-11-01 12:00", "2026-11-01 13:00")), as_of="2026-11-02 00:00")
    assert (found.amount, found.lines, found.state) == (None, (), "none")
    assert found.inputs["exposure"] == {"incurred": "250.00", "projected": "625.00", "at_most": "1250.00"}


def test_totals_are_per_currency() -> None:
    whole = statement(HALF_FULL, agreed=contract(PROMISED))
    assert whole.totals["credit"] == [
        {"currency": "EUR", "amount": "250.00", "low": "250.00", "high": "250.00", "determined": True}
    ]


def test_a_row_whose_edge_is_included_matches_there() -> None:
    table = tiers({"<= 99.0": "25", "< 99.0": "30"})
    rows = [(row.edge, row.pay) for row in table.rows]
    found = [deepest(rows, Fraction(value)) for value in ("99", "98", "99.5")]
    assert [row and row[1] for row in found] == [Percent(Decimal(25)), Percent(Decimal(30)), None]


def test_older_statements_do_not_follow_a_later_version() -> None:
    later = terms("99.99", fee="9999.00 EUR", credits=USUAL_TIERS, start=ms("2026-12-01"))
    assert judged(HALF_FULL, agreed=contract(PROMISED, later)) == judged(HALF_FULL, agreed=contract(PROMISED))
