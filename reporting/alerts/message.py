"""What an alert says: subject and text in plain words, and the documented JSON of the webhook (`nines/alert/1`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from reporting.causes import cause_words
from reporting.wording import clock_time, full_time, iso_utc, left, plain, zone_name
from sla.incidents import FLAPS_FROM

Happening = Literal["opened", "closed", "test", "notice"]
_NOTICES = {
    "ledger.away": "the database could not be written",
    "prober.blind": "our own link is lost, time is unknown and no downtime",
    "prober.suspended": "our own machine was suspended",
    "prober.clock_step": "our own clock was set",
    "prober.clock_wrong": "our own clock is wrong",
    "prober.clock_right": "our own clock is right again",
    "prober.resolver": "our own name servers do not answer",
    "prober.descriptors": "our own monitor is out of file descriptors",
    "prober.ports": "our own monitor is out of local ports",
    "prober.no_route": "our own machine has no route for a family of addresses",
}
LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Affected:
    """One service that is composed of the endpoint, and the contract it is promised in, if any."""

    service: str
    client: str | None = None
    contract: str | None = None
    target_pct: str | None = None


@dataclass(frozen=True, slots=True)
class Flapping:
    """Of the third outage of an incident, or a later one: how many there were, since when, how long in all."""

    outages: int
    from_ms: int
    down_ms: int  # of those that were over
    calm_ms: int  # how long a state must last to be told


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell. `id` is the same at every attempt, so that a receiver can drop what it has seen."""

    id: str
    happening: Happening
    endpoint: str
    name: str
    tz: str
    kind: Literal["down", "degraded"] = "down"
    outage: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    last_good_ms: int | None = None
    confirmed_ms: int | None = None
    end_reason: str | None = None  # recovered, unobserved, removed
    error: str = ""
    failed_checks: int | None = None
    maintenance_to_ms: int | None = None  # end of the announced window that it began in
    affects: tuple[Affected, ...] = ()
    flapping: Flapping | None = None
    notice: str = ""  # the kind of an event of our own; `error` says it in words

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)


def trial(*, id: str, tz: str) -> Alert:
    """What `nines alert test` sends: everything but an outage."""
    return Alert(id=id, happening="test", endpoint="test", name="Test", tz=tz)


def subject(alert: Alert) -> str:
    """`Down: Tracking API since 12:14:28 CET`: one line, the state first."""
    name = plain(alert.name)
    if alert.happening == "test":
        return "nines: test of this alert channel"
    if alert.happening == "notice":
        return f"nines itself: {_NOTICES.get(alert.notice, 'trouble of its own')}, {_at(alert, alert.from_ms)}"
    if alert.flapping is not None and not _lasts(alert, alert.flapping):
        return _subject_of_flapping(alert, alert.flapping)
    if alert.happening == "opened":
        word = "Down" if alert.kind == "down" else "Degraded"
        return f"{word}: {name} since {_at(alert, alert.from_ms)}"
    return f"{_ended_words(alert)}: {name}, {_state(alert)} for {_length(alert)}"


def text(alert: Alert) -> str:
    """The message's body: what happened, what proves it, what it counts against."""
    if alert.happening == "test":
        return "This is a test. This channel receives an alert when an outage opens and when it is over.\n"
    if alert.happening == "notice":
        return (
            f"{_full(alert, alert.from_ms)}: {plain(alert.error)[:LONGEST_TEXT]}.\nThis concerns no client's service.\n"
        )
    lines = [_sentence(alert), *_flapping(alert), "", *_evidence(alert), *_affected(alert)]
    if alert.outage:
        lines += ["", f"Outage {alert.outage}, endpoint {plain(alert.endpoint)}."]
    return "\n".join(lines) + "\n"


def as_data(alert: Alert, *, ledger_id: str) -> dict[str, Any]:
    """The webhook's JSON. Times are ms since the epoch with ISO 8601 beside them; null where a thing does not exist."""
    return {
        "schema": "nines/alert/1",
        "id": alert.id,
        "ledger_id": ledger_id,
        "event": _event(alert),
        "subject": subject(alert),
        "text": text(alert),
        "outage": _outage_data(alert) if alert.outage else None,
        "flapping": _flapping_data(alert.flapping),
        "affects": [
            {"service": a.service, "client": a.client, "contract": a.contract, "target_pct": a.target_pct}
            for a in alert.affects
        ],
    }


def _event(alert: Alert) -> str:
    if alert.happening in ("test", "notice"):
        return alert.notice or "test"
    return f"outage.{alert.happening}"


def _outage_data(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.outage,
        "kind": alert.kind,
        "endpoint": {"id": alert.endpoint, "name": alert.name},
        "from_ms": alert.from_ms,
        "from": _iso(alert.from_ms),
        "to_ms": alert.to_ms,
        "to": _iso(alert.to_ms),
        "last_good_ms": alert.last_good_ms,
        "confirmed_ms": alert.confirmed_ms,
        "end_reason": alert.end_reason,
        "error": plain(alert.error)[:LONGEST_TEXT] or None,
        "failed_checks": alert.failed_checks,
        "maintenance_to_ms": alert.maintenance_to_ms,
    }


def _flapping_data(flapping: Flapping | None) -> dict[str, Any] | None:
    if flapping is None:
        return None
    return {
        "outages": flapping.outages,
        "from_ms": flapping.from_ms,
        "from": iso_utc(flapping.from_ms),
        "down_ms": flapping.down_ms,
        "calm_ms": flapping.calm_ms,
    }


def _subject_of_flapping(alert: Alert, flapping: Flapping) -> str:
    name = plain(alert.name)
    count = f"{flapping.outages} times since {_at(alert, flapping.from_ms)}"
    if alert.happening == "opened":
        return f"Flapping: {name}, {_state(alert)} {count}"
    return f"Steady again: {name}, was {_state(alert)} {count}, {left(flapping.down_ms)} in all"


def _lasts(alert: Alert, flapping: Flapping) -> bool:
    """Whether this is one that is told because it did not end soon, as those before it did."""
    return alert.happening == "opened" and flapping.outages > FLAPS_FROM


def _flapping(alert: Alert) -> Iterable[str]:
    """One incident: how often, and what is told of it from now on."""
    flapping = alert.flapping
    if flapping is None:
        return
    often = f"{alert.kind} {flapping.outages} times since {_full(alert, flapping.from_ms)}"
    calm = left(flapping.calm_ms)
    if _lasts(alert, flapping):
        yield f"It flapped before: {often}. This time it has lasted for {calm}."
    elif alert.happening == "opened":
        yield f"It flaps: {often}. The next is told when one state has lasted for {calm};"
        yield "every outage is on record and counts as it is."
    else:
        yield f"It flapped: {often}, {left(flapping.down_ms)} in all. It has been steady for {calm}."


def _sentence(alert: Alert) -> str:
    name = plain(alert.name)
    if alert.happening == "opened":
        return f"{name} is {alert.kind} since {_full(alert, alert.from_ms)}."
    span = f"{_full(alert, alert.from_ms)} to {_full(alert, alert.to_ms)}"
    if alert.end_reason == "unobserved":
        return f"{name} was {alert.kind} from {span}. Its recovery was not seen: time after that is not known."
    if alert.end_reason == "removed":
        return f"{name} was {alert.kind} from {span}, when it was taken out of the configuration."
    state = "up again" if alert.kind == "down" else "no longer degraded"
    return f"{name} is {state}. It was {alert.kind} for {_length(alert)}, from {span}."


def _evidence(alert: Alert) -> list[str]:
    lines = []
    if alert.error:
        lines.append(f"What failed: {cause_words(alert.error)[:LONGEST_TEXT]}")
    if alert.failed_checks:
        lines.append(f"Failed checks: {alert.failed_checks}")
    if alert.last_good_ms is not None:
        lines.append(f"Last good check: {_at(alert, alert.last_good_ms)}")
    if alert.confirmed_ms is not None and alert.happening == "opened":
        lines.append(f"Confirmed: {_at(alert, alert.confirmed_ms)}")
    if alert.maintenance_to_ms is not None:
        lines.append(f"Began inside announced maintenance, which ends at {_at(alert, alert.maintenance_to_ms)}")
    return lines


def _affected(alert: Alert) -> Iterable[str]:
    if not alert.affects:
        return
    yield ""
    for affected in alert.affects:
        who = f"{plain(affected.service)} for {plain(affected.client)}" if affected.client else plain(affected.service)
        promised = f", {affected.target_pct} % promised" if affected.target_pct else ""
        yield f"Part of: {who}{promised}"


def _ended_words(alert: Alert) -> str:
    if alert.end_reason == "unobserved":
        return "No longer measured"
    if alert.end_reason == "removed":
        return "Removed"
    return "Up again" if alert.kind == "down" else "No longer degraded"


def _state(alert: Alert) -> str:
    return "down" if alert.kind == "down" else "degraded"


def _length(alert: Alert) -> str:
    return left((alert.to_ms or 0) - (alert.from_ms or 0))


def _at(alert: Alert, at_ms: int | None) -> str:
    at = at_ms or 0
    return f"{clock_time(at, alert.zone)} {zone_name(at, alert.zone)}"


def _full(alert: Alert, at_ms: int | None) -> str:
    return full_time(at_ms or 0, alert.zone)


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(at_ms)
