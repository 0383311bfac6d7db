"""The journal: everything a person or the program decided, in one chain (record version 1 of STATEMENT.md).

`hash = SHA-256("nines-journal-1\\n" + record)`, the record being canonical JSON of the hashed part. Bodies lie in rows
of their own and may be erased; the chain then still holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ledger.errors import JournalBlocked
from ledger.query import first_row, run, scalar
from ledger.store import Ledger, is_deciding
from ledger.stored import file_of

VERSION = 1
PREFIX = "nines-journal-1\n"
BODY_ERASED = "body erased"  # the action of a record that tells of the erasure of another one's body
HASHED = (
    *("v", "ledger_id", "seq", "at_ms", "actor", "actor_kind", "action", "subject", "subject_id", "body_sha256"),
    "prev",
)
_LAST = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
_INSERT = f"INSERT INTO journal ({', '.join(HASHED)}, hash) VALUES (:{', :'.join(HASHED)}, :hash)"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decided: an opaque person id, or a part of the program."""

    id: str
    kind: Literal["person", "program"]


PROGRAM = Actor("nines", "program")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record: what a sealed statement or an anchor names."""

    ledger_id: str
    seq: int
    hash: str


class NotDeciding(RuntimeError):
    """append() outside of Ledger.decide(): the lock must be taken before the last hash is read"""


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, compact, not escaped to ASCII, no NaN. Floats are refused."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float has no canonical form: {value!r}")
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            _refuse_floats(part)


def record_hash(record: Mapping[str, Any]) -> str:
    """The hash of a record's hashed part."""
    return _sha256(record_text(record))


def record_text(record: Mapping[str, Any]) -> str:
    """What is hashed of a record."""
    return PREFIX + canonical({key: record[key] for key in HASHED})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def append(
    connection: Connection,
    *,
    at_ms: int,
    actor: Actor,
    action: str,
    subject: str,
    subject_id: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> Head:
    """Add one record in the transaction of `Ledger.decide()`. Names and addresses belong into no field of it.

    Raises JournalBlocked where somebody put a body in its place.
    """
    if not is_deciding(connection):
        raise NotDeciding(NotDeciding.__doc__)
    last = first_row(connection, _LAST)
    text = canonical(dict(body or {}))
    record: dict[str, Any] = {
        "v": VERSION,
        "ledger_id": _ledger_id(connection),
        "seq": 1 if last is None else last.seq + 1,
        "at_ms": at_ms,
        "actor": actor.id,
        "actor_kind": actor.kind,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "body_sha256": _sha256(text),
        "prev": None if last is None else last.hash,
    }
    digest = record_hash(record)
    run(connection, _INSERT, **record, hash=digest)
    try:
        run(connection, "INSERT INTO journal_body (seq, body) VALUES (:seq, :body)", seq=record["seq"], body=text)
    except IntegrityError as error:
        raise JournalBlocked(file_of(connection)) from error
    return Head(record["ledger_id"], record["seq"], digest)


def _ledger_id(connection: Connection) -> str:
    return str(scalar(connection, "SELECT value FROM meta WHERE key = 'ledger_id'"))


def head(ledger: Ledger) -> Head | None:
    """The newest record; None while nothing was decided."""
    with ledger.read() as connection:
        last = first_row(connection, _LAST)
    return None if last is None else Head(ledger.id, last.seq, last.hash)


def newest(ledger: Ledger, *, limit: int) -> list[dict[str, Any]]:
    """The last `limit` records with their bodies, as JSON has them, the newest last; the body is null once erased."""
    query = f"""SELECT j.{", j.".join(HASHED)}, j.hash, b.body, b.erased_ms, b.erased_reason FROM journal AS j
LEFT JOIN journal_body AS b ON b.seq = j.seq ORDER BY j.seq DESC LIMIT :limit"""
    with ledger.read() as connection:
        rows = [dict(row) for row in run(connection, query, limit=limit).mappings()]
    return [{**row, "body": said(row["body"])} for row in reversed(rows)]


def said(body: str | None) -> Any:
    """What a body says; None once erased, the text as it stands where somebody made it no JSON (`verify` tells)."""
    try:
        return None if body is None else json.loads(body)
    except ValueError:
        return body
