"""Real statements for tests: one endpoint, one service, one contract of 99.9 % at 2 500.00 EUR with three tiers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sla.build import Identity, build_statement
from sla.facts import EndpointFacts, Member, Outage, ServiceFacts, Window
from sla.money import Money
from sla.period import Period, parse
from sla.rules import Edge, Percent, Tier, Tiers
from sla.spans import Spans
from sla.statement import Statement
from sla.terms import Contract, Options, Terms

NOVEMBER = parse("2026-11", "UTC")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TIERS = Tiers(
    (
        Tier(Edge("<", Decimal("99.9")), Percent(Decimal(10))),
        Tier(Edge("<", Decimal("99.0")), Percent(Decimal(25))),
        Tier(Edge("<", Decimal("95.0")), Percent(Decimal(50))),
    )
)


def terms(**more: Any) -> Terms:
    given: dict[str, Any] = {
        "from_ms": NOVEMBER.from_ms,
        "known_from_ms": NOVEMBER.from_ms,
        "options": Options(timezone="UTC"),
        "target": Decimal("99.9"),
        "fee": Money(250_000, "EUR"),
        "credits": (TIERS,),
    }
    return Terms(**{**given, **more})


def contract(**more: Any) -> Contract:
    given: dict[str, Any] = {
        "id": "sample-api",
        "client_id": "sample",
        "client_name": "Sample Client",
        "services": ("api",),
        "versions": (terms(),),
    }
    return Contract(**{**given, **more})


def outage(start_ms: int, length_ms: int | None, *, id: str = "O-7K3F2", **more: Any) -> Outage:
    """One outage, `start_ms` after the start of November; `length_ms` None: it is still open."""
    begin = NOVEMBER.from_ms + start_ms
    end = None if length_ms is None else begin + length_ms
    evidence = {"last_good_ms": begin - MINUTE, "first_bad_ms": begin, "confirmed_ms": begin + 20_000}
    return Outage(id=id, from_ms=begin, to_ms=end, **{**evidence, "endpoints": ("api",), **more})


def service(
    outages: Sequence[Outage] = (), *, unknown: Spans | None = None, windows: Sequence[Window] = (), **more: Any
) -> ServiceFacts:
    facts = EndpointFacts(
        id="api",
        first_check_ms=NOVEMBER.from_ms,
        outages=tuple(outages),
        unknown=unknown or Spans(),
        checks_due=43_200,
        checks_made=43_200,
    )
    given: dict[str, Any] = {
        "id": "api",
        "name": "Tracking API",
        "composition": ((NOVEMBER.from_ms, Member("api")),),
        "endpoints": {"api": facts},
        "windows": tuple(windows),
    }
    return ServiceFacts(**{**given, **more})


def statement(
    facts: ServiceFacts, *, as_of_ms: int = NOVEMBER.to_ms, period: Period = NOVEMBER, agreed: Contract | None = None
) -> Statement:
    return build_statement(agreed or contract(), [facts], period, as_of_ms=as_of_ms, identity=Identity())
