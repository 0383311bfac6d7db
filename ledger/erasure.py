"""Forgetting on request: the body of a record, or a person, leaves the ledger; the chain of the journal still holds.

What goes is overwritten in the file, not only unlinked. Backups made before still hold it: see docs/privacy.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger import journal
from ledger.errors import LedgerError
from ledger.journal import BODY_ERASED, Actor, Head
from ledger.naming import JOURNAL, Naming, bodies_naming, naming
from ledger.persons import Person, person_called
from ledger.query import first_row, run
from ledger.store import Ledger
from ledger.stored import empty_the_log, overwrite_what_goes

PERSON_ERASED = "person erased"
_TELL_OF_ERASURE = (BODY_ERASED, PERSON_ERASED)  # opaque by themselves; the first is what an erasure is verified by
_FIND = """SELECT j.action, b.body, b.erased_ms, b.erased_reason FROM journal AS j
LEFT JOIN journal_body AS b ON b.seq = j.seq WHERE j.seq = :seq"""
_ERASE = "UPDATE journal_body SET body = NULL, erased_ms = :at_ms, erased_reason = :reason WHERE seq = :seq"


class NoSuchRecord(LedgerError):
    """journal record {where}: there is none; `nines journal list` shows them"""


class BodyStays(LedgerError):
    """journal record {where}: it tells of an erasure, and its body is needed to verify that; it names nobody"""


class AlreadyErased(LedgerError):
    """{where}"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done. `log_emptied`: False while somebody reads, so that older pages stand in the log until a daemon or
    a command can empty it. `still_named`: texts that hold the name and are part of what was agreed or observed.
    """

    head: Head
    bodies: tuple[int, ...]
    log_emptied: bool
    still_named: tuple[Naming, ...] = ()


def erase_body(ledger: Ledger, seq: int, *, reason: str, at_ms: int, actor: Actor) -> Erasure:
    """Replace the body of a record by its hash, reason and date, and put that on record in the same transaction.

    `reason` is kept for good and names nobody. Raises NoSuchRecord, BodyStays or AlreadyErased.
    """
    if not reason.strip():
        raise ValueError("an erasure needs a reason")
    with ledger.decide() as connection:
        overwrite_what_goes(connection)
        head = _erase(connection, seq, reason=reason, at_ms=at_ms, actor=actor)
    return Erasure(head, (seq,), empty_the_log(ledger))


def _erase(connection: Connection, seq: int, *, reason: str, at_ms: int, actor: Actor) -> Head:
    found = first_row(connection, _FIND, seq=seq)
    if found is None:
        raise NoSuchRecord(str(seq))
    if found.action in _TELL_OF_ERASURE:
        raise BodyStays(str(seq))
    if found.body is None:
        raise AlreadyErased(f"journal record {seq}: its body was erased before ({found.erased_reason})")
    run(connection, _ERASE, seq=seq, at_ms=at_ms, reason=reason)
    return journal.append(
        connection,
        at_ms=at_ms,
        actor=actor,
        action=BODY_ERASED,
        subject="journal",
        subject_id=str(seq),
        body={"seq": seq, "reason": reason, "erased_ms": at_ms},
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the erasure of a person would take: the bodies that name them. `elsewhere` stays."""

    person: Person
    bodies: tuple[int, ...]
    elsewhere: tuple[Naming, ...]


def plan(ledger: Ledger, word: str) -> Plan:
    """What `erase_person` would do. Raises NoSuchPerson."""
    with ledger.read() as connection:
        return _plan(connection, person_called(connection, word))


def _plan(connection: Connection, person: Person) -> Plan:
    bodies = tuple(seq for seq in bodies_naming(connection, person.words) if not _tells_of_erasure(connection, seq))
    elsewhere = tuple(found for found in naming(connection, person.words) if found.table != JOURNAL)
    return Plan(person, bodies, elsewhere)


def _tells_of_erasure(connection: Connection, seq: int) -> bool:
    found = first_row(connection, "SELECT action FROM journal WHERE seq = :seq", seq=seq)
    return found is not None and found.action in _TELL_OF_ERASURE


def erase_person(ledger: Ledger, id: str, *, keep: Sequence[int] = (), at_ms: int, actor: Actor) -> Erasure:
    """Take name and login away, and the bodies that hold them but for those in `keep`; the opaque id stays.

    One transaction with its records: one for each body, and `person erased`. Whoever has that login later is a new
    person. Raises NoSuchPerson or AlreadyErased.
    """
    with ledger.decide() as connection:
        overwrite_what_goes(connection)
        person = person_called(connection, id)
        if person.erased_ms is not None:
            raise AlreadyErased(f"{person.id}: was erased before")
        found = _plan(connection, person)
        bodies = tuple(seq for seq in found.bodies if seq not in keep)
        for seq in bodies:
            _erase(connection, seq, reason=f"person {person.id} erased", at_ms=at_ms, actor=actor)
        update = "UPDATE person SET name = NULL, os_user = NULL, erased_ms = :at_ms WHERE id = :id"
        run(connection, update, id=person.id, at_ms=at_ms)
        head = journal.append(
            connection,
            at_ms=at_ms,
            actor=actor,
            action=PERSON_ERASED,
            subject="person",
            subject_id=person.id,
            body={"bodies": list(bodies)},
        )
    return Erasure(head, bodies, empty_the_log(ledger), found.elsewhere)
