"""One service's page of the statement: its facts judged part by part, and every figure printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

from sla.availability import Measured, pooled, together, worst
from sla.beginning import begun_by
from sla.budget import summed
from sla.claims import chronic_of
from sla.compose import described, endpoint_of, expressions, extent, members
from sla.counting import decides_whole
from sla.facts import Exclusion, Outage, ServiceFacts
from sla.figures import JSON_DIGITS, bounds_text, digits_for, floored
from sla.inputs import Inputs, periods_before
from sla.measures import NOTHING_MEASURED, TIMED, by_users, printed_measure
from sla.outages import service_degraded, service_outages
from sla.period import Period
from sla.printing import decimal_text, options_json, why_counted
from sla.sections import Section, Told, by_evidence, sections, without
from sla.spans import Span, Spans
from sla.statement import (
    Credit,
    Part,
    PrintedExclusion,
    PrintedOutage,
    PrintedWindow,
    ServiceStatement,
)
from sla.terms import Contract, Terms
from sla.timeline import Piece, counted, owned, printed, shared_out
from sla.windows import JudgedWindow, judge_windows

Kind = Literal["down", "degraded"]


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known when one service is printed."""

    contract: Contract
    service: ServiceFacts
    period: Period
    as_of_ms: int
    told: Told
    parts: tuple[Section, ...]
    whole: Measured

    @property
    def terms(self) -> Terms:
        """The last part's: they decide how the whole is printed."""
        return self.parts[-1].terms

    @property
    def past(self) -> Span:
        return (self.period.from_ms, self.parts[-1].layers.span[1])

    @property
    def provisional(self) -> bool:
        return self.as_of_ms < self.period.to_ms


def judge_service(contract: Contract, service: ServiceFacts, period: Period, *, as_of_ms: int) -> Case:
    """Judge one service over the period, as of an instant."""
    service = by_users(begun_by(service, contract.versions), contract)
    judged = judge_windows(service.windows, contract.versions, as_of_ms=as_of_ms)
    past = (period.from_ms, max(period.from_ms, min(period.to_ms, as_of_ms)))
    voting = any(terms.options.quorum_of == "voting" for terms in contract.versions)
    told = Told(
        windows=_own_windows(service, judged),
        outages=service_outages(service, as_of_ms),
        degraded=service_degraded(service, past, voting=voting),
    )
    parts = sections(contract, service, period, as_of_ms=as_of_ms, told=told)
    whole = _whole(parts)
    return Case(contract, service, period, as_of_ms, told, parts, whole)


def _whole(parts: Sequence[Section]) -> Measured:
    """All parts together; of several measures there is no common figure."""
    if len({part.terms.options.by for part in parts}) > 1:
        return NOTHING_MEASURED
    return pooled([part.measured for part in parts])


def _own_windows(service: ServiceFacts, windows: Iterable[JudgedWindow]) -> tuple[JudgedWindow, ...]:
    """The windows that name the service or one of its members; one without a scope names everything."""
    named = {("service", service.id)}
    named |= {("endpoint", endpoint_of(key)) for _, made_of in service.composition for key in members(made_of)}
    return tuple(judged for judged in windows if not judged.window.scope or judged.window.scope & named)


def service_statement(case: Case, credit: Credit | None) -> ServiceStatement:
    """Every figure of a judged service, printed; `credit` is settled with those of the contract's other services."""
    sole = case.parts[0] if len(case.parts) == 1 else None
    judgement = worst([part.judgement for part in case.parts])
    pieces = [piece for part in case.parts for piece in part.pieces]
    target = sole.terms.target if sole else None
    by = case.terms.options.by
    return ServiceStatement(
        id=case.service.id or None,
        name=case.service.name,
        target_pct=None if target is None else decimal_text(target),
        split_ms=together(part.sums for part in case.parts).split,
        considered_ms=case.whole.considered_ms if by == "time" else None,
        availability_pct=availability_text(case.whole, case.terms),
        bounds_pct=_bounds(case.whole, case.terms),
        evidence_pct=_evidence(case),
        coverage_pct=_coverage(case.whole, case.terms),
        verdict=judgement.verdict,
        reason=judgement.reason,
        provisional=case.provisional,
        measure=printed_measure(case.whole, by, case.service.inputs),
        budget=summed([part.budget for part in case.parts if part.budget is not None]),
        timeline=printed(pieces),
        parts=tuple(_part(part, case.service) for part in case.parts),
        outages=_outages(case, pieces),
        maintenance=_windows(case),
        exclusions=_exclusions(case),
        checks=_checks(case.service),
        method_changes=_method_changes(case),
        credit=credit,
        composition=_composition(case),
        chronic=chronic_of(case.terms, judgement.verdict, case.whole, _history(case), provisional=case.provisional),
    )


def _history(case: Case) -> Inputs:
    inputs = case.service.inputs
    return replace(inputs, history=periods_before(inputs, case.terms.options.by))


def availability_text(measured: Measured, terms: Terms) -> str | None:
    """Percent with six digits or more, floored; None where nothing was considered."""
    share = measured.availability
    digits = digits_for(terms.target, max(JSON_DIGITS, terms.options.digits))
    return None if share is None else floored(share * 100, digits)


def _bounds(measured: Measured, terms: Terms) -> tuple[str, str] | None:
    if measured.bounds is None:
        return None
    low, high = measured.bounds
    return bounds_text(low * 100, high * 100, target=terms.target, digits=terms.options.digits)


def _coverage(measured: Measured, terms: Terms) -> str | None:
    return None if measured.coverage is None else floored(measured.coverage * 100, terms.options.digits)


def _evidence(case: Case) -> tuple[str, str] | None:
    """Availability with every outage as long and as short as its evidence allows; None without evidence."""
    past = Spans.of([case.past])
    outages = (*case.told.outages, *case.told.degraded)
    if not _timed(case) or not any(
        _has_evidence(outage) and past.clip(*extent(outage, case.as_of_ms)) for outage in outages
    ):
        return None
    longest, shortest = (pooled(by_evidence(case.parts, kind)).availability for kind in ("longest", "shortest"))
    if longest is None or shortest is None:
        return None
    return bounds_text(longest * 100, shortest * 100, target=case.terms.target, digits=case.terms.options.digits)


def _has_evidence(outage: Outage) -> bool:
    return any(at is not None for at in (outage.last_good_ms, outage.last_bad_ms, outage.first_good_ms))


def _part(section: Section, service: ServiceFacts) -> Part:
    terms, measured = section.terms, section.measured
    return Part(
        from_ms=section.span[0],
        to_ms=section.span[1],
        target_pct=None if terms.target is None else decimal_text(terms.target),
        options=options_json(terms.options),
        split_ms=section.sums.split,
        considered_ms=measured.considered_ms if terms.options.by == "time" else None,
        measure=printed_measure(measured, terms.options.by, service.inputs),
        availability_pct=availability_text(measured, terms),
        bounds_pct=_bounds(measured, terms),
        coverage_pct=_coverage(measured, terms),
        verdict=section.judgement.verdict,
        reason=section.judgement.reason,
        budget=section.budget,
    )


def _outages(case: Case, pieces: Sequence[Piece]) -> tuple[PrintedOutage, ...]:
    """The outages that touch the time asked for, and the degraded stretches that count, in order of start."""
    seen = [part.layers.observed for part in case.parts]
    down = Spans.of(span for observed in seen for span in observed.down)
    slow = Spans.of(span for observed in seen for span in observed.degraded)
    found = _told(case, case.told.outages, down, pieces, "down")
    found += [each for each in _told(case, case.told.degraded, slow, pieces, "degraded") if each.counted_ms]
    return tuple(sorted(found, key=lambda outage: (outage.from_ms, outage.kind != "down", outage.id or "")))


def _told(
    case: Case, outages: Sequence[Outage], observed: Spans, pieces: Iterable[Piece], kind: Kind
) -> list[PrintedOutage]:
    owners = owned(extent(outage, case.as_of_ms) for outage in outages)
    seen: dict[int | None, int] = {}
    for (start, end), index in shared_out(observed, owners):
        seen[index] = seen.get(index, 0) + end - start
    by_owner: dict[int | None, list[Piece]] = {}
    quiet: dict[int | None, int] = {}
    for piece in pieces:
        if piece.time_class == kind:
            by_owner.setdefault(piece.owner, []).append(piece)
        elif piece.time_class == "up" and kind == "down":
            quiet[piece.owner] = quiet.get(piece.owner, 0) + piece.length_ms
    start, end = case.past
    return [
        _outage(outage, by_owner.get(index, ()), seen.get(index, 0), kind, _why(case, outage, quiet.get(index, 0)))
        for index, outage in enumerate(outages)
        if index in by_owner or (outage.from_ms < end and (outage.to_ms is None or outage.to_ms > start))
    ]


def _why(case: Case, outage: Outage, quiet_ms: int) -> str | None:
    """Which options decided what of the outage counts, where any did."""
    begun = [part for part in case.parts if part.span[0] <= outage.from_ms]
    options = (begun or case.parts)[-1].terms.options
    return why_counted(options, quiet_ms) if decides_whole(options) else None


def _outage(outage: Outage, pieces: Sequence[Piece], down_ms: int, kind: Kind, why: str | None) -> PrintedOutage:
    return PrintedOutage(
        id=outage.id,
        from_ms=outage.from_ms,
        to_ms=outage.to_ms,
        last_good_ms=outage.last_good_ms,
        first_bad_ms=outage.first_bad_ms,
        confirmed_ms=outage.confirmed_ms,
        last_bad_ms=outage.last_bad_ms,
        first_good_ms=outage.first_good_ms,
        counted_ms=ceil(counted(pieces)),
        down_ms=down_ms,
        cause=outage.cause,
        text=outage.text,
        endpoints=outage.endpoints,
        failed_checks=outage.failed_checks,
        kind=kind,
        why=why,
    )


def _windows(case: Case) -> tuple[PrintedWindow, ...]:
    """The windows that touch the period; those before it were known only because they use up a cap."""
    start, end = case.period.from_ms, case.period.to_ms
    return tuple(
        _window(judged) for judged in case.told.windows if judged.window.from_ms < end and judged.window.to_ms > start
    )


def _window(judged: JudgedWindow) -> PrintedWindow:
    window = judged.window
    return PrintedWindow(
        id=window.id,
        from_ms=window.from_ms,
        to_ms=window.to_ms,
        entered_ms=window.entered_ms,
        accepted=judged.accepted,
        why=judged.why,
        title=window.title,
    )


def _exclusions(case: Case) -> tuple[PrintedExclusion, ...]:
    start, end = case.past
    entries = sorted(case.service.exclusions, key=lambda entry: (entry.from_ms, entry.to_ms, entry.id or ""))
    return tuple(
        PrintedExclusion(
            id=entry.id,
            from_ms=entry.from_ms,
            to_ms=entry.to_ms,
            category=entry.category,
            clause=entry.clause,
            text=entry.text,
            without_pct=_without(case, entry),
        )
        for entry in entries
        if entry.from_ms < end and entry.to_ms > start
    )


def _without(case: Case, entry: Exclusion) -> str | None:
    """The figure without one exclusion; None where something else than time is measured."""
    if not _timed(case):
        return None
    return availability_text(pooled([without(part, entry) for part in case.parts]), case.terms)


def _timed(case: Case) -> bool:
    return all(part.terms.options.by in TIMED for part in case.parts)


def _checks(service: ServiceFacts) -> dict[str, int | None]:
    facts = service.endpoints.values()
    made = _sum(fact.checks_made for fact in facts)
    return {
        "due": _sum(fact.checks_due for fact in facts),
        "made": made,
        "unconfirmed": None if made is None else sum(fact.unconfirmed for fact in facts),
    }


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _method_changes(case: Case) -> tuple[dict[str, Any], ...]:
    start, end = case.past
    changes = sorted(case.service.method_changes, key=lambda change: (change.at_ms, change.endpoint))
    return tuple(
        {"at_ms": change.at_ms, "endpoint": change.endpoint, "text": change.text}
        for change in changes
        if start <= change.at_ms < end
    )


def _composition(case: Case) -> str:
    start, end = case.past
    (_, expression) = expressions(case.service, (start, max(end, start + 1)))[-1]
    return described(expression)
