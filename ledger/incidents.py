"""What is on record around one outage: those before and after it, and what its endpoint's parent did meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ledger.query import all_rows, first_row, scalar
from ledger.slots import DAY_MS
from sla.incidents import Spell

LOOK_BACK_MS = 7 * DAY_MS  # an incident that lasts longer is told as if it had begun then

_SPELLS = """SELECT i.id, i.from_ms, i.to_ms FROM "interval" AS i JOIN endpoint AS e ON e.number = i.endpoint
JOIN location AS l ON l.number = i.location WHERE e.id = :endpoint AND l.id = :location AND i.kind = :kind
AND i.from_ms >= :from_ms ORDER BY i.from_ms"""
_NEWEST_BODY = "SELECT body FROM definition WHERE kind = 'endpoint' AND id = :id ORDER BY known_from_ms DESC LIMIT 1"
_MEANWHILE = """SELECT i.id, i.from_ms, i.to_ms FROM "interval" AS i JOIN endpoint AS e ON e.number = i.endpoint
WHERE e.id = :id AND i.kind = 'down' AND COALESCE(i.last_good_ms, i.from_ms) < :at_ms
AND (i.to_ms IS NULL OR i.to_ms > :at_ms) ORDER BY i.to_ms IS NOT NULL, i.from_ms LIMIT 1"""
_GOOD_SINCE = """SELECT r.verdict FROM raw_check AS r JOIN endpoint AS e ON e.number = r.endpoint
JOIN location AS l ON l.number = r.location WHERE e.id = :id AND l.id = :location AND r.at_ms >= :since_ms
ORDER BY r.at_ms DESC LIMIT 1"""


def spells_around(connection: Connection, endpoint: str, location: str, kind: str, *, at_ms: int) -> list[Spell]:
    """Its outages (or degraded stretches) from a week before that instant on, ascending."""
    values = {"endpoint": endpoint, "location": location, "kind": kind, "from_ms": at_ms - LOOK_BACK_MS}
    return [Spell(row.id, row.from_ms, row.to_ms) for row in all_rows(connection, _SPELLS, **values)]


def agreed_now(connection: Connection, endpoint: str) -> Mapping[str, Any]:
    """Its newest definition; empty for one that was removed or never defined."""
    body = scalar(connection, _NEWEST_BODY, id=endpoint)
    return {} if body is None else json.loads(body)


def meanwhile(connection: Connection, parent: str, *, at_ms: int) -> Spell | None:
    """The parent's outage during which something failed first at that instant, as far as the evidence allows.

    It may have begun any time after its last good check: two that fail together are not seen at the same moment.
    """
    row = first_row(connection, _MEANWHILE, id=parent, at_ms=at_ms)
    return None if row is None else Spell(row.id, row.from_ms, row.to_ms)


def is_good_since(connection: Connection, endpoint: str, location: str, *, since_ms: int) -> bool:
    """Whether its newest check is no older than that and was good."""
    verdict = scalar(connection, _GOOD_SINCE, id=endpoint, location=location, since_ms=since_ms)
    return verdict is not None and verdict < 2
