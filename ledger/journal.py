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

from ledger.query import first_row, run, scalar
from ledger.store import Ledger, is_deciding

VERSION = 1
PREFIX = "nines-journal-1\n"
_HASHED = (
    *("v", "ledger_id", "seq", "at_ms", "actor", "actor_kind", "action", "subject", "subject_id", "body_sha256"),
    "prev",
)
_LAST = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
_INSERT = f"INSERT INTO journal ({', '.join(_HASHED)}, hash) VALUES (:{', :'.join(_HASHED)}, :hash)"


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


@dataclass(frozen=True, slots=True)
class Verification:
    """`problems` in the order of the chain, one line each; empty: no accident found."""

    records: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.problems


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
    return _sha256(PREFIX + canonical({key: record[key] for key in _HASHED}))


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
    """Add one record in the transaction of `Ledger.decide()`. Names and addresses belong into no field of it."""
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
    run(connection, "INSERT INTO journal_body (seq, body) VALUES (:seq, :body)", seq=record["seq"], body=text)
    return Head(record["ledger_id"], record["seq"], digest)


def _ledger_id(connection: Connection) -> str:
    return str(scalar(connection, "SELECT value FROM meta WHERE key = 'ledger_id'"))


def head(ledger: Ledger) -> Head | None:
    """The newest record; None while nothing was decided."""
    with ledger.read() as connection:
        last = first_row(connection, _LAST)
    return None if last is None else Head(ledger.id, last.seq, last.hash)


def verify(ledger: Ledger) -> Verification:
    """Walk the chain: sequence, links, hashes and bodies. It finds accidents, not a forger who owns the file."""
    problems: list[str] = []
    prev, seq = None, 0
    query = "SELECT j.*, b.body, b.erased_ms FROM journal AS j LEFT JOIN journal_body AS b USING (seq) ORDER BY seq"
    with ledger.read() as connection:
        for row in run(connection, query).mappings():
            seq += 1
            problems += [f"journal record {row['seq']}: {what}" for what in _faults(row, ledger.id, seq, prev)]
            prev, seq = row["hash"], row["seq"]
    return Verification(seq, tuple(problems))


def _faults(row: Mapping[Any, Any], ledger_id: str, seq: int, prev: str | None) -> list[str]:
    faults = []
    if row["seq"] != seq:
        faults.append(f"record {seq} is missing before it")
    if row["prev"] != prev:
        faults.append("it does not follow the record before it")
    if row["ledger_id"] != ledger_id:
        faults.append(f"it belongs to ledger {row['ledger_id']}")
    if record_hash(row) != row["hash"]:
        faults.append("it was changed after it was written")
    if row["body"] is None and row["erased_ms"] is None:
        faults.append("its body is gone without an erasure on record")
    elif row["body"] is not None and _sha256(row["body"]) != row["body_sha256"]:
        faults.append("its body was changed after it was written")
    return faults
