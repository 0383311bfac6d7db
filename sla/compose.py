"""What a service is, from what its members are: one three-valued rule (ACCOUNTING.md section 2).

A member is down, unknown or not down. `all` works when every member works, `any` when one does, `at least k of n` when
k do; unknown members leave the service unknown unless the known ones decide. Everything here is a set of time, so one
counting sweep (`sla.spans.at_least`) answers every expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from sla.facts import All, Any_, AtLeast, EndpointFacts, Expression, Member, Outage, ServiceFacts, Window
from sla.spans import NOWHEN, Span, Spans, at_least

Evidence = Literal["judged", "longest", "shortest"]
Leaf = Callable[[str], Spans]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed of a service over a span, disjoint: the rest of the span is up.

    `maintenance` overlaps them: accepted windows where they cover the service, whatever was probed. `weights` holds,
    ascending, the time that counts at least so much as down: ((1/2, spans), (1, spans)).
    """

    down: Spans
    degraded: Spans
    unknown: Spans
    maintenance: Spans
    weights: tuple[tuple[Fraction, Spans], ...]


def members(expression: Expression) -> tuple[str, ...]:
    """Keys of its members in the order they are named, each once."""
    return tuple(dict.fromkeys(_named(expression)))


def endpoint_of(key: str) -> str:
    """The endpoint behind a member's key: `api` of `api@fra`."""
    return key.partition("@")[0]


def quorum(endpoint: str, locations: Sequence[str], say_down: int, *, own: str = "local") -> Expression:
    """An endpoint that is down where so many of its locations say so: it works where at least n - q + 1 of n do not.

    Each location is judged by itself first. `own` is the daemon's own location.
    """
    voices = tuple(Member(endpoint, None if location == own else location) for location in locations)
    return voices[0] if len(voices) == 1 else AtLeast(len(voices) - say_down + 1, voices)


def _named(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Member):
        yield expression.key
        return
    for member in expression.members:
        yield from _named(member)


def described(expression: Expression) -> str:
    """`2 endpoints, all up`: how the service is composed, in one line."""
    if isinstance(expression, Member):
        return "1 endpoint"
    inner = expression.members
    rule = "all up" if isinstance(expression, All) else f"at least {_needed(expression, 'works')} up"
    if all(isinstance(member, Member) for member in inner):
        if len(inner) > 1 and len({endpoint_of(key) for key in members(expression)}) == 1:
            return f"1 endpoint, down where {_needed(expression, 'down')} of {len(inner)} locations say so"
        return "1 endpoint" if len(inner) == 1 else f"{len(inner)} endpoints, {rule}"
    return f"{len(inner)} groups, {rule}: " + "; ".join(described(member) for member in inner)


def held(expression: Expression, leaf: Leaf, of: Literal["works", "down"]) -> Spans:
    """Where the expression certainly works (or is certainly down), given where each endpoint certainly is so."""
    if isinstance(expression, Member):
        return leaf(expression.key)
    return at_least(_needed(expression, of), [held(member, leaf, of) for member in expression.members])


def _needed(expression: All | Any_ | AtLeast, of: Literal["works", "down"]) -> int:
    count = len(expression.members)
    working = {All: count, Any_: 1}.get(type(expression), getattr(expression, "k", 0))
    return working if of == "works" else count - working + 1


def settled(expression: Expression, works: Leaf, known: Leaf) -> tuple[Spans, Spans]:
    """Where the expression works and where it fails, by vote: unknown members of an `at least` are left out of it.

    It fails as without that option, where too few work even if all others do. Where enough members are known to make
    it fail and do not, it works.
    """
    if isinstance(expression, Member):
        fine = works(expression.key)
        return fine, known(expression.key) - fine
    pairs = [settled(member, works, known) for member in expression.members]
    fine = at_least(_needed(expression, "works"), [pair[0] for pair in pairs])
    failing = at_least(_needed(expression, "down"), [pair[1] for pair in pairs])
    if isinstance(expression, AtLeast):
        fine |= at_least(_needed(expression, "down"), [up | down for up, down in pairs]) - failing
    return fine, failing


def expressions(service: ServiceFacts, span: Span) -> tuple[tuple[Span, Expression], ...]:
    """The expressions in force within the span. The first one holds before it, too."""
    dated = sorted(service.composition, key=lambda entry: entry[0])
    starts = [span[0], *(from_ms for from_ms, _ in dated[1:])]
    ends = [*(from_ms for from_ms, _ in dated[1:]), span[1]]
    cuts = zip(starts, ends, dated, strict=True)
    clipped = (((max(start, span[0]), min(end, span[1])), expression) for start, end, (_, expression) in cuts)
    return tuple((cut, expression) for cut, expression in clipped if cut[0] < cut[1])


def membership(service: ServiceFacts, endpoint: str, span: Span) -> Spans:
    """The time within the span in which the endpoint is part of the service."""
    return Spans.of(cut for cut, expression in expressions(service, span) if endpoint in members(expression))


def observe(
    service: ServiceFacts,
    span: Span,
    accepted: Iterable[Window],
    *,
    degraded_weight: Fraction,
    quorum_of: Literal["all", "voting"] = "all",
    evidence: Evidence = "judged",
) -> Observed:
    """What the service was over the span, under the composition in force at each instant.

    `accepted` are the windows the contract accepts; `degraded_weight` is what degraded time counts where nothing else
    is said; `quorum_of` says whether unknown members of an `at least` leave it unknown or have no vote; `evidence`
    takes each outage as judged, or as long or short as its evidence allows.
    """
    windows = tuple(accepted)
    facts = _Facts(service, span, windows, degraded_weight, evidence)
    voting = quorum_of == "voting"
    pieces = [_observed(expression, cut, facts, voting=voting) for cut, expression in expressions(service, span)]
    whole = Spans.of(w.span for w in windows if ("service", service.id) in w.scope or not w.scope).clip(*span)
    return Observed(
        down=_joined(piece.down for piece in pieces),
        degraded=_joined(piece.degraded for piece in pieces),
        unknown=_joined(piece.unknown for piece in pieces),
        maintenance=_joined(piece.maintenance for piece in pieces) | whole,
        weights=tuple(
            (weight, _joined(piece.weights[index][1] for piece in pieces)) for index, weight in enumerate(facts.levels)
        ),
    )


def _joined(parts: Iterable[Spans]) -> Spans:
    return Spans.of(span for part in parts for span in part)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    known: Spans
    down: Spans
    works: Spans
    degraded: Spans
    window: Spans
    at_level: Mapping[Fraction, Spans]  # known time not counting that much or more


class _Facts:
    """Each endpoint's sets over the span, made once."""

    def __init__(
        self,
        service: ServiceFacts,
        span: Span,
        windows: tuple[Window, ...],
        degraded_weight: Fraction,
        evidence: Evidence,
    ) -> None:
        self._span, self._evidence, self._degraded_weight = span, evidence, degraded_weight
        named = {name for _, expression in service.composition for name in members(expression)}
        facts = {name: service.endpoints.get(name) or never_seen(name, span) for name in named}
        self.levels = self._levels(facts.values())
        self.endpoints = {name: self._endpoint(fact, _on(windows, name)) for name, fact in facts.items()}
        self.has_windows = any(endpoint.window for endpoint in self.endpoints.values())

    def _levels(self, facts: Iterable[EndpointFacts]) -> tuple[Fraction, ...]:
        weights = {weight for fact in facts for _, weight in self._weighed(fact)}
        return tuple(sorted(weight for weight in weights if weight > 0))

    def _weighed(self, fact: EndpointFacts) -> Iterator[tuple[Outage, Fraction]]:
        for outage in fact.outages:
            yield outage, Fraction(1) if outage.weight is None else outage.weight
        for stretch in fact.degraded:
            yield stretch, self._degraded_weight if stretch.weight is None else stretch.weight

    def _spans(self, outages: Iterable[Outage]) -> Spans:
        return Spans.of(extent(outage, self._span[1], self._evidence) for outage in outages).clip(*self._span)

    def _endpoint(self, fact: EndpointFacts, window: Spans) -> _Endpoint:
        known = Spans.of([self._span]) - fact.unknown
        down = self._spans(fact.outages) & known
        counting = {level: self._spans(o for o, w in self._weighed(fact) if w >= level) for level in self.levels}
        return _Endpoint(
            known=known,
            down=down,
            works=known - down,
            degraded=self._spans(fact.degraded),
            window=window.clip(*self._span),
            at_level={level: known - spans for level, spans in counting.items()},
        )


def never_seen(endpoint: str, span: Span) -> EndpointFacts:
    """The facts of an endpoint that nobody ever looked at."""
    return EndpointFacts(endpoint, None, unknown=Spans.of([span]))


def _on(windows: Iterable[Window], endpoint: str) -> Spans:
    return Spans.of(window.span for window in windows if ("endpoint", endpoint_of(endpoint)) in window.scope)


def extent(outage: Outage, until_ms: int, evidence: Evidence = "judged") -> Span:
    """From when to when, the open end cut at `until_ms`; with evidence, as long or short as that allows."""
    start, end = outage.from_ms, until_ms if outage.to_ms is None else outage.to_ms
    if evidence == "longest":
        start = start if outage.last_good_ms is None else min(start, outage.last_good_ms)
        if outage.to_ms is not None and outage.first_good_ms is not None:
            end = max(end, outage.first_good_ms)
    if evidence == "shortest":
        start = start if outage.first_bad_ms is None else max(start, outage.first_bad_ms)
        if outage.to_ms is not None and outage.last_bad_ms is not None:
            end = min(end, outage.last_bad_ms)
    return (start, max(start, end))


def _observed(expression: Expression, cut: Span, facts: _Facts, *, voting: bool) -> Observed:
    ends = {name: facts.endpoints[name] for name in members(expression)}

    def working(leaf: Leaf) -> Spans:
        """Where the expression works, given where each endpoint does, of the cut."""
        if voting:
            return settled(expression, lambda n: leaf(n).clip(*cut), lambda n: ends[n].known.clip(*cut))[0]
        return held(expression, lambda name: leaf(name).clip(*cut), "works")

    down = held(expression, lambda name: ends[name].down.clip(*cut), "down")
    works = working(lambda name: ends[name].works)
    sound = working(lambda name: ends[name].works - ends[name].degraded)
    known = down | works
    lighter = [
        (level, working(lambda name, level=level: ends[name].at_level[level]))  # type: ignore[misc]
        for level in facts.levels
    ]
    return Observed(
        down=down,
        degraded=works - sound,
        unknown=Spans.of([cut]) - known,
        maintenance=_covered(expression, cut, ends) if facts.has_windows else NOWHEN,
        weights=tuple((level, known - light) for level, light in lighter),
    )


def _covered(expression: Expression, cut: Span, ends: Mapping[str, _Endpoint]) -> Spans:
    """Where members in a window decide: down if all of them were down, and not down if they were up."""
    down = held(expression, lambda name: (ends[name].down | ends[name].window).clip(*cut), "down")
    works = held(expression, lambda name: (ends[name].works | ends[name].window).clip(*cut), "works")
    return down & works


def announced(service: ServiceFacts, span: Span, accepted: Iterable[Window]) -> Spans:
    """Time ahead that accepted windows will cover, every member outside them taken as up."""
    quiet = {name: EndpointFacts(name, None) for name in service.endpoints}
    for _, expression in service.composition:
        quiet |= {name: EndpointFacts(name, None) for name in members(expression)}
    ahead = ServiceFacts(service.id, service.name, service.composition, quiet)
    return observe(ahead, span, accepted, degraded_weight=Fraction(0)).maintenance
