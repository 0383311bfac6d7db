"""Documents as they were handed out, byte for byte, in the ledger itself: one backup holds all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.errors import LedgerError
from ledger.identity import short_id
from ledger.query import all_rows, first_row, run, scalar
from ledger.store import Ledger

_SHOWN = "id, kind, subject, name, media_type, created_ms, sha256, LENGTH(content) AS size"
_INSERT = """INSERT INTO document (id, kind, subject, name, media_type, created_ms, sha256, content)
VALUES (:id, :kind, :subject, :name, :media_type, :created_ms, :sha256, :content)"""
_LISTED = f"""SELECT {_SHOWN} FROM document WHERE (:kind IS NULL OR kind = :kind)
AND (:subject IS NULL OR subject = :subject) ORDER BY number"""


class DocumentDamaged(LedgerError):
    """{where}: this document is no longer what was stored; restore a backup that has it whole"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a document: `subject` by the id of its kind, `name` a file's name, `size` in bytes."""

    id: str
    kind: str
    subject: str
    name: str
    media_type: str
    created_ms: int
    sha256: str
    size: int


def store_document(
    connection: Connection, content: bytes, *, kind: str, subject: str, name: str, media_type: str, at_ms: int
) -> Stored:
    """Keep a document, in the transaction of `Ledger.decide()`. It is never changed and never deleted."""
    sha256 = hashlib.sha256(content).hexdigest()

    def taken(found: str) -> bool:
        return scalar(connection, "SELECT 1 FROM document WHERE id = :id", id=found) is not None

    own_id = short_id("D", kind, subject, name, sha256, taken=taken)
    stored = Stored(own_id, kind, subject, name, media_type, at_ms, sha256, len(content))
    row = {field: getattr(stored, field) for field in Stored.__slots__ if field != "size"}
    run(connection, _INSERT, **row, content=content)
    return stored


def document(ledger: Ledger, document_id: str) -> tuple[Stored, bytes] | None:
    """A document and its bytes; None for an id that is not known. Raises DocumentDamaged."""
    with ledger.read() as connection:
        row = first_row(connection, f"SELECT {_SHOWN}, content FROM document WHERE id = :id", id=document_id)
    if row is None:
        return None
    stored, content = _stored(row[:-1]), bytes(row.content)
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise DocumentDamaged(f"{ledger.path}: {document_id}")
    return stored, content


def documents(ledger: Ledger, *, kind: str | None = None, subject: str | None = None) -> Sequence[Stored]:
    """Every document in the order in which they were stored, without their bytes."""
    with ledger.read() as connection:
        return [_stored(tuple(row)) for row in all_rows(connection, _LISTED, kind=kind, subject=subject)]


def _stored(row: tuple[Any, ...]) -> Stored:
    return Stored(*row)
