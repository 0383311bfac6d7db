"""The register of credits for a period: one row per service of every contract, as CSV, JSON and a table.

The columns are a contract with the spreadsheets and importers that read them: new ones are added at the end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from reporting.wording import plain
from sla.canonical import as_json, sha256
from sla.statement import ServiceStatement, Statement

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TEXTS = frozenset({"client_id", "client", "contract", "number", "service_id", "service"})


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One service of one contract in one period. Percent and amounts are decimal text; None: there is no such thing."""

    client_id: str | None
    client: str
    contract: str | None
    number: str | None  # of the issued statement
    service_id: str | None
    service: str
    period: str  # as it was asked for: 2026-10
    from_ms: int
    to_ms: int
    timezone: str
    target_pct: str | None
    availability_pct: str | None
    verdict: str
    provisional: bool
    currency: str | None
    fee: str | None
    credit: str | None  # at the figure; None while the period runs or a fee is missing
    credit_low: str | None
    credit_high: str | None
    determined: bool | None  # None without a credit clause
    state: str  # none, calculated, needs_decision, fee_missing
    statement_sha256: str
    service_days: str | None = None  # added to the term; None where the contract never pays them
    claim_state: str | None = None  # automatic, on_request, past_deadline
    claim_deadline_ms: int | None = None  # the first instant that is too late; None without a deadline
    chronic: str = ""  # the rules of chronic breach that were reached


COLUMNS = tuple(field.name for field in fields(CreditRow))
TABLE_HEADS = ("CLIENT", "SERVICE", "TARGET", "ACHIEVED", "VERDICT", "FEE", "CREDIT", "STATE")
TABLE_RIGHT = (2, 3, 5, 6)  # columns of figures


def credit_rows(statements: Iterable[Statement], *, period: str) -> tuple[CreditRow, ...]:
    """The rows in the order of the statements and of their services."""
    return tuple(
        _row(statement, service, period=period, digest=digest)
        for statement in statements
        for digest in (sha256(as_json(statement)),)
        for service in statement.services
    )


def _row(statement: Statement, service: ServiceStatement, *, period: str, digest: str) -> CreditRow:
    credit = service.credit
    return CreditRow(
        client_id=statement.client.get("id"),
        client=str(statement.client.get("name") or ""),
        contract=statement.contract.get("id"),
        number=statement.number,
        service_id=service.id,
        service=service.name,
        period=period,
        from_ms=statement.period["from_ms"],
        to_ms=statement.period["to_ms"],
        timezone=statement.period["tz"],
        target_pct=service.target_pct,
        availability_pct=service.availability_pct,
        verdict=service.verdict,
        provisional=service.provisional,
        currency=credit.currency if credit else None,
        fee=credit.fee if credit else None,
        credit=credit.amount if credit else None,
        credit_low=credit.low if credit else None,
        credit_high=credit.high if credit else None,
        determined=credit.determined if credit else None,
        state=credit.state if credit else "none",
        statement_sha256=digest,
        service_days=credit.service_days if credit else None,
        claim_state=credit.claim.get("state") if credit else None,
        claim_deadline_ms=credit.claim.get("deadline_ms") if credit else None,
        chronic=", ".join(str(rule["rule"]) for rule in service.chronic if rule.get("reached") is True),
    )


def as_csv(rows: Sequence[CreditRow]) -> str:
    """RFC 4180 with a head row; empty cells for None; text that a spreadsheet would run as a formula gets a `'`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(name, value) for name, value in zip(COLUMNS, astuple(row), strict=True)])
    return out.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if name not in _TEXTS:
        return str(value)
    text = plain(str(value))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def as_data(rows: Sequence[CreditRow]) -> list[dict[str, Any]]:
    """The same rows for JSON, null where a cell of the CSV is empty."""
    return [dict(zip(COLUMNS, astuple(row), strict=True)) for row in rows]


def table_rows(rows: Sequence[CreditRow]) -> list[tuple[str, ...]]:
    """The same rows for a table under TABLE_HEADS."""
    return [
        (
            plain(row.client),
            plain(row.service),
            f"{row.target_pct} %" if row.target_pct else "-",
            f"{row.availability_pct} %" if row.availability_pct else "no data",
            row.verdict.replace("_", " ") + (" so far" if row.provisional else ""),
            f"{row.currency} {row.fee}" if row.fee else "-",
            _credit_words(row),
            row.state.replace("_", " "),
        )
        for row in rows
    ]


def _credit_words(row: CreditRow) -> str:
    days = f"{row.service_days} service days" if row.service_days not in (None, "0") else ""
    if row.credit is None:
        return days or "-"
    if not row.determined:
        money = f"{row.currency} {row.credit_low} to {row.credit_high}"
    else:
        money = f"{row.currency} {row.credit}"
    return f"{money} and {days}" if days else money
