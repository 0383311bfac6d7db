"""From an event to the alert: the opaque ids of its body get their names, and whom it hits."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.events import Happened
from ledger.outages import outage
from ledger.store import Ledger
from reporting.agreements import Agreements, agreements
from reporting.alerts.message import Affected, Alert, Flapping
from reporting.incidents import incident_of
from sla.compose import endpoint_of, members
from sla.terms import in_force


def alert_of(ledger: Ledger, event: Happened, *, tz: str) -> Alert:
    """What to tell of an `outage.opened` or `outage.closed`, or of trouble of our own."""
    if not event.kind.startswith("outage."):
        return notice_of(event, tz=tz)
    agreed, body = agreements(ledger), event.body
    endpoint, from_ms = str(body["endpoint"]), int(body["from_ms"])
    return Alert(
        id=event.id,
        happening="closed" if event.kind == "outage.closed" else "opened",
        endpoint=endpoint,
        name=agreed.name("endpoint", endpoint),
        tz=tz,
        kind=body["kind"],
        outage=body["outage"],
        from_ms=from_ms,
        to_ms=body["to_ms"],
        last_good_ms=body["last_good_ms"],
        confirmed_ms=body["confirmed_ms"],
        end_reason=body["end_reason"],
        error=body["error"] or "",
        failed_checks=body["failed_checks"],
        maintenance_to_ms=maintenance_until(agreed, endpoint, at_ms=from_ms),
        affects=tuple(affected(agreed, endpoint, at_ms=from_ms)),
        flapping=flapping_of(ledger, str(body["outage"])),
    )


def flapping_of(ledger: Ledger, id: str) -> Flapping | None:
    """The incident up to that outage, where it flapped by then."""
    found = outage(ledger, id)
    if found is None:
        return None
    with ledger.read() as connection:
        incident, calm = incident_of(connection, found)
    then = incident.upto(id)
    return Flapping(len(then.spells), then.from_ms, then.over_ms, calm) if then.flaps else None


def notice_of(event: Happened, *, tz: str) -> Alert:
    """What to tell of something that concerns the monitor itself and no endpoint."""
    words = str(event.body.get("text") or _away_words(event))
    return Alert(event.id, "notice", "", "nines", tz, from_ms=event.at_ms, error=words, notice=event.kind)


def _away_words(event: Happened) -> str:
    waited, dropped = event.body.get("waited", 0), event.body.get("dropped_checks", 0)
    lost = f"; for {dropped} plain checks there was no room" if dropped else ""
    return (
        f"{event.body.get('reason', 'it could not be written')}: {waited} observations waited and are on record{lost}"
    )


def maintenance_until(agreed: Agreements, endpoint: str, *, at_ms: int) -> int | None:
    """The end of the announced window on the endpoint, or on a service composed of it, at that instant."""
    ids = {
        *agreed.current("service"),
        *(one for id in agreed.current("contract") for one in agreed.contract(id).services),
    }
    named = {("service", id) for id in ids if _is_member(agreed, id, endpoint, at_ms)} | {("endpoint", endpoint)}
    ends = [window.to_ms for window in agreed.windows(at_ms, at_ms + 1) if window.scope & named]
    return max(ends, default=None)


def affected(agreed: Agreements, endpoint: str, *, at_ms: int) -> Iterator[Affected]:
    """The services composed of the endpoint at that instant: those under contract first, with what is promised."""
    promised = set()
    for id in agreed.current("contract"):
        contract = agreed.contract(id)
        for service in contract.services:
            if not _is_member(agreed, service, endpoint, at_ms):
                continue
            promised.add(service)
            target = in_force(contract.versions, at_ms).target
            yield Affected(
                service=agreed.composition(service).name,
                client=contract.client_name,
                contract=contract.id,
                target_pct=None if target is None else f"{target:f}",
            )
    for service in agreed.current("service"):
        if service not in promised and _is_member(agreed, service, endpoint, at_ms):
            yield Affected(service=agreed.composition(service).name)


def _is_member(agreed: Agreements, service: str, endpoint: str, at_ms: int) -> bool:
    dated = agreed.composition(service).dated
    expression = next((made_of for from_ms, made_of in reversed(dated) if from_ms <= at_ms), dated[0][1])
    return endpoint in map(endpoint_of, members(expression))
