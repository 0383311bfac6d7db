"""Small builders of facts for the tests of sla/: times as people write them, one service, one contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sla.build import build_statement
from sla.facts import All, EndpointFacts, Exclusion, Expression, Member, Outage, ServiceFacts, Window
from sla.money import parse_amount
from sla.period import Period, parse
from sla.rules import Edge, Percent, Tier, Tiers
from sla.spans import Span, Spans
from sla.statement import ServiceStatement, Statement
from sla.terms import Contract, Options, Terms

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
USUAL_TIERS = {"< 99.9": "10", "< 99.0": "25", "< 95": "50"}


def ms(text: str) -> int:
    """`2026-11-20 10:00` (UTC unless it bears an offset)."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def span(start: str, end: str) -> Span:
    return ms(start), ms(end)


def spans(*pairs: tuple[str, str]) -> Spans:
    return Spans.of(span(*pair) for pair in pairs)


def outage(start: str, end: str | None, id: str | None = None, **more: Any) -> Outage:
    return Outage(id, ms(start), None if end is None else ms(end), **more)


def lasting(start: str, length_ms: int, id: str | None = "O-00001", **more: Any) -> Outage:
    return Outage(id, ms(start), ms(start) + length_ms, **more)


def window(
    start: str, end: str, *, entered: str | None = None, on: Iterable[tuple[str, str]] = (), id: str = "M-1"
) -> Window:
    return Window(id, ms(start), ms(end), None if entered is None else ms(entered), frozenset(on))


def exclusion(start: str, end: str, id: str = "X-1", **more: Any) -> Exclusion:
    return Exclusion(id, ms(start), ms(end), **more)


def endpoint(id: str = "api", **more: Any) -> EndpointFacts:
    """Measured all the time, never out, unless said."""
    return EndpointFacts(id, more.pop("first_check_ms", 0), **more)


def service(*endpoints: EndpointFacts, of: Expression | None = None, **more: Any) -> ServiceFacts:
    """One service `api` of the given endpoints, all of them needed unless said."""
    members = tuple(Member(each.id) for each in endpoints)
    expression = of or (members[0] if len(members) == 1 else All(members))
    composition = more.pop("composition", ((0, expression),))
    return ServiceFacts("api", "Order API", composition, {each.id: each for each in endpoints}, **more)


def measured(*outages: Outage, **more: Any) -> ServiceFacts:
    """A service of one endpoint with these outages; `unknown` and `degraded` are the endpoint's."""
    own = {name: more.pop(name) for name in ("unknown", "degraded", "first_check_ms") if name in more}
    return service(endpoint(outages=outages, **own), **more)


_OWN = (
    *("caps", "minimum", "clauses", "known_from_ms", "claim", "chronic", "fee_terms", "several_rules"),
    "several_services",
)


def tiers(rows: Mapping[str, str] = USUAL_TIERS) -> Tiers:
    found = []
    for edge, percent in rows.items():
        comparison, value = edge.split()
        found.append(Tier(Edge(comparison, Decimal(value)), Percent(Decimal(percent))))  # type: ignore[arg-type]
    return Tiers(tuple(found))


def terms(target: str | None = "99.9", *, tz: str = "UTC", start: int = 0, **more: Any) -> Terms:
    """One version of terms; what is no field of Terms is an option."""
    fee = more.pop("fee", None)
    credits = more.pop("credits", None)
    own = {name: more.pop(name) for name in _OWN if name in more}
    found = Terms(start, own.pop("known_from_ms", None), Options(timezone=tz, **more), None, **own)
    return replace(
        found,
        target=None if target is None else Decimal(target),
        fee=None if fee is None else parse_amount(fee),
        credits=() if credits is None else (tiers(credits),) if isinstance(credits, Mapping) else tuple(credits),
    )


def contract(*versions: Terms, **more: Any) -> Contract:
    return Contract("acme-api", "acme", "Sample Client", ("api",), versions or (terms(),), **more)


def statement(
    facts: ServiceFacts,
    period: str | Period = "2026-11",
    agreed: Contract | None = None,
    as_of: str | None = None,
    more: Sequence[ServiceFacts] = (),
) -> Statement:
    """The whole statement, asked for after the end of the period unless said."""
    held = agreed or contract()
    asked = parse(period, held.versions[0].options.timezone) if isinstance(period, str) else period
    return build_statement(held, [facts, *more], asked, as_of_ms=asked.to_ms if as_of is None else ms(as_of))


def judged(*args: Any, **more: Any) -> ServiceStatement:
    """The only service of that statement."""
    (only,) = statement(*args, **more).services
    return only
