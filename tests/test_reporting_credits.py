"""The credit register: rows, CSV, JSON and table say the same."""

from __future__ import annotations

import csv
import io

import pytest
from reporting_statements import DAY, HOUR, NOVEMBER, contract, outage, service, statement, terms

from reporting.credits import COLUMNS, TABLE_HEADS, as_csv, as_data, credit_rows, table_rows
from sla.canonical import as_json, sha256
from sla.spans import Spans


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_missed_promise_is_a_row_with_its_credit() -> None:
    built = statement(service([outage(DAY, HOUR)]))
    rows = credit_rows([built], period="2026-11")
    [cells] = read(as_csv(rows))
    assert tuple(cells) == COLUMNS
    assert (cells["client"], cells["service"], cells["period"]) == ("Sample Client", "Tracking API", "2026-11")
    assert (cells["fee"], cells["credit"], cells["currency"]) == ("2500.00", "250.00", "EUR")
    assert (cells["verdict"], cells["determined"], cells["state"]) == ("NOT_MET", "true", "calculated")
    assert cells["statement_sha256"] == sha256(as_json(built))
    assert as_data(rows)[0]["credit"] == "250.00"
    assert dict(zip(TABLE_HEADS, table_rows(rows)[0], strict=True))["CREDIT"] == "EUR 250.00"


def test_what_needs_a_decision_shows_both_bounds() -> None:
    unknown = Spans.of([(NOVEMBER.from_ms + 2 * DAY, NOVEMBER.from_ms + 2 * DAY + HOUR)])
    rows = credit_rows([statement(service([outage(DAY, 1_800_000)], unknown=unknown))], period="2026-11")
    [cells] = read(as_csv(rows))
    assert (cells["verdict"], cells["state"], cells["determined"]) == ("UNDETERMINED", "needs_decision", "false")
    assert (cells["credit_low"], cells["credit_high"]) == ("0.00", "250.00")
    assert table_rows(rows)[0][6] == "EUR 0.00 to 250.00"


def test_a_running_period_has_no_amount() -> None:
    now = NOVEMBER.from_ms + 10 * DAY
    rows = credit_rows([statement(service([outage(DAY, HOUR)]), as_of_ms=now)], period="2026-11")
    [cells] = read(as_csv(rows))
    assert (cells["provisional"], cells["credit"], cells["determined"]) == ("true", "", "false")


def test_without_a_fee_or_a_clause_cells_stay_empty_never_zero() -> None:
    no_fee = contract(versions=(terms(fee=None),))
    no_clause = contract(versions=(terms(fee=None, credits=()),))
    built = [statement(service([outage(DAY, HOUR)]), agreed=agreed) for agreed in (no_fee, no_clause)]
    first, second = read(as_csv(credit_rows(built, period="2026-11")))
    assert (first["state"], first["credit"], first["fee"]) == ("fee_missing", "", "")
    assert (second["state"], second["credit"], second["determined"]) == ("none", "", "")


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-2", "@x"])
def test_a_name_that_a_spreadsheet_would_run_is_made_text(name: str) -> None:
    rows = credit_rows([statement(service(), agreed=contract(client_name=name))], period="2026-11")
    [cells] = read(as_csv(rows))
    assert cells["client"] == f"'{name}"
    assert as_data(rows)[0]["client"] == name


def test_names_with_commas_quotes_and_lines_survive_the_csv() -> None:
    rows = credit_rows([statement(service(), agreed=contract(client_name='A, "B"\nC'))], period="2026-11")
    [cells] = read(as_csv(rows))
    assert cells["client"] == 'A, "B" C'
