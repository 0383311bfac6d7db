"""Terms that look back: the periods before are judged from what is on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from reporting_ledgers import LOADED, MINUTE, at, ledger_with, observe

from config.overlay import terms_like
from ledger.store import Ledger
from reporting.statements import build
from reporting.whatif import compare
from sla.history import history_of, periods_needed
from sla.inputs import Inputs
from sla.rules import Chronic, If, Lost, MissedPeriods, Percent, Severity
from sla.statement import ServiceStatement
from sla.terms import Options, Terms

WEEK = 7 * 24 * 60 * MINUTE
CONFIG = """
version: 1
timezone: UTC
endpoints:
  api: {{url: "http://127.0.0.1:8102/", interval: 1 h}}
clients:
  sample: {{name: Sample Client}}
contracts:
  sample-api:
    client: sample
    service: api
    from: 2026-09-21
    period: week
    target: 99.0
    fee: 100.00 EUR
    credits: {credits}
    chronic: [2 in a row, 2 of 3]
    measure: {{min_coverage: 1 %, unknown: up}}
"""
IN_A_ROW = "[{lost_fee: {times: 10}, if: missed 2 in a row}]"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Weeks 39 and 40 missed, 41 met, 42 missed: five hours down in each that is."""
    with ledger_with(tmp_path, CONFIG.format(credits=IN_A_ROW)) as ledger:
        for week in (0, 1, 3):
            observe(ledger, "api", "u" * 10 + "d" * 300 + "u" * 10, from_ms=LOADED + MINUTE + week * WEEK)
        yield ledger


def week(ledger: Ledger, number: int) -> ServiceStatement:
    (statement,) = build(ledger, "sample", f"2026-W{number}", now_ms=at("00:00:00", day=1, month=11), version="0")
    return statement.services[0]


@pytest.mark.parametrize(
    ("number", "verdict", "pays", "chronic"),
    [
        (39, "NOT_MET", False, [False, False]),
        (40, "NOT_MET", True, [True, True]),
        (41, "MET", False, [False, True]),
        (42, "NOT_MET", False, [False, True]),
    ],
)
def test_the_second_week_missed_in_a_row_pays(
    ledger: Ledger, number: int, verdict: str, pays: bool, chronic: list[bool]
) -> None:
    found = week(ledger, number)
    assert found.verdict == verdict
    assert found.credit is not None
    assert (found.credit.determined, found.credit.amount != "0.00") == (True, pays)
    assert [rule["reached"] for rule in found.chronic] == chronic


def test_what_was_looked_back_at_is_printed_with_the_credit(ledger: Ledger) -> None:
    credit = week(ledger, 40).credit
    assert credit is not None
    assert credit.inputs["history"] == "missed"


def test_entered_history_comes_before_what_is_on_record(ledger: Ledger) -> None:
    entered = {("sample-api", "api"): Inputs(history=("met",))}
    now_ms = at("00:00:00", day=1, month=11)
    (statement,) = build(ledger, "sample", "2026-W40", now_ms=now_ms, version="0", inputs=entered)
    assert statement.services[0].credit is not None
    assert statement.services[0].credit.amount == "0.00"


def test_whatif_looks_back_under_the_same_terms(ledger: Ledger) -> None:
    softer = terms_like({"target": "90"})
    (found,) = compare(ledger, "sample", ["2026-W40"], terms=[softer], now_ms=at("00:00:00", day=1, month=11))
    assert [rule["reached"] for rule in found.agreed.chronic] == [True, True]
    assert [rule["reached"] for rule in found.changed.chronic] == [False, False]


def test_an_undecided_period_before_leaves_the_money_to_a_person(tmp_path: Path) -> None:
    undecided = CONFIG.replace("unknown: up", "unknown: exclude")
    with ledger_with(tmp_path, undecided.format(credits=IN_A_ROW)) as ledger:
        observe(ledger, "api", "u" * 10, from_ms=LOADED + MINUTE)
        observe(ledger, "api", "u" * 10 + "d" * 300 + "u" * 10, from_ms=LOADED + MINUTE + WEEK)
        found = week(ledger, 40)
    assert found.credit is not None
    assert (found.credit.state, found.credit.determined) == ("needs_decision", False)
    assert [rule["reached"] for rule in found.chronic] == [None, None]


def test_terms_say_how_far_they_look_back() -> None:
    tenth = Percent(Decimal(10))
    terms = Terms(0, None, Options("UTC"))
    assert periods_needed(terms) == 0
    assert periods_needed(replace(terms, chronic=(Chronic(3, 3), Chronic(5, 12)))) == 11
    assert periods_needed(replace(terms, credits=(replace(LOST, when=If(missed=2)),))) == 1
    assert periods_needed(replace(terms, credits=(MissedPeriods(6, ((1, tenth),)),))) == 5
    assert periods_needed(replace(terms, credits=(Severity((), tenth),))) == 1
    assert periods_needed(replace(terms, credits=(replace(LOST, when=If(missed=1)),))) == 0


LOST = Lost(Decimal(10))


def test_a_period_in_which_nothing_was_considered_was_not_missed(ledger: Ledger) -> None:
    known = week(ledger, 41)
    assert history_of([replace(known, verdict="NO_DATA", reason="all_excluded")]) == ("met",)
    assert history_of([replace(known, verdict="NO_DATA", reason="no_checks")]) is None
    assert history_of([replace(known, verdict="UNDETERMINED", reason="bounds")]) is None
    assert history_of([]) == ()
