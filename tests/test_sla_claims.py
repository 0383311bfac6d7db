"""Until when a credit may be claimed, counted from its anchor; and chronic breach."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sla_builders import HOUR, USUAL_TIERS, contract, judged, lasting, measured, ms, terms

from config.claims import chronic_of, claim_of
from sla.claims import months_later
from sla.inputs import Inputs
from sla.spans import Spans
from sla.statement import ServiceStatement


def found(claim: Any, *, tz: str = "UTC", as_of: str | None = None, **more: Any) -> ServiceStatement:
    """November 2026 with outages on Tuesday the 10th, 06:00 to 08:00, and on the 20th."""
    facts = measured(
        lasting("2026-11-10 06:00", 2 * HOUR),
        lasting("2026-11-20 06:00", 2 * HOUR, "O-00002"),
        inputs=Inputs(history=more.pop("history", None)),
    )
    agreed = contract(terms("99.9", tz=tz, fee="2500.00 EUR", credits=USUAL_TIERS, claim=claim_of(claim), **more))
    return judged(facts, agreed=agreed, as_of=as_of)


def claimed(deadline: str, **more: Any) -> dict[str, Any]:
    credit = found({"by": "request", "deadline": deadline}, **more).credit
    assert credit is not None
    return credit.claim


@pytest.mark.parametrize(
    ("deadline", "until"),
    [
        ("30 days after period_end", "2026-12-31 00:00"),
        ("1 month after period_end", "2027-01-01 00:00"),
        ("3 months after period_end", "2027-03-01 00:00"),
        ("5 business days after period_end", "2026-12-08 00:00"),
        ("2 billing cycles after incident", "2027-02-01 00:00"),
        ("1 billing cycle after incident", "2027-01-01 00:00"),
        ("30 days after incident", "2026-12-11 00:00"),
        ("5 business days after incident", "2026-11-18 00:00"),
        ("72 hours after incident", "2026-11-13 06:00"),
        ("24 hours after incident_end", "2026-11-11 08:00"),
        ("15 days after incident_end", "2026-11-26 00:00"),
    ],
)
def test_a_deadline_is_counted_from_its_anchor(deadline: str, until: str) -> None:
    assert claimed(deadline)["deadline_ms"] == ms(until)


@pytest.mark.parametrize(
    ("deadline", "until"),
    [("30 days after incident", "2026-12-11 00:00"), ("30 days after incident_end", "2026-12-11 00:00")],
)
def test_an_incident_from_midnight_to_midnight_begins_and_ends_on_one_day(deadline: str, until: str) -> None:
    agreed = terms(
        "99.9", fee="2500.00 EUR", credits=USUAL_TIERS, claim=claim_of({"by": "request", "deadline": deadline})
    )
    credit = judged(measured(lasting("2026-11-10 00:00", 24 * HOUR)), agreed=contract(agreed)).credit
    assert credit is not None
    assert credit.claim["deadline_ms"] == ms(until)


@pytest.mark.parametrize(
    ("length", "period", "until"),
    [
        ("week", "2026-W46", "2026-11-30 00:00"),  # Monday the 9th to Sunday the 15th
        ("quarter", "2026-Q4", "2027-07-01 00:00"),
        ("year", "2026", "2029-01-01 00:00"),
    ],
)
def test_a_billing_cycle_is_the_period_of_the_contract(length: str, period: str, until: str) -> None:
    claim = claim_of({"by": "request", "deadline": "2 billing cycles after incident"})
    agreed = terms("99.9", fee="2500.00 EUR", credits=USUAL_TIERS, claim=claim, period=length)
    credit = judged(measured(lasting("2026-11-10 06:00", HOUR)), period, contract(agreed)).credit
    assert credit is not None
    assert credit.claim["deadline_ms"] == ms(until)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-10-31", 1, "2026-11-30"),
        ("2026-10-31", 2, "2026-12-31"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2027-11-30", 3, "2028-02-29"),
    ],
)
def test_the_same_day_of_a_shorter_month_is_its_last(day: str, months: int, later: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(later)


def test_a_deadline_ends_with_a_local_day() -> None:
    assert claimed("30 days after period_end", tz="Europe/Berlin")["deadline_ms"] == ms("2026-12-30 23:00")


def test_a_deadline_that_has_passed_says_so() -> None:
    assert claimed("1 month after period_end", as_of="2027-01-01 00:00")["state"] == "past_deadline"
    assert claimed("1 month after period_end", as_of="2026-12-31 23:59")["state"] == "on_request"


def test_an_earlier_word_has_its_own_deadline() -> None:
    credit = found(
        {"by": "request", "deadline": "1 month after period_end", "notice": "5 business days after incident"}
    ).credit
    assert credit is not None
    assert credit.claim["notice_ms"] == ms("2026-11-18 00:00")


def test_a_credit_without_a_claim_is_automatic() -> None:
    credit = found("automatic").credit
    assert credit is not None
    assert credit.claim == {"deadline_ms": None, "state": "automatic"}


@pytest.mark.parametrize(
    ("written", "history", "reached"),
    [
        ("3 in a row", ("missed", "missed"), True),
        ("3 in a row", ("missed", "met", "missed"), False),
        ("2 of 3", (Decimal("99.5"), "met"), True),
        ("2 of 3", ("missed", "met", "met"), False),
        ("2 of 3", (Decimal("99.9"), "met"), False),
        ("2 of 3", (), False),
        ("2 in a row", None, None),
        ("1 of 3", None, True),
        ("2 of 3 below 99.5", (Decimal("99.49"), "met"), True),
        ("2 of 3 below 99.5", (Decimal("99.5"), "met"), False),
        ("2 of 3 below 99.5", ("missed", "met"), None),
        ("2 in a row below 99.4", ("missed",), False),
        ("2 in a row below 99.95", ("missed",), True),
    ],
)
def test_chronic_breach_is_flagged(written: str, history: Any, reached: bool | None) -> None:
    service = found("automatic", chronic=chronic_of([written]), history=history)
    assert service.chronic == ({"rule": written, "reached": reached},)


def test_a_running_period_is_no_chronic_breach_yet() -> None:
    service = found("automatic", chronic=chronic_of(["1 in a row"]), as_of="2026-11-29 00:00")
    assert service.chronic == ({"rule": "1 in a row", "reached": None},)


def test_unknown_time_that_decides_an_edge_of_chronic_breach_leaves_it_open() -> None:
    """4 h down are 99.44 % of November; five unknown hours may have been down as well: 98.75 %."""
    blind = [(ms("2026-11-15 00:00"), ms("2026-11-15 05:00"))]
    agreed = terms("99.9", chronic=chronic_of(["1 in a row", "1 in a row below 99.0", "1 in a row below 98.5"]))
    facts = measured(lasting("2026-11-10 06:00", 4 * HOUR), unknown=Spans.of(blind))
    service = judged(facts, agreed=contract(agreed))
    assert [each["reached"] for each in service.chronic] == [True, None, False]
