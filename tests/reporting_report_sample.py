"""The specimen month for the report's tests: October 2026 of three services, built by the one engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sla.build import Identity, build_statement
from sla.facts import All, EndpointFacts, Exclusion, Member, Outage, ServiceFacts, Window
from sla.money import Money
from sla.period import Period
from sla.rules import Cap, Edge, Percent, Tier, Tiers
from sla.spans import NOWHEN, Spans
from sla.statement import ServiceStatement, Statement
from sla.terms import Contract, Options, Terms, WindowTerms

ZONE = ZoneInfo("Europe/Amsterdam")
HOUR = 3_600_000
ROWS = (("99.9", "10"), ("99.0", "25"), ("95.0", "50"))


def at(text: str, fold: int = 0) -> int:
    """`10-06 10:17:30` in 2026 and Amsterdam, as milliseconds."""
    return round(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE, fold=fold).timestamp() * 1000)


FROM, TO = at("10-01 00:00"), at("11-01 00:00")


def outage(id: str, start: int, end: int | None, cause: str = "", text: str = "", failed: int = 12) -> Outage:
    return Outage(id, start, end, start - 60_000, start, start + 20_000, end, end, cause, text, failed_checks=failed)


def window(id: str, start: str, end: str, *, hours_before: int = 120, title: str = "Database upgrade") -> Window:
    return Window(id, at(start), at(end), at(start) - hours_before * HOUR, title=title)


def terms(target: str | None, fee: str | None = "5000.00", *, start: int | None = None) -> Terms:
    """A version of the contract in force since January: tiers, 72 h notice, a cap of half the fee."""
    return Terms(
        at("01-01 00:00") if start is None else start,
        None,
        Options("Europe/Amsterdam", windows=WindowTerms(notice_ms=72 * HOUR)),
        None if target is None else Decimal(target),
        None if fee is None else Money(int(Decimal(fee) * 100), "EUR"),
        () if target is None else (_tiers(target),),
        caps=(Cap("period", Percent(Decimal(50))),),
        clauses=(("maintenance", "4.2"), ("credits", "9.5")),
    )


def _tiers(target: str) -> Tiers:
    """The usual table, its first edge at the target where that is lower."""
    edges = (min(Decimal(edge), Decimal(target)) for edge, _ in ROWS)
    return Tiers(tuple(Tier(Edge("<", edge), Percent(Decimal(p))) for edge, (_, p) in zip(edges, ROWS, strict=True)))


def service(
    id: str,
    name: str,
    target: str | None,
    outages: tuple[Outage, ...] = (),
    *,
    endpoints: tuple[str, ...] = ("web",),
    unknown: Spans = NOWHEN,
    fee: str | None = "5000.00",
    versions: tuple[Terms, ...] = (),
    as_of: int = at("11-03 08:00"),
    **facts: Any,
) -> ServiceStatement:
    """One service judged by a contract of its own; the outages are those of its first endpoint."""
    known = {e: EndpointFacts(e, FROM, unknown=unknown, checks_due=44_700, checks_made=44_689) for e in endpoints}
    known[endpoints[0]] = replace(known[endpoints[0]], outages=outages, unconfirmed=7)
    members = tuple(Member(endpoint) for endpoint in endpoints)
    of = members[0] if len(members) == 1 else All(members)
    contract = _contract(versions or (terms(target, fee),))
    built = build_statement(contract, [ServiceFacts(id, name, ((0, of),), known, **facts)], _period(), as_of_ms=as_of)
    return built.services[0]


def _contract(versions: tuple[Terms, ...]) -> Contract:
    return Contract(
        "sample-core", "sample-client", "Sample Client", (), versions, "MSA-2024-017", issuer="Sample Provider"
    )


def _period() -> Period:
    return Period(FROM, TO, "Europe/Amsterdam", "2026-10")


def statement(*services: ServiceStatement, **changes: Any) -> Statement:
    """A statement over the given services, or over the specimen's three."""
    identity = Identity(
        statement_id="8f2b6c1e-6a3d-4c55-9a51-2f1f5b9a7d10",
        number="SLA-2026-000123",
        previous="e8bf8a38ada3851cf0848f0e62eb03e07138857e05df76e2d4a2929bc30674a0",
        state="FINAL",
        software={"nines": "0.1.0", "tzdata": "2026.3"},
    )
    as_of = changes.pop("as_of_ms", at("11-03 08:00"))
    empty = build_statement(_contract((terms("99.9"),)), [], _period(), as_of_ms=as_of, identity=identity)
    return replace(empty, services=services or specimen(), **changes)


API = """
O-7K3F2 | 10-06 10:17:30 | 10-06 11:04:04 | 141 | database | Failover stopped half way on a stale lock
O-8M1C4 | 10-11 03:20:00 | 10-11 04:05:10 | 136 | change | Upgrade overran its window
O-9P6D8 | 10-21 14:02:00 | 10-21 14:20:00 | 54 | client | Expired client certificate
O-2A5XZ | 10-29 16:40:10 | 10-29 16:45:50 | 12 | network | Route flap at the transit provider
"""
EDI = """
O-3B7YQ | 10-12 07:05:00 | 10-12 07:26:00 | 63 | certificate | Host key replaced without notice to partners
O-4C9WN | 10-16 22:48:15 | 10-17 01:12:03 | 432 | storage | Message store full; alert now at 70 %
O-5D1VM | 10-25 02:31:00 | *10-25 02:14:18 | 132 | schedule | Batch job ran twice in the repeated hour
"""
PORTAL = "O-6E3TK | 10-23 09:12:20 | 10-23 09:16:20 | 12 | release | Rolled back after failed login checks"


def outages(table: str) -> tuple[Outage, ...]:
    """One outage per line; a star before an instant means the second of two wall-clock readings."""
    return tuple(_outage_of(line) for line in table.strip().splitlines())


def _outage_of(line: str) -> Outage:
    number, start, end, failed, cause, text = (part.strip() for part in line.split("|"))
    to_ms = at(end.lstrip("*"), fold=int(end.startswith("*")))
    return outage(number, at(start), to_ms, cause, text, int(failed))


def specimen() -> tuple[ServiceStatement, ...]:
    """One target missed, one met narrowly, one met: announced work, an agreed exclusion and a gap among them."""
    work = window("M-4Q8RT", "10-11 02:00", "10-11 04:00")
    late = window("M-5W2KD", "10-20 06:00", "10-20 07:00", hours_before=10, title="Key exchange")
    gap = Spans.of([(at("10-18 04:10"), at("10-18 04:19"))])
    agreed = Exclusion("X-1F4SJ", at("10-21 14:02"), at("10-21 14:20"), "client", "7.3", "expired client certificate")
    common: dict[str, Any] = {"unknown": gap}
    return (
        service("portal", "Customer Portal", "99.9", outages(PORTAL), windows=(work,), **common),
        service(
            *("edi", "Carrier EDI", "99.5", outages(EDI)), endpoints=("as2", "sftp"), windows=(work, late), **common
        ),
        service(
            *("api", "Order API", "99.9", outages(API)),
            endpoints=("eu-west", "eu-central"),
            windows=(work,),
            exclusions=(agreed,),
            **common,
        ),
    )
