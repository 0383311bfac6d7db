"""Dated definitions: everything agreed, as immutable versions with the instant from which the ledger knew them.

What holds at an instant is the version in force then. Editing a file never rewrites the past: a version can only
follow the newest one of its thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger import journal
from ledger.errors import LedgerError
from ledger.journal import Actor, Head, canonical
from ledger.query import all_rows, run_many, scalar
from ledger.store import Ledger
from sla.facts import Definition, DefinitionKind

Key = tuple[DefinitionKind, str]


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What a load changed. `head`: the journal's record of it, None where nothing was new."""

    stored: tuple[Definition, ...]
    unchanged: int
    head: Head | None


class PastDefinition(LedgerError):
    """{where}: a version of it that is known as long or longer is on record; the past is not rewritten"""


def store(
    ledger: Ledger,
    definitions: Sequence[Definition],
    *,
    at_ms: int,
    actor: Actor,
    source_sha256: str | None,
    open_period: bool = False,
) -> StoreResult:
    """Keep what is new, all of it or nothing, with one record `config load` in the journal, also where only the
    rest of the file is another one than at the last load (alerts, rates, retention).

    `open_period` says on record that time already past in the running period was allowed to change. A version that
    says what the one before it says is not stored again. Raises PastDefinition.
    """
    with ledger.decide() as connection:
        newest = {(d.kind, d.id): d for d in _rows(connection)}
        fresh = []
        for definition in definitions:
            before = newest.get((definition.kind, definition.id))
            if _says_the_same(before, definition):
                continue
            if before is not None and definition.known_from_ms <= before.known_from_ms:
                raise PastDefinition(f"{definition.kind} {definition.id}")
            newest[definition.kind, definition.id] = definition
            fresh.append(definition)
        _insert(connection, fresh)
        said = {"source_sha256": source_sha256, "open_period": open_period}
        another = source_sha256 is not None and source_sha256 != _last_loaded(connection)
        head = _record(connection, fresh, at_ms=at_ms, actor=actor, said=said) if fresh or another else None
    return StoreResult(tuple(fresh), len(definitions) - len(fresh), head)


def _last_loaded(connection: Connection) -> str | None:
    query = "SELECT subject_id FROM journal WHERE action = 'config load' ORDER BY seq DESC LIMIT 1"
    found = scalar(connection, query)
    return None if found is None else str(found)


def _says_the_same(before: Definition | None, after: Definition) -> bool:
    if before is None or before.body is None or after.body is None:
        return (before is None or before.body is None) and after.body is None
    return canonical(before.body) == canonical(after.body)


def _insert(connection: Connection, definitions: Sequence[Definition]) -> None:
    insert = "INSERT INTO definition (kind, id, known_from_ms, body) VALUES (:kind, :id, :known_from_ms, :body)"
    values = [
        {
            "kind": d.kind,
            "id": d.id,
            "known_from_ms": d.known_from_ms,
            "body": None if d.body is None else canonical(d.body),
        }
        for d in definitions
    ]
    run_many(connection, insert, values)


def _record(
    connection: Connection, definitions: Sequence[Definition], *, at_ms: int, actor: Actor, said: Mapping[str, Any]
) -> Head:
    kept = [
        {"kind": d.kind, "id": d.id, "known_from_ms": d.known_from_ms, "removed": d.body is None} for d in definitions
    ]
    return journal.append(
        connection,
        at_ms=at_ms,
        actor=actor,
        action="config load",
        subject="config",
        subject_id=said["source_sha256"],
        body={**said, "definitions": kept},
    )


def in_force(ledger: Ledger, at_ms: int) -> dict[Key, Definition]:
    """The version of each thing that holds at that instant; what was removed by then is not in it."""
    with ledger.read() as connection:
        newest = {(d.kind, d.id): d for d in _rows(connection) if d.known_from_ms <= at_ms}
    return {key: definition for key, definition in newest.items() if definition.body is not None}


def history(ledger: Ledger, kind: DefinitionKind | None = None, id: str | None = None) -> tuple[Definition, ...]:
    """All versions, by kind, id and `known_from_ms` ascending; only of one kind or thing where named."""
    with ledger.read() as connection:
        return tuple(_rows(connection, kind, id))


def _rows(connection: Connection, kind: str | None = None, id: str | None = None) -> Iterable[Definition]:
    asked = {name: value for name, value in (("kind", kind), ("id", id)) if value is not None}
    where = f"WHERE {' AND '.join(f'{name} = :{name}' for name in asked)}" if asked else ""
    query = f"SELECT kind, id, known_from_ms, body FROM definition {where} ORDER BY kind, id, known_from_ms"
    return [_definition(row) for row in all_rows(connection, query, **asked)]


def _definition(row: Row[Any]) -> Definition:
    body: Mapping[str, Any] | None = None if row.body is None else json.loads(row.body)
    return Definition(row.kind, row.id, row.known_from_ms, body)
