"""Outages as a table and as JSON: open ones first, then the newest; each with the evidence that bounds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from ledger.outages import Recorded
from reporting.causes import cause_words
from reporting.wording import at_zone, full_time, iso_utc, plain, used
from sla.incidents import Incident

TABLE_HEADS = ("OUTAGE", "STATE", "ENDPOINT", "BEGAN", "ENDED", "LASTED", "WHAT FAILED")
TABLE_RIGHT = (5,)
NO_OUTAGES = "No outages on record."


def table_rows(
    outages: Sequence[Recorded], *, now_ms: int, zone: ZoneInfo, names: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """The cells under TABLE_HEADS. `names` gives endpoints their names; times are the viewer's."""
    return [
        (
            found.outage.id or "",
            state_words(found),
            plain(names.get(found.endpoint, found.endpoint)),
            _when(found.outage.from_ms, zone),
            "" if found.outage.to_ms is None else _when(found.outage.to_ms, zone),
            used(length_ms(found, now_ms=now_ms)),
            cause_words(found.outage.cause)[:80],
        )
        for found in outages
    ]


def as_data(outages: Sequence[Recorded], *, now_ms: int, incidents: Mapping[str, Incident]) -> list[dict[str, Any]]:
    """The same for JSON, times in ms and ISO 8601; `lasted_ms` of an open one runs until now.

    `incidents`: by outage; `incident` is the id of the first outage in it.
    """
    return [
        {
            "id": found.outage.id,
            "incident": incidents[found.outage.id or ""].id,
            "endpoint": found.endpoint,
            "location": found.location,
            "kind": found.kind,
            "state": "open" if found.is_open else "over",
            "from_ms": found.outage.from_ms,
            "from": iso_utc(found.outage.from_ms),
            "to_ms": found.outage.to_ms,
            "to": None if found.outage.to_ms is None else iso_utc(found.outage.to_ms),
            "lasted_ms": length_ms(found, now_ms=now_ms),
            "last_good_ms": found.outage.last_good_ms,
            "first_bad_ms": found.outage.first_bad_ms,
            "confirmed_ms": found.outage.confirmed_ms,
            "last_bad_ms": found.outage.last_bad_ms,
            "first_good_ms": found.outage.first_good_ms,
            "end_reason": found.end_reason,
            "failed_checks": found.outage.failed_checks,
            "error": found.error,
            "cause": found.outage.cause or None,
            "text": found.outage.text or None,
            "source": found.source,
        }
        for found in outages
    ]


def detail_lines(found: Recorded, *, now_ms: int, zone: ZoneInfo, name: str, incident: Incident) -> Iterator[str]:
    """One outage in full: how long, how sure, what proves it."""
    outage = found.outage
    yield f"{outage.id}: {plain(name)} {state_words(found)}, {used(length_ms(found, now_ms=now_ms))}"
    yield f"  began          {full_time(outage.from_ms, zone)}"
    yield f"  ended          {'not yet' if outage.to_ms is None else full_time(outage.to_ms, zone)}"
    evidence = (
        ("last good", outage.last_good_ms),
        ("first bad", outage.first_bad_ms),
        ("confirmed", outage.confirmed_ms),
        ("last bad", outage.last_bad_ms),
        ("first good", outage.first_good_ms),
    )
    for label, at_ms in evidence:
        yield f"  {label:<15}{'not on record' if at_ms is None else full_time(at_ms, zone)}"
    yield f"  failed checks  {outage.failed_checks if outage.failed_checks is not None else 'not on record'}"
    if found.error:
        yield f"  what failed    {cause_words(found.error)}"
    if found.outage.cause not in ("", found.error):
        yield f"  cause          {cause_words(found.outage.cause)}"
    if incident.flaps:
        since = full_time(incident.from_ms, zone)
        yield f"  incident       {incident.id}: it flapped, {len(incident.spells)} outages since {since}"
    if found.end_reason == "unobserved":
        yield "  Its recovery was not seen: it ends where the last failed check stops to vouch for it."


def state_words(found: Recorded) -> str:
    """`down`, `was down`, `degraded`, `was degraded`."""
    return found.kind if found.is_open else f"was {found.kind}"


def length_ms(found: Recorded, *, now_ms: int) -> int:
    end_ms = now_ms if found.outage.to_ms is None else found.outage.to_ms
    return max(0, end_ms - found.outage.from_ms)


def _when(at_ms: int, zone: ZoneInfo) -> str:
    local = at_zone(at_ms, zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
