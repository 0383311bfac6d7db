"""The statement's canonical bytes, as they are attached to the PDF and hashed."""

from __future__ import annotations

from sla.canonical import as_json, canonical
from sla.statement import Statement

NAME = "statement.json"


def statement_bytes(statement: Statement) -> bytes:
    """Canonical statement/1: its SHA-256 is the hash printed in the document."""
    return canonical(as_json(statement))
