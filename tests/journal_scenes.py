"""Journals for tests, and hands that reach past the program: raw connections, triggers dropped, a forger."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger_scenes import T0

from ledger.erasure import erase_body
from ledger.journal import PROGRAM, Actor, Head, append
from ledger.store import Ledger

HASHED = ("v", "ledger_id", "seq", "at_ms", "actor", "actor_kind", "action", "subject", "subject_id", "body_sha256")
HASHED += ("prev",)


def add(ledger: Ledger, number: int = 1, *, action: str = "import", actor: Actor = PROGRAM, **body: Any) -> Head:
    with ledger.decide() as connection:
        return append(
            connection,
            at_ms=T0 + number,
            actor=actor,
            action=action,
            subject="endpoint",
            subject_id="api" if number % 3 else None,
            body=body,
        )


def chain(ledger: Ledger, length: int) -> list[Head]:
    return [add(ledger, number, n=number, text=f"Zürich {number}") for number in range(1, length + 1)]


def erased(ledger: Ledger, seq: int, *, at_ms: int = T0 + 500) -> None:
    erase_body(ledger, seq, reason="asked for", at_ms=at_ms, actor=PROGRAM)


@contextmanager
def raw(path: Path, *, recursive: bool = False) -> Iterator[sqlite3.Connection]:
    """The database as anybody with the file can open it: none of our settings."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers = {int(recursive)}")
    connection.execute("PRAGMA synchronous = OFF")
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def unguarded(path: Path) -> Iterator[sqlite3.Connection]:
    """Every trigger dropped while the block runs, and made again after it as it was: the owner's patience."""
    with raw(path) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in guards:
            connection.execute(sql)


def rechain(connection: sqlite3.Connection) -> None:
    """What a forger does: every number, link and hash anew from what now stands in the rows, so that all fits."""
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute("SELECT * FROM journal ORDER BY seq")]
    bodies = dict(connection.execute("SELECT seq, body FROM journal_body").fetchall())
    connection.execute("DELETE FROM journal_body")
    connection.execute("DELETE FROM journal")
    prev = None
    for place, row in enumerate(rows, 1):
        body = bodies[row["seq"]]
        row |= {"seq": place, "prev": prev, "body_sha256": hashlib.sha256(body.encode()).hexdigest()}
        hashed = {name: row[name] for name in HASHED}
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        prev = hashlib.sha256(f"nines-journal-1\n{text}".encode()).hexdigest()
        names = (*HASHED, "hash")
        values = [*hashed.values(), prev]
        connection.execute(f"INSERT INTO journal ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values)
        connection.execute("INSERT INTO journal_body (seq, body) VALUES (?, ?)", (place, body))
