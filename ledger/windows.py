"""Occurrences of announced maintenance: their ids, and what each contract decided once they had ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row

from ledger import journal
from ledger.identity import short_id
from ledger.journal import Actor, Head
from ledger.query import first_row, run, scalar
from ledger.store import Ledger
from sla.facts import Window


@dataclass(frozen=True, slots=True)
class Decision:
    """One contract's answer to one occurrence, for the client to read. `window.definition` and `from_ms` name it."""

    window: Window
    accepted: bool
    why: str


def on_record(ledger: Ledger, windows: Iterable[Window], *, contract: str | None = None) -> tuple[Window, ...]:
    """The same occurrences with their ids, and with the contract's decision where one was made.

    An id is known before an occurrence is ever written, and no two of one answer share theirs. Windows without a
    definition (given as facts) stay as given.
    """
    promised: dict[str, Window] = {}
    with ledger.read() as connection:
        return tuple(_with_record(connection, ledger.id, window, contract, promised) for window in windows)


def _with_record(
    connection: Connection, ledger_id: str, window: Window, contract: str | None, promised: dict[str, Window]
) -> Window:
    """`promised`: the ids given in this answer to occurrences that are not written yet; what is given is added."""
    if window.definition is None:
        return window
    row = first_row(connection, _FIND, definition=window.definition, from_ms=window.from_ms)
    if row is None:
        return replace(window, id=_new_id(connection, ledger_id, window, promised))
    decided = None if contract is None else first_row(connection, _DECIDED, window=row.number, contract=contract)
    found = replace(window, id=row.id, to_ms=row.to_ms, entered_ms=row.entered_ms, title=row.title, scope=_scope(row))
    return found if decided is None else replace(found, accepted=bool(decided.accepted), why=decided.why)


_FIND = 'SELECT * FROM "window" WHERE definition = :definition AND from_ms = :from_ms'
_DECIDED = 'SELECT accepted, why FROM acceptance WHERE "window" = :window AND contract = :contract'
_INSERT = """INSERT INTO "window" (id, definition, from_ms, to_ms, entered_ms, scope, title)
VALUES (:id, :definition, :from_ms, :to_ms, :entered_ms, :scope, :title)"""
_ACCEPT = """INSERT INTO acceptance ("window", contract, accepted, why, decided_ms)
VALUES (:window, :contract, :accepted, :why, :decided_ms)"""


def _scope(row: Row[Any]) -> frozenset[tuple[str, str]]:
    return frozenset((kind, id) for kind, id in json.loads(row.scope))


def _new_id(connection: Connection, ledger_id: str, window: Window, promised: dict[str, Window]) -> str:
    def taken(id: str) -> bool:
        other = promised.get(id, window)
        if (other.definition, other.from_ms) != (window.definition, window.from_ms):
            return True
        return scalar(connection, 'SELECT 1 FROM "window" WHERE id = :id', id=id) is not None

    id = short_id("M", ledger_id, window.definition, window.from_ms, taken=taken)
    promised[id] = window
    return id


def decide(
    ledger: Ledger, decisions: Sequence[Decision], *, contract: str, at_ms: int, actor: Actor
) -> tuple[Decision, ...]:
    """Record a contract's decisions on occurrences that have ended by `at_ms`, each once and for good.

    Returns those that were new, their windows with ids; one record in the journal names them. Occurrences that have
    not ended and those already decided are passed over.
    """
    ended = [one for one in decisions if one.window.to_ms <= at_ms and one.window.definition is not None]
    if not any(
        window.accepted is None for window in on_record(ledger, [one.window for one in ended], contract=contract)
    ):
        return ()
    with ledger.decide() as connection:
        fresh = [found for one in ended if (found := _decide(connection, ledger.id, one, contract, at_ms))]
        if fresh:
            _record(connection, fresh, contract=contract, at_ms=at_ms, actor=actor)
    return tuple(fresh)


def _decide(connection: Connection, ledger_id: str, one: Decision, contract: str, at_ms: int) -> Decision | None:
    window = _with_record(connection, ledger_id, one.window, contract, {})
    if window.accepted is not None:
        return None
    number = scalar(connection, _FIND, definition=window.definition, from_ms=window.from_ms)
    if number is None:
        values = {"definition": window.definition, "from_ms": window.from_ms, "to_ms": window.to_ms}
        scope = json.dumps(sorted(window.scope))
        more = {"id": window.id, "entered_ms": window.entered_ms, "scope": scope, "title": window.title}
        run(connection, _INSERT, **values, **more)
        number = scalar(connection, _FIND, definition=window.definition, from_ms=window.from_ms)
    run(
        connection,
        _ACCEPT,
        window=number,
        contract=contract,
        accepted=int(one.accepted),
        why=one.why,
        decided_ms=at_ms,
    )
    return Decision(replace(window, accepted=one.accepted, why=one.why), one.accepted, one.why)


def _record(connection: Connection, decisions: Sequence[Decision], *, contract: str, at_ms: int, actor: Actor) -> Head:
    told = [
        {
            "window": one.window.id,
            "definition": one.window.definition,
            "from_ms": one.window.from_ms,
            "to_ms": one.window.to_ms,
            "entered_ms": one.window.entered_ms,
            "accepted": one.accepted,
            "why": one.why,
        }
        for one in decisions
    ]
    return journal.append(
        connection,
        at_ms=at_ms,
        actor=actor,
        action="maintenance decided",
        subject="contract",
        subject_id=contract,
        body={"windows": told},
    )
