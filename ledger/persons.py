"""Who acts. Names stand in the table of persons only; the rest of the ledger names an opaque id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.errors import LedgerError
from ledger.identity import random_id
from ledger.journal import Actor, said
from ledger.naming import Naming, naming
from ledger.query import all_rows, run, scalar
from ledger.store import Ledger

_BY_LOGIN = "SELECT id FROM person WHERE os_user = :login"
_INSERT = """INSERT INTO person (id, os_user, created_ms) VALUES (:id, :login, :at_ms)
ON CONFLICT (os_user) DO NOTHING"""
_PERSONS = """SELECT p.id, p.name, p.os_user, p.created_ms, p.erased_ms, COUNT(j.seq) AS records
FROM person AS p LEFT JOIN journal AS j ON j.actor = p.id AND j.actor_kind = 'person'
GROUP BY p.id ORDER BY p.created_ms, p.id"""
_RECORDS = """SELECT j.*, b.body, b.erased_ms, b.erased_reason FROM journal AS j
LEFT JOIN journal_body AS b ON b.seq = j.seq
WHERE (j.actor = :id AND j.actor_kind = 'person') OR (j.subject = 'person' AND j.subject_id = :id) ORDER BY j.seq"""
_EXCLUSIONS = """SELECT * FROM exclusion WHERE proposed_by = :id OR approved_by = :id OR withdrawn_by = :id
ORDER BY number"""
_PARTS = ("proposed", "approved", "withdrawn")


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the table of persons, and how many records of the journal name its id as the actor."""

    id: str
    name: str | None
    os_user: str | None
    created_ms: int
    erased_ms: int | None
    records: int

    @property
    def words(self) -> tuple[str, ...]:
        """What the person is called: what other texts of the ledger may hold."""
        return tuple(word for word in (self.name, self.os_user) if word)


class NoSuchPerson(LedgerError):
    """{where}: no such person is on record; `nines person list` shows them"""


class SeveralPersons(LedgerError):
    """{where}: more than one person is called so; give the id, as `nines person list` shows it"""


def os_user(ledger: Ledger, login: str, *, at_ms: int) -> Actor:
    """The person behind a login of this machine; made a person of the ledger at first sight."""
    with ledger.read() as connection:
        found = scalar(connection, _BY_LOGIN, login=login)
    if found is None:
        with ledger.decide() as connection:
            run(connection, _INSERT, id=random_id("P"), login=login, at_ms=at_ms)
            found = scalar(connection, _BY_LOGIN, login=login)
    return Actor(str(found), "person")


def name_of(ledger: Ledger, person: str) -> str | None:
    """What to call a person on our own screens: name, else login; None for an id that is not known or was erased."""
    with ledger.read() as connection:
        found = scalar(connection, "SELECT COALESCE(name, os_user) FROM person WHERE id = :id", id=person)
    return None if found is None else str(found)


def persons(ledger: Ledger) -> tuple[Person, ...]:
    """All of them, those that were erased included, the oldest first."""
    with ledger.read() as connection:
        return tuple(_persons(connection))


def _persons(connection: Connection) -> Iterator[Person]:
    for row in all_rows(connection, _PERSONS):
        yield Person(row.id, row.name, row.os_user, row.created_ms, row.erased_ms, row.records)


def person_called(connection: Connection, word: str) -> Person:
    """The person of that id, else of that login, else of that name. Raises NoSuchPerson or SeveralPersons."""
    everyone = list(_persons(connection))
    for name in ("id", "os_user", "name"):
        found = [person for person in everyone if getattr(person, name) == word]
        if len(found) > 1:
            raise SeveralPersons(word)
        if found:
            return found[0]
    raise NoSuchPerson(word)


def held_of(ledger: Ledger, word: str) -> dict[str, Any]:
    """Everything that the ledger holds of a person, as JSON has it; what is gone is null. Raises NoSuchPerson."""
    with ledger.read() as connection:
        person = person_called(connection, word)
        return {
            "schema": "nines/person/1",
            "ledger_id": ledger.id,
            "person": asdict(person),
            "journal": [_record(dict(row)) for row in run(connection, _RECORDS, id=person.id).mappings()],
            "exclusions": [_exclusion(dict(row), person.id) for row in _exclusions(connection, person.id)],
            "named_in": [asdict(found) for found in _named(connection, person)],
        }


def _exclusions(connection: Connection, id: str) -> Iterator[Any]:
    yield from run(connection, _EXCLUSIONS, id=id).mappings()


def _record(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "body": said(row["body"])}


def _exclusion(row: dict[str, Any], id: str) -> dict[str, Any]:
    """The row without its number, and what the person did about it."""
    did = [part for part in _PARTS if row[f"{part}_by"] == id]
    return {"did": did, **{name: value for name, value in row.items() if name != "number"}}


def _named(connection: Connection, person: Person) -> Iterator[Naming]:
    return naming(connection, person.words)
