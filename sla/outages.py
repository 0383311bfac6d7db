"""The outages of a service, from those of its members.

A service of one member has that member's outages, ids and all. A composed one is out from the instant its expression
says down until it no longer does; unknown time inside the deciding members' outages does not split it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from sla.compose import expressions, extent, held, members, observe
from sla.facts import EndpointFacts, Expression, Outage, ServiceFacts
from sla.spans import Span, Spans

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class _Part:
    """A member's outage, with the endpoint it belongs to and its extent."""

    endpoint: str
    outage: Outage
    span: Span

    def shared_ms(self, span: Span) -> int:
        return min(self.span[1], span[1]) - max(self.span[0], span[0])


def service_outages(service: ServiceFacts, until_ms: int) -> tuple[Outage, ...]:
    """Every outage of the service that the facts know, in order of start; open ones are looked at until `until_ms`."""
    sole = sole_member(service)
    if sole is not None:
        return _own(service.endpoints.get(sole), sole, degraded=False)
    parts = _parts(service, until_ms, degraded=False)
    return _named(service, _out(service, parts, until_ms), parts)


def service_degraded(service: ServiceFacts, span: Span, *, voting: bool = False) -> tuple[Outage, ...]:
    """The service's degraded stretches within the span; `voting`: also where unknown members had no vote."""
    sole = sole_member(service)
    if sole is not None:
        return _own(service.endpoints.get(sole), sole, degraded=True)
    parts = _parts(service, span[1], degraded=True)
    if not parts:
        return ()
    quorum_of: Literal["all", "voting"] = "voting" if voting else "all"
    degraded = observe(service, span, (), degraded_weight=Fraction(0), quorum_of=quorum_of).degraded
    return _named(service, degraded, parts)


def sole_member(service: ServiceFacts) -> str | None:
    """The one endpoint that the service has always been made of, if there is only one."""
    named = {name for _, expression in service.composition for name in members(expression)}
    return named.pop() if len(named) == 1 else None


def _own(facts: EndpointFacts | None, endpoint: str, *, degraded: bool) -> tuple[Outage, ...]:
    if facts is None:
        return ()
    own = facts.degraded if degraded else facts.outages
    named = (endpoint,) if endpoint else ()  # plain facts name no endpoint
    return tuple(sorted((replace(outage, endpoints=outage.endpoints or named) for outage in own), key=_order))


def _order(outage: Outage) -> tuple[int, int, str]:
    return (outage.from_ms, -1 if outage.to_ms is None else outage.to_ms, outage.id or "")


def _parts(service: ServiceFacts, until_ms: int, *, degraded: bool) -> tuple[_Part, ...]:
    found = (
        _Part(name, outage, extent(outage, until_ms))
        for name, facts in service.endpoints.items()
        for outage in (facts.degraded if degraded else facts.outages)
    )
    return tuple(sorted(found, key=lambda part: (part.span, part.endpoint, part.outage.id or "")))


def _out(service: ServiceFacts, parts: Sequence[_Part], until_ms: int) -> Spans:
    """Where the expression says down, unknown time inside an outage bridged, if any of it was really seen down."""
    if not parts:
        return Spans()
    span = (parts[0].span[0], max(until_ms, *(part.span[1] for part in parts)))
    bridged = {
        name: Spans.of(extent(outage, until_ms) for outage in facts.outages)
        for name, facts in service.endpoints.items()
    }
    seen = {name: bridged[name] - facts.unknown for name, facts in service.endpoints.items()}
    cuts = expressions(service, span)
    out = Spans.of(s for cut, expression in cuts for s in _down(expression, bridged, cut))
    really = Spans.of(s for cut, expression in cuts for s in _down(expression, seen, cut))
    return Spans(tuple(s for s in out if really.clip(*s)))


def _down(expression: Expression, down: dict[str, Spans], cut: Span) -> Spans:
    return held(expression, lambda name: down.get(name, Spans()).clip(*cut), "down")


def _named(service: ServiceFacts, spans: Spans, parts: Sequence[_Part]) -> tuple[Outage, ...]:
    """One outage per span, told by the member outages inside it."""
    told: list[list[_Part]] = [[] for _ in spans]
    starts, ends = [s[0] for s in spans], [s[1] for s in spans]
    for part in parts:
        for index in range(bisect_right(ends, part.span[0]), bisect_left(starts, part.span[1])):
            told[index].append(part)
    ordinals: Counter[str] = Counter()
    return tuple(_composed(service, span, inside, ordinals) for span, inside in zip(spans, told, strict=True))


def _composed(service: ServiceFacts, span: Span, parts: Sequence[_Part], ordinals: Counter[str]) -> Outage:
    (_, expression), *_rest = expressions(service, span)
    named = members(expression)
    inside = [part for part in parts if part.endpoint in named] or list(parts)
    longest = max(inside, key=lambda part: (part.shared_ms(span), part.span, part.endpoint)).outage
    unrecorded = Outage(None, *span)
    first = next((part.outage for part in inside if part.span[0] == span[0]), unrecorded)
    last = next((part.outage for part in inside if part.span[1] == span[1]), unrecorded)
    return Outage(
        id=longest.id if len(named) == 1 else _derived_id(service.id, longest.id, ordinals),
        from_ms=span[0],
        to_ms=None if last.to_ms is None else span[1],
        last_good_ms=first.last_good_ms,
        first_bad_ms=first.first_bad_ms,
        confirmed_ms=first.confirmed_ms,
        last_bad_ms=last.last_bad_ms,
        first_good_ms=last.first_good_ms,
        cause=longest.cause,
        text=longest.text,
        endpoints=tuple(dict.fromkeys(part.endpoint for part in inside)),
        failed_checks=_sum(part.outage.failed_checks for part in inside),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _derived_id(service: str, outage: str | None, ordinals: Counter[str]) -> str | None:
    """Stable in every statement: made of the service and its longest member outage, of equals the one that began last.

    So two outages within one long outage of a member are told by their short ones; where even that is not enough they
    are counted.
    """
    if outage is None:
        return None
    ordinals[outage] += 1
    digest = hashlib.sha256(f"{service}|{outage}|{ordinals[outage]}".encode()).digest()
    number = int.from_bytes(digest[:5], "big")
    return "O-" + "".join(_CROCKFORD[(number >> shift) & 31] for shift in (35, 30, 25, 20, 15))
