"""Whether something is worth telling now: not what a parent's outage explains, and not each turn of what flaps.

Everything is on record whatever is told. What is withheld leaves its reason with the delivery.
"""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.events import Happened, Later, Never, all_withheld
from ledger.incidents import agreed_now, is_good_since, meanwhile
from ledger.outages import Recorded, outage_in
from reporting.incidents import incident_of
from sla.incidents import FLAPS_FROM, Incident

LOOK_AGAIN_MS = 15_000  # at a parent that is down: of one that many are reached through, many ask
UNCLEAR_MS = 2_000
FLAPPING = "it flaps"
PATIENCE_MS = 120_000  # how long a parent may take to say whether it is down as well


Verdict = Later | Never | None  # None: tell it now


def worth_telling(connection: Connection, event: Happened, channel: str, *, now_ms: int) -> Verdict:
    """Whether to tell that channel of that event now."""
    if not event.kind.startswith("outage."):
        return None
    found = outage_in(connection, event.body["outage"])
    if found is None:
        return None
    incident, calm = incident_of(connection, found)
    if event.kind == "outage.opened":
        early = _of_its_parent(connection, found, told_ms=event.at_ms, now_ms=now_ms)
        return early or _of_flapping(incident, calm, found, now_ms)
    return _of_an_end(connection, channel, incident, calm, found, now_ms)


def _of_its_parent(connection: Connection, found: Recorded, *, told_ms: int, now_ms: int) -> Verdict:
    """Withheld while the parent is down; told after all where it is still down when the parent is back."""
    parent, from_ms = agreed_now(connection, found.endpoint).get("parent"), found.outage.from_ms
    if parent is None:
        return None
    blamed = meanwhile(connection, parent, at_ms=from_ms)
    if blamed is None:
        clear = is_good_since(connection, parent, found.location, since_ms=from_ms) or not found.is_open
        return None if clear or now_ms - told_ms > PATIENCE_MS else Later(now_ms + UNCLEAR_MS)
    if not found.is_open:
        return Never(f"{parent}, through which it is reached, was down ({blamed.id})")
    if blamed.to_ms is not None and (found.outage.last_bad_ms or 0) > blamed.to_ms:
        return None
    return Later(now_ms + LOOK_AGAIN_MS)


def _of_flapping(incident: Incident, calm: int, found: Recorded, now_ms: int) -> Verdict:
    """From the third outage on it flaps: that is told once, and then only a state that lasts."""
    if len(incident.upto(found.outage.id or "").spells) <= FLAPS_FROM:
        return None
    if not found.is_open:
        return Never(FLAPPING)
    steady_ms = found.outage.from_ms + calm
    return None if now_ms >= steady_ms else Later(steady_ms)


def _of_an_end(
    connection: Connection, channel: str, incident: Incident, calm: int, found: Recorded, now_ms: int
) -> Verdict:
    """Told where its beginning was; of what flaps only the end that lasts."""
    then = incident.upto(found.outage.id or "")
    told_of = [spell.id for spell in then.spells] if then.flaps else [found.outage.id or ""]
    if all_withheld(connection, channel, told_of):
        return Never("its beginning was withheld")
    if not then.flaps or found.outage.to_ms is None:
        return None
    if len(then.spells) < len(incident.spells):
        return Never(FLAPPING)
    steady_ms = found.outage.to_ms + calm
    return None if now_ms >= steady_ms else Later(steady_ms)
