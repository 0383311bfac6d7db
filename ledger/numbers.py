"""Small numbers for endpoints and locations, so that a check on record costs few bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Connection

from ledger.query import all_rows, run, scalar

Numbered = Literal["endpoint", "location"]
FEW = 50  # are asked for one by one; of more the whole table is read


class Numbers:
    """Numbers as handed out by one writer; `forget` after a rollback, for some may never have been written."""

    def __init__(self) -> None:
        self._known: dict[tuple[Numbered, str], int] = {}
        self.pairs: dict[tuple[str, str], tuple[int, int]] = {}  # (endpoint, location): looked up once per check

    def get(self, connection: Connection, what: Numbered, id: str) -> int:
        """The number of that thing, given now where it has none. Needs a writing transaction."""
        number = self._known.get((what, id))
        if number is None:
            number = self._known[what, id] = _given(connection, what, id)
        return number

    def pair(self, connection: Connection, endpoint: str, location: str) -> tuple[int, int]:
        """The numbers of both, kept in `pairs`: there each of many endpoints is remembered once."""
        found = (_given(connection, "endpoint", endpoint), self.get(connection, "location", location))
        self.pairs[endpoint, location] = found
        return found

    def forget(self) -> None:
        self._known.clear()
        self.pairs.clear()


def _given(connection: Connection, what: Numbered, id: str) -> int:
    run(connection, f"INSERT INTO {what} (id) VALUES (:id) ON CONFLICT (id) DO NOTHING", id=id)
    return int(scalar(connection, f"SELECT number FROM {what} WHERE id = :id", id=id))


def find(connection: Connection, what: Numbered, id: str) -> int | None:
    """The number of that thing; None where the ledger never heard of it."""
    number = scalar(connection, f"SELECT number FROM {what} WHERE id = :id", id=id)
    return None if number is None else int(number)


def find_all(connection: Connection, what: Numbered, ids: Iterable[str]) -> dict[str, int]:
    """The numbers of those that have one."""
    wanted = set(ids)
    if len(wanted) <= FEW:
        return {id: number for id in wanted if (number := find(connection, what, id)) is not None}
    return {row.id: row.number for row in all_rows(connection, f"SELECT id, number FROM {what}") if row.id in wanted}
