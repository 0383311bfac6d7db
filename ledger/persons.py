"""Who acts. Names stand in the table of persons only; the rest of the ledger names an opaque id."""

from __future__ import annotations

from ledger.identity import random_id
from ledger.journal import Actor
from ledger.query import run, scalar
from ledger.store import Ledger

_BY_LOGIN = "SELECT id FROM person WHERE os_user = :login"
_INSERT = """INSERT INTO person (id, os_user, created_ms) VALUES (:id, :login, :at_ms)
ON CONFLICT (os_user) DO NOTHING"""


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
