"""What an import is: its source, its file, what it counted, and its record in the journal.

A source is one history of others' making, of checks or of outages; all its files together are judged as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from ledger import journal
from ledger.errors import LedgerError
from ledger.identity import short_id
from ledger.journal import Actor, canonical
from ledger.lease import LeaseHeld, lease
from ledger.query import first_row, run, scalar
from ledger.recording import LIVE
from ledger.store import Ledger

Kind = Literal["checks", "outages"]


class HistoryError(LedgerError):
    """{where}: this file cannot be imported"""


class SourceTaken(HistoryError):
    """{where}: this source holds something else; name another one, e.g. --source old-monitor"""


class SourceJudgedOtherwise(HistoryError):
    """{where}: this source is judged by other settings; repeat those, or judge all of it anew with --rejudge"""


class ImportRunning(HistoryError):
    """{where}: another import writes into this ledger; start again when it is done"""


@dataclass(frozen=True, slots=True)
class Request:
    """One file to take in. `options` are all that decides about its figures, as JSON; the journal keeps them.

    `judged` is the part of them that a source keeps for all its files (overrides of interval, confirm and the like).
    """

    kind: Kind
    source: str
    file: str
    sha256: str
    at_ms: int
    actor: Actor
    options: Mapping[str, Any]
    judged: Mapping[str, Any]
    rejudge: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """An import on record."""

    id: str
    at_ms: int
    file: str
    source: str
    counts: Mapping[str, int]


def earlier(ledger: Ledger, request: Request) -> Earlier | None:
    """The import of the same bytes by the same options, if it took everything: there is nothing to do again."""
    query = """SELECT i.id, i.at_ms, i.file, s.id AS source, i.counts FROM history_import AS i
JOIN source AS s ON s.number = i.source WHERE i.sha256 = :sha256 AND i.kind = :kind AND s.id = :source
AND i.options = :options ORDER BY i.number DESC LIMIT 1"""
    asked = {"sha256": request.sha256, "kind": request.kind, "source": request.source}
    with ledger.read() as connection:
        row = first_row(connection, query, **asked, options=canonical(dict(request.options)))
        if row is None or _judged(connection, request.source) != canonical(dict(request.judged)):
            return None
    counts: dict[str, int] = json.loads(row.counts)
    return None if counts["refused"] else Earlier(row.id, row.at_ms, row.file, row.source, counts)


@contextmanager
def importing(ledger: Ledger) -> Iterator[None]:
    """Only one import writes at a time; the daemon goes on beside it. Raises ImportRunning."""
    path = ledger.path.with_name(f"{ledger.path.name}.import")
    try:
        with lease(Path(path)):
            yield
    except LeaseHeld:
        raise ImportRunning(str(ledger.path)) from None


def check_source(ledger: Ledger, request: Request) -> None:
    """Refuse a source that cannot take this file, before anything is read. Raises SourceTaken and its like."""
    if request.source == LIVE:
        words = f"source {LIVE}: that is what this program saw itself; name another one, e.g. --source old-monitor"
        raise SourceTaken(request.source, words)
    with ledger.read() as connection:
        row = first_row(connection, "SELECT kind FROM source WHERE id = :id", id=request.source)
        judged = _judged(connection, request.source)
    if row is not None and row.kind != request.kind:
        words = f"source {request.source} holds {row.kind}, no {request.kind}; name another one"
        raise SourceTaken(request.source, f"{words}, e.g. --source {request.source}-{request.kind}")
    wanted = canonical(dict(request.judged))
    if judged is not None and judged != wanted and not request.rejudge:
        raise SourceJudgedOtherwise(
            request.source,
            f"source {request.source} is judged by {_words(judged)}, and this asks for {_words(wanted)}; give "
            "the same, another --source, or --rejudge to judge all of it anew",
        )


def _judged(connection: Connection, source: str) -> str | None:
    """What the source's newest import said of how it is judged, as canonical JSON; None without one."""
    query = """SELECT i.options FROM history_import AS i JOIN source AS s ON s.number = i.source WHERE s.id = :source
ORDER BY i.number DESC LIMIT 1"""
    found = scalar(connection, query, source=source)
    return None if found is None else canonical(json.loads(found)["judged"])


def _words(judged: str) -> str:
    said = ", ".join(f"{name} {value}" for name, value in json.loads(judged).items() if value is not None)
    return said or "the endpoint's own settings"


def source_number(connection: Connection, request: Request) -> int:
    """The number of the source, given now where it is new. Needs a writing transaction."""
    insert = "INSERT INTO source (id, kind) VALUES (:id, :kind) ON CONFLICT (id) DO NOTHING"
    run(connection, insert, id=request.source, kind=request.kind)
    return int(scalar(connection, "SELECT number FROM source WHERE id = :id", id=request.source))


def record(connection: Connection, ledger: Ledger, request: Request, counts: Mapping[str, int], body: Any) -> str:
    """Put the import on record, its row and the journal's `history imported`; the import's id."""

    def taken(id: str) -> bool:
        return scalar(connection, "SELECT 1 FROM history_import WHERE id = :id", id=id) is not None

    count = scalar(connection, "SELECT COUNT(*) FROM history_import")
    id = short_id("I", ledger.id, request.sha256, request.source, request.at_ms, count, taken=taken)
    insert = """INSERT INTO history_import (id, at_ms, kind, source, file, sha256, options, counts)
VALUES (:id, :at_ms, :kind, :source, :file, :sha256, :options, :counts)"""
    told = {"kind": request.kind, "file": request.file, "sha256": request.sha256}
    values = {"options": canonical(dict(request.options)), "counts": canonical(dict(counts))}
    run(connection, insert, **told, **values, id=id, at_ms=request.at_ms, source=source_number(connection, request))
    journal.append(
        connection,
        at_ms=request.at_ms,
        actor=request.actor,
        action="history imported",
        subject="import",
        subject_id=id,
        body={
            **told,
            "source": request.source,
            "options": dict(request.options),
            "counts": dict(counts),
            "rejudged": request.rejudge,
            "endpoints": body,
        },
    )
    return id
