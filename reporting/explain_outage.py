"""`nines explain outage ID`: what one outage came to in every statement that it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from ledger.outages import Recorded
from ledger.store import Ledger
from reporting.agreements import Agreements, agreements
from reporting.causes import cause_words
from reporting.explain import stretch_table
from reporting.statements import is_in_force, statements_of, zone_of
from reporting.wording import full_time, plain, used
from sla.explain import Line, explain_service
from sla.figures import duration_text, exact_text
from sla.period import Period, local, parse
from sla.spans import Span
from sla.statement import PrintedOutage, ServiceStatement, Statement
from sla.terms import Contract

LOOK_BACK = 24  # months in which the id of a service's outage is looked for


@dataclass(frozen=True, slots=True)
class Effect:
    """What some time came to in one service of one statement: its stretches, each with its rule."""

    statement: Statement
    service: ServiceStatement
    stretches: tuple[Line, ...]
    counted: Fraction  # ms of it that count as downtime
    printed: tuple[str, ...]  # ids under which the statement lists it


def effects(ledger: Ledger, found: Recorded, *, now_ms: int, version: str) -> tuple[Effect, ...]:
    """The outage in every contract whose service holds its endpoint, in every period that it touches."""
    agreed = agreements(ledger)
    span = (found.outage.from_ms, now_ms if found.outage.to_ms is None else found.outage.to_ms)
    told = []
    for contract, services in _concerned(agreed, found.endpoint):
        wanted = [(contract, each) for each in _periods(contract, *span) if is_in_force(contract, each, now_ms)]
        for statement in statements_of(ledger, agreed, wanted, now_ms=now_ms, version=version):
            told += [_effect(statement, service, span) for service in statement.services if service.id in services]
    return tuple(told)


def of_service(ledger: Ledger, id: str, *, now_ms: int, version: str) -> tuple[PrintedOutage, Effect] | None:
    """The outage of a service of several endpoints, by the id that its statements print; None where none has it.

    Such an id is on no record: the months are gone through from the newest, two years back.
    """
    agreed = agreements(ledger)
    contracts = [contract for client in agreed.ids("client") for contract in agreed.contracts_of(client)]
    for text in _months_back(now_ms):
        wanted = [(each, parse(text, zone_of(each))) for each in contracts]
        wanted = [(contract, period) for contract, period in wanted if is_in_force(contract, period, now_ms)]
        for statement in statements_of(ledger, agreed, wanted, now_ms=now_ms, version=version):
            for service in statement.services:
                for outage in service.outages:
                    if outage.id == id:
                        span = (outage.from_ms, now_ms if outage.to_ms is None else outage.to_ms)
                        return outage, _effect(statement, service, span)
    return None


def _months_back(now_ms: int) -> Iterator[str]:
    month = local(now_ms, "UTC").date().replace(day=1)
    for _ in range(LOOK_BACK):
        yield f"{month:%Y-%m}"
        month = (month - timedelta(days=1)).replace(day=1)


def _effect(statement: Statement, service: ServiceStatement, span: Span) -> Effect:
    inside = [piece for piece in service.timeline if piece.from_ms < span[1] and piece.to_ms > span[0]]
    counted = (
        Fraction(piece.weight or 1) * (min(piece.to_ms, span[1]) - max(piece.from_ms, span[0]))
        for piece in inside
        if piece.time_class in ("down", "degraded")
    )
    listed = {outage.id for outage in service.outages if outage.id is not None}
    printed = dict.fromkeys(piece.ref for piece in inside if piece.ref in listed and piece.ref is not None)
    stretches = tuple(_within(service, *span))
    return Effect(statement, service, stretches, sum(counted, Fraction(0)), tuple(printed))


def _concerned(agreed: Agreements, endpoint: str) -> Iterator[tuple[Contract, set[str]]]:
    for client in agreed.ids("client"):
        for contract in agreed.contracts_of(client):
            held = {name for name in contract.services if endpoint in agreed.composition(name).endpoints}
            if held:
                yield contract, held


def _periods(contract: Contract, start_ms: int, end_ms: int) -> Iterator[Period]:
    """The months, in the contract's zone, that the time touches."""
    tz = zone_of(contract)
    first = local(start_ms, tz).date().replace(day=1)
    last = local(max(start_ms, end_ms - 1), tz).date()
    while first <= last:
        yield parse(f"{first:%Y-%m}", tz)
        first = (first + timedelta(days=32)).replace(day=1)


def _within(service: ServiceStatement, start_ms: int, end_ms: int) -> Iterator[Line]:
    """The steps about time inside the outage, cut to it."""
    for line in explain_service(service):
        if line.topic != "stretch" or line.from_ms is None or line.to_ms is None:
            continue
        begin, end = max(line.from_ms, start_ms), min(line.to_ms, end_ms)
        if begin < end:
            yield replace(line, from_ms=begin, to_ms=end, value=duration_text(end - begin, rounding="exact"))


def service_lines(outage: PrintedOutage, effect: Effect, *, now_ms: int) -> Iterator[str]:
    """An outage of a service of several endpoints: when, why, and which endpoints made it."""
    zone = ZoneInfo(effect.statement.period["tz"])
    end_ms = now_ms if outage.to_ms is None else outage.to_ms
    state = outage.kind if outage.to_ms is None else f"was {outage.kind}"
    yield f"{outage.id}: {plain(effect.service.name)} {state}, {used(end_ms - outage.from_ms)}"
    yield f"  began          {full_time(outage.from_ms, zone)}"
    yield f"  ended          {'not yet' if outage.to_ms is None else full_time(outage.to_ms, zone)}"
    yield f"  made by        {', '.join(outage.endpoints)} ({effect.service.composition})"
    yield f"  what failed    {cause_words(outage.cause)}"


def effect_lines(told: Sequence[Effect], *, id: str | None) -> Iterator[str]:
    """Each effect in the contract's own time, and what of the whole it makes up."""
    if not told:
        yield "  It touches no contract: no service that anybody buys held this endpoint in that time."
    for effect in told:
        statement, service = effect.statement, effect.service
        client = plain(str(statement.client.get("name") or ""))
        other = [name for name in effect.printed if name != id]
        named = f", listed as {', '.join(other)}" if other else ""
        yield ""
        yield f"{client}, {statement.contract['id']}, {statement.period['label']}: {plain(service.name)}{named}"
        yield from stretch_table(effect.stretches, ZoneInfo(statement.period["tz"]))
        counted = duration_text(ceil(effect.counted), rounding="exact")
        yield f"  counted here {counted}{_of_all(service)}; {_verdict(service)}"


def _of_all(service: ServiceStatement) -> str:
    if service.measure.by != "time":
        return ""
    return f", of {duration_text(ceil(Fraction(service.measure.counted)), rounding='exact')} in the period"


def _verdict(service: ServiceStatement) -> str:
    figure = f"{service.availability_pct} %" if service.availability_pct else "no figure"
    target = f" against {service.target_pct} %" if service.target_pct else ""
    so_far = ", so far" if service.provisional else ""
    return f"{figure}{target}: {service.verdict.replace('_', ' ')}{so_far}"


def effect_data(told: Sequence[Effect]) -> list[dict[str, Any]]:
    """The same for JSON; `counted_ms` as exact text."""
    return [
        {
            "contract": effect.statement.contract["id"],
            "period": effect.statement.period,
            "service": effect.service.id,
            "outages": list(effect.printed),
            "counted_ms": exact_text(effect.counted),
            "availability_pct": effect.service.availability_pct,
            "target_pct": effect.service.target_pct,
            "verdict": effect.service.verdict,
            "lines": [asdict(line) for line in effect.stretches],
        }
        for effect in told
    ]
