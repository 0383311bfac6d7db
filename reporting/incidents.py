"""The incident that an outage on record belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from ledger.incidents import agreed_now, spells_around
from ledger.outages import Recorded
from ledger.store import Ledger
from sla.incidents import Incident, calm_ms, incidents


def incident_of(connection: Connection, found: Recorded) -> tuple[Incident, int]:
    """The incident that the outage belongs to, as it is known by now, and the calm time (ms) that ends it."""
    key = (found.endpoint, found.location, found.kind)
    calm = calm_ms(agreed_now(connection, found.endpoint).get("interval_ms", 0))
    all_of_them = incidents(spells_around(connection, *key, at_ms=found.outage.from_ms), calm_ms=calm)
    return next(one for one in all_of_them if any(spell.id == found.outage.id for spell in one.spells)), calm


def incidents_of(ledger: Ledger, outages: Iterable[Recorded]) -> dict[str, Incident]:
    """The same for several, by the outage's id."""
    found: dict[str, Incident] = {}
    with ledger.read() as connection:
        for one in outages:
            id = one.outage.id or ""
            if id not in found:
                incident, _ = incident_of(connection, one)
                found |= {spell.id: incident for spell in incident.spells}
    return found
