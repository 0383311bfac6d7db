"""The facts of endpoints over a stretch of time, as the accounting takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ledger.coverage import Key, covered, first_covered_ms, has_imports
from ledger.grid import segments
from ledger.histories import History, histories
from ledger.imported import Witness, united
from ledger.numbers import find_all
from ledger.outages import COLUMNS, FROM, Kind, recorded
from ledger.query import all_rows, scalar
from ledger.recording import LIVE
from ledger.sampling import due_and_made, unconfirmed_failures
from ledger.store import Ledger
from sla.facts import EndpointFacts, Outage
from sla.spans import Span, Spans

OWN = "local"  # the daemon's own location


def endpoint_facts(
    ledger: Ledger, keys: Iterable[str], *, from_ms: int, to_ms: int, now_ms: int, sampled: bool = True
) -> dict[str, EndpointFacts]:
    """What is known at `now_ms` of each endpoint in [from_ms, to_ms); nothing is said of time after `now_ms`.

    `keys` are endpoints (`api`), or what another location says of one (`api@fra`). Outages that touch the time are
    given whole. An open outage has `to_ms` None; its time that nobody vouches for is in `unknown`. An endpoint that
    the ledger never heard of is all unknown. Without `sampled` no checks are counted, which takes most of the time.
    """
    wanted = tuple(dict.fromkeys(keys))
    span = (from_ms, max(from_ms, min(to_ms, now_ms)))
    with ledger.read() as connection:
        numbers = find_all(connection, "endpoint", tuple({_parts(key)[0] for key in wanted}))
        places = find_all(connection, "location", tuple({_parts(key)[1] for key in wanted}))
        numbered = {key: _numbered(key, numbers, places) for key in wanted}
        found = _observed(connection, numbered, span, now_ms)
        if sampled:
            found = {key: _sampled(connection, facts, numbered[key], (span,)) for key, facts in found.items()}
    return found


def _observed(
    connection: Connection, numbered: Mapping[str, Key | None], span: Span, now_ms: int
) -> dict[str, EndpointFacts]:
    """The facts without any check counted; all that only the live checks speak of is read at once."""
    imported = _imported(connection, numbered)
    live: dict[int, list[int]] = {}
    for name, key in numbered.items():
        if key is not None and name not in imported:
            live.setdefault(key["location"], []).append(key["endpoint"])
    limits = {"from_ms": span[0], "to_ms": span[1], "now_ms": now_ms}
    read = {place: histories(connection, place, endpoints, **limits) for place, endpoints in live.items()}
    found = {}
    for name, key in numbered.items():
        if key is None:
            found[name] = EndpointFacts(name, None, unknown=Spans.of([span]))
        elif name in imported:
            found[name] = _with_imports(connection, name, key, **limits)
        else:
            history = read[key["location"]][key["endpoint"]]
            found[name] = _of_history(connection, name, history, span, now_ms)
    return found


def _imported(connection: Connection, numbered: Mapping[str, Key | None]) -> set[str]:
    """Those of which others have told something."""
    if scalar(connection, "SELECT 1 FROM source LIMIT 1") is None:
        return set()
    return {name for name, key in numbered.items() if key is not None and has_imports(connection, key)}


def _of_history(connection: Connection, name: str, history: History, span: Span, now_ms: int) -> EndpointFacts:
    told: dict[str, list[Outage]] = {"down": [], "degraded": []}
    for row in history.troubles:
        told[row.kind].append(_as_seen(recorded(connection, row, until_ms=now_ms).outage, now_ms))
    return EndpointFacts(
        id=name,
        first_check_ms=history.first_ms,
        outages=tuple(told["down"]),
        degraded=tuple(told["degraded"]),
        unknown=Spans.of([span]) - history.known,
    )


def _parts(key: str) -> tuple[str, str]:
    """(endpoint, location) of a member's key."""
    endpoint, _, location = key.partition("@")
    return endpoint, location or OWN


def _numbered(key: str, numbers: Mapping[str, int], places: Mapping[str, int]) -> Key | None:
    endpoint, location = _parts(key)
    if endpoint not in numbers or location not in places:
        return None
    return {"endpoint": numbers[endpoint], "location": places[location]}


def checks_within(ledger: Ledger, facts: EndpointFacts, times: Spans) -> EndpointFacts:
    """The same facts, with the checks due, made and unconfirmed counted in `times` alone."""
    endpoint, location = _parts(facts.id)
    with ledger.read() as connection:
        numbers = find_all(connection, "endpoint", (endpoint,))
        key = _numbered(facts.id, numbers, find_all(connection, "location", (location,)))
        return _sampled(connection, facts, key, tuple(times))


def _sampled(connection: Connection, facts: EndpointFacts, key: Key | None, times: Sequence[Span]) -> EndpointFacts:
    endpoint = _parts(facts.id)[0]
    counts = [due_and_made(connection, endpoint, key, from_ms=start, to_ms=end) for start, end in times]
    failing = _failing(facts.outages)
    missed = [
        0 if key is None else unconfirmed_failures(connection, key, failing, from_ms=start, to_ms=end)
        for start, end in times
    ]
    known = [(due, made) for due, made in counts if due is not None and made is not None]
    agreed = bool(known) or (not counts and any(segments(connection, endpoint, 0, 1)))
    return replace(
        facts,
        checks_due=sum(due for due, _ in known) if agreed else None,
        checks_made=sum(made for _, made in known) if agreed else None,
        unconfirmed=sum(missed),
    )


def _failing(outages: Iterable[Outage]) -> Spans:
    """Where the failed checks of outages lie."""
    return Spans.of((one.from_ms, max(one.from_ms, one.last_bad_ms or 0) + 1) for one in outages)


def _with_imports(connection: Connection, id: str, key: Key, *, from_ms: int, to_ms: int, now_ms: int) -> EndpointFacts:
    known = covered(connection, key, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)
    return EndpointFacts(
        id=id,
        first_check_ms=first_covered_ms(connection, key),
        outages=_outages(connection, key, "down", from_ms=from_ms, to_ms=to_ms, now_ms=now_ms),
        degraded=_outages(connection, key, "degraded", from_ms=from_ms, to_ms=to_ms, now_ms=now_ms),
        unknown=Spans.of([(from_ms, to_ms)]) - Spans.of(span for spans in known.values() for span in spans),
    )


def _outages(
    connection: Connection, key: Key, kind: Kind, *, from_ms: int, to_ms: int, now_ms: int
) -> tuple[Outage, ...]:
    """Confirmed by `now_ms`, in order of time; one that ended later still lasts as seen from then.

    Where history was imported it is united with the live one over the whole of what touches the time asked for.
    """
    told = _told(connection, key, kind, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)
    if not has_imports(connection, key):
        return told.get(LIVE, ())
    start_ms, end_ms = from_ms, to_ms
    while told and (wider := _reach(told, now_ms, start_ms, end_ms)) != (start_ms, end_ms):
        start_ms, end_ms = wider
        told = _told(connection, key, kind, from_ms=start_ms - 1, to_ms=end_ms + 1, now_ms=now_ms)
    evidence = [at for outages in told.values() for o in outages for at in (o.last_good_ms, o.first_good_ms) if at]
    limits = {"from_ms": min([start_ms, *evidence]), "to_ms": max([end_ms, *evidence])}
    known = covered(connection, key, **limits, now_ms=now_ms)
    live, *others = (Witness(spans, told.get(source, ())) for source, spans in known.items())
    found = united(live, others, until_ms=min(end_ms, now_ms))
    return tuple(o for o in found if o.from_ms < to_ms and (o.to_ms is None or o.to_ms > from_ms))


def _told(
    connection: Connection, key: Key, kind: Kind, *, from_ms: int, to_ms: int, now_ms: int
) -> dict[str, tuple[Outage, ...]]:
    """What each source says of outages that touch the time, whole."""
    query = f"""SELECT {COLUMNS} FROM {FROM} WHERE i.endpoint = :endpoint AND i.location = :location
AND i.kind = :kind AND i.from_ms < :to_ms AND (i.to_ms IS NULL OR i.to_ms > :from_ms)
AND (i.confirmed_ms IS NULL OR i.confirmed_ms <= :now_ms) ORDER BY i.from_ms, i.number"""
    rows = all_rows(connection, query, **key, kind=kind, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)
    found: dict[str, list[Outage]] = {}
    for row in rows:
        found.setdefault(row.source, []).append(_as_seen(recorded(connection, row, until_ms=now_ms).outage, now_ms))
    return {source: tuple(outages) for source, outages in found.items()}


def _reach(told: dict[str, tuple[Outage, ...]], now_ms: int, from_ms: int, to_ms: int) -> Span:
    """The time asked for, and all of the outages that touch it."""
    every = [outage for outages in told.values() for outage in outages]
    ends = (max(o.from_ms, now_ms if o.to_ms is None else o.to_ms) for o in every)
    return min([from_ms, *(outage.from_ms for outage in every)]), max([to_ms, *ends])


def _as_seen(outage: Outage, now_ms: int) -> Outage:
    if outage.to_ms is None or outage.to_ms <= now_ms:
        return outage
    return replace(outage, to_ms=None, first_good_ms=None)
