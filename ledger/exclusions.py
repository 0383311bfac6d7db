"""Exclusions in force: proposed by one person, approved by another, not withdrawn."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.query import all_rows
from ledger.store import Ledger
from sla.facts import Exclusion


def exclusions_between(
    ledger: Ledger, subjects: Iterable[tuple[str, str]], *, contract: str | None, from_ms: int, to_ms: int
) -> tuple[Exclusion, ...]:
    """Those for any of the subjects, ("endpoint" | "service", id), that touch [from_ms, to_ms), in order of time.

    With `contract` also those agreed for that contract alone.
    """
    wanted = set(subjects)
    query = """SELECT * FROM exclusion WHERE approved_by IS NOT NULL AND withdrawn_ms IS NULL
AND from_ms < :to_ms AND to_ms > :from_ms ORDER BY from_ms, number"""
    with ledger.read() as connection:
        rows = all_rows(connection, query, from_ms=from_ms, to_ms=to_ms)
    return tuple(
        Exclusion(row.id, row.from_ms, row.to_ms, row.category, row.clause, row.text)
        for row in rows
        if (row.subject_kind, row.subject) in wanted and row.contract in (None, contract)
    )
