"""`nines whatif`: the same facts under other terms, beside what was agreed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reporting_ledgers import HOUR, LOADED, MINUTE, at, ledger_with, observe

from config.overlay import option_terms, terms_like
from ledger.persons import os_user
from ledger.query import run
from ledger.store import Ledger
from reporting.statements import build
from reporting.whatif import UnknownEntry, as_data, compare, table_rows

NOW = at("00:00:00", day=1, month=10)
PERIOD = "2026-09-21/2026-09-22"
TERMS = {"target": "99.9", "measure": {"unknown": "exclude"}, "maintenance": {"notice": "0 s", "effect": "exclude"}}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Ten minutes down before the window and ten inside it, in twelve hours watched without a gap."""
    with ledger_with(tmp_path) as ledger:
        verdicts = "u" * 60 + "d" * 10 + "u" * 320 + "d" * 10 + "u" * 320
        observe(ledger, "web", verdicts, from_ms=LOADED + MINUTE)
        observe(ledger, "api", "u" * 720, from_ms=LOADED + MINUTE)
        yield ledger


def test_the_present_terms_give_the_statement_itself(ledger: Ledger) -> None:
    (found,) = compare(ledger, "sample", [PERIOD], terms=[terms_like(TERMS)], now_ms=NOW)
    (statement,) = build(ledger, "sample", PERIOD, now_ms=NOW, version="0")
    assert found.agreed == found.changed == statement.services[0]
    assert found.difference == "+0.00"


def test_another_target_changes_the_verdict_and_leaves_the_figure(ledger: Ledger) -> None:
    (found,) = compare(ledger, "sample", [PERIOD], terms=[terms_like({"target": "95"})], now_ms=NOW)
    assert (found.agreed.target_pct, found.changed.target_pct) == ("99.9", "95")
    assert found.agreed.availability_pct == found.changed.availability_pct
    assert (found.agreed.budget, found.changed.budget) != (None, None)
    assert found.agreed.budget != found.changed.budget


def test_maintenance_that_counts_is_paid_for(ledger: Ledger) -> None:
    terms = [terms_like(option_terms({"maintenance": "ignore"}))]
    (found,) = compare(ledger, "sample", [PERIOD], terms=terms, now_ms=NOW)
    assert found.changed.split_ms["maintenance"] == 0
    assert found.changed.split_ms["down"] - found.agreed.split_ms["down"] == 10 * MINUTE


def test_a_window_left_out_counts_as_what_it_was(ledger: Ledger) -> None:
    (plain,) = compare(ledger, "sample", [PERIOD], now_ms=NOW)
    (window,) = plain.agreed.maintenance
    for named in (str(window.id), "maintenance"):
        (found,) = compare(ledger, "sample", [PERIOD], leave_out=[named], now_ms=NOW)
        assert found.changed.maintenance == ()
        assert found.changed.considered_ms == (found.agreed.considered_ms or 0) + HOUR


def test_an_exclusion_left_out_counts_again(ledger: Ledger) -> None:
    exclude(ledger, "X-1", at("13:00:00"), at("13:20:00"))
    (found,) = compare(ledger, "sample", [PERIOD], leave_out=["exclusions"], now_ms=NOW)
    assert found.agreed.split_ms["excluded"] == 20 * MINUTE
    assert found.changed.split_ms["excluded"] == 0
    assert found.changed.split_ms["down"] - found.agreed.split_ms["down"] == 10 * MINUTE
    assert found.agreed.exclusions[0].without_pct == found.changed.availability_pct


def test_other_terms_of_notice_judge_a_decided_window_again(ledger: Ledger) -> None:
    terms = [terms_like({"maintenance": {"notice": "72 h"}})]
    (found,) = compare(ledger, "sample", [PERIOD], terms=terms, now_ms=NOW)
    assert found.agreed.maintenance[0].accepted
    assert not found.changed.maintenance[0].accepted
    assert "72 h" in found.changed.maintenance[0].why


def test_what_is_to_be_left_out_has_to_be_there(ledger: Ledger) -> None:
    with pytest.raises(UnknownEntry, match=r"no exclusion or window 'X-9' lies in .*; there are: M-"):
        compare(ledger, "sample", [PERIOD], leave_out=["X-9"], now_ms=NOW)


def test_the_table_adds_up_what_has_an_amount(ledger: Ledger) -> None:
    terms = [terms_like({"target": "99", "credits": {"< 99": "40 %"}})]
    found = compare(ledger, "sample", [PERIOD], terms=terms, now_ms=NOW)
    rows = table_rows(found)
    assert [(row[1], row[5], row[10], row[11]) for row in rows] == [
        ("Shop", "EUR 625.00", "EUR 1000.00", "+375.00"),
        ("together", "EUR 625.00", "EUR 1000.00", "+375.00"),
    ]
    (data,) = as_data(found)
    assert (data["agreed"]["target_pct"], data["changed"]["target_pct"]) == ("99.9", "99")


def exclude(ledger: Ledger, id: str, from_ms: int, to_ms: int) -> None:
    proposer, approver = (os_user(ledger, login, at_ms=LOADED).id for login in ("one", "two"))
    with ledger.decide() as connection:
        run(
            connection,
            "INSERT INTO exclusion (id, subject_kind, subject, contract, from_ms, to_ms, category, clause, text,"
            " reason, evidence, proposed_by, proposed_ms, approved_by, approved_ms) VALUES"
            " (:id, 'service', 'shop', 'sample-shop', :from_ms, :to_ms, 'agreed', '', '', '', '', :one, 0, :two, 0)",
            id=id,
            from_ms=from_ms,
            to_ms=to_ms,
            one=proposer,
            two=approver,
        )


def test_where_there_is_no_amount_on_either_side_nothing_changes(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        rows = table_rows(compare(ledger, "sample", [PERIOD], terms=[terms_like({"target": "99"})], now_ms=NOW))
    assert (rows[0][5], rows[0][10], rows[0][11]) == ("-", "-", "-")
