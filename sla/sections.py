"""The parts of a period, each under one target and measure, judged on its own time (ACCOUNTING.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sla.availability import Judgement, Measured, Tally, judge_target, measure, tally
from sla.budget import budget
from sla.compose import Evidence, Observed, announced, observe
from sla.facts import Exclusion, Outage, ServiceFacts
from sla.measures import measured_by
from sla.period import Period
from sla.spans import NOWHEN, Span, Spans
from sla.statement import Budget
from sla.terms import Contract, Options, Terms, in_force
from sla.timeline import Layers, Piece, timeline
from sla.windows import JudgedWindow


@dataclass(frozen=True, slots=True)
class Told:
    """What the statement lists of the service, whole, whatever the parts of the period: each sorted by its start."""

    windows: tuple[JudgedWindow, ...]
    outages: tuple[Outage, ...]
    degraded: tuple[Outage, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part, judged. `span` is the part as agreed, `layers.span` what of it has passed by the time of asking."""

    span: Span
    terms: Terms
    layers: Layers
    pieces: tuple[Piece, ...]
    sums: Tally
    measured: Measured
    ahead_ms: int  # time still to come that will be considered
    judgement: Judgement
    budget: Budget | None


def cuts(contract: Contract, period: Period) -> tuple[tuple[Span, Terms], ...]:
    """The period cut where target or measure change; a change of fee, credits, cap or clauses cuts nothing."""
    inside = [terms for terms in contract.versions if period.from_ms < terms.from_ms < period.to_ms]
    found = [(period.from_ms, in_force(contract.versions, period.from_ms))]
    for terms in inside:
        judged_by = found[-1][1]
        if (terms.target, terms.options) != (judged_by.target, judged_by.options):
            found.append((terms.from_ms, terms))
    ends = [*(start for start, _ in found[1:]), period.to_ms]
    return tuple(((start, end), terms) for (start, terms), end in zip(found, ends, strict=True))


def sections(
    contract: Contract,
    service: ServiceFacts,
    period: Period,
    *,
    as_of_ms: int,
    told: Told,
) -> tuple[Section, ...]:
    """Every part that has begun, judged as of an instant; the first part even before it begins."""
    agreed = cuts(contract, period)
    begun = [cut for cut in agreed if cut[0][0] < as_of_ms] or list(agreed[:1])
    return tuple(_section(contract, service, span, terms, as_of_ms, told) for span, terms in begun)


def _section(
    contract: Contract,
    service: ServiceFacts,
    span: Span,
    terms: Terms,
    as_of_ms: int,
    told: Told,
) -> Section:
    past = (span[0], max(span[0], min(span[1], as_of_ms)))
    layers = _layers(contract, service, past, terms, told)
    pieces = timeline(layers)
    sums = tally(pieces)
    other = measured_by(service.inputs, pieces, past, terms.options)
    measured = other or measure(sums, terms.options)
    ahead = 0 if other else _ahead_ms(contract, service, (past[1], span[1]), terms.options, told.windows)
    return Section(
        span=span,
        terms=terms,
        layers=layers,
        pieces=pieces,
        sums=sums,
        measured=measured,
        ahead_ms=ahead,
        judgement=judge_target(measured, terms.target, terms.options, ahead_ms=ahead),
        budget=None if other else _budget(terms, measured, ahead),
    )


def _layers(
    contract: Contract,
    service: ServiceFacts,
    past: Span,
    terms: Terms,
    told: Told,
) -> Layers:
    return Layers(
        span=past,
        observed=observed_by(service, past, terms.options, told.windows),
        options=terms.options,
        not_contracted=not_contracted(contract, service, past, terms.options),
        outside_hours=service.outside_hours.clip(*past),
        exclusions=tuple(sorted(service.exclusions, key=lambda entry: (entry.from_ms, entry.to_ms, entry.id or ""))),
        windows=told.windows,
        outages=told.outages,
        degraded=told.degraded,
    )


def observed_by(
    service: ServiceFacts,
    span: Span,
    options: Options,
    windows: Sequence[JudgedWindow],
    evidence: Evidence = "judged",
) -> Observed:
    accepted = [judged.window for judged in windows if judged.accepted]
    return observe(service, span, accepted, degraded_weight=degraded_weight(options), evidence=evidence)


def degraded_weight(options: Options) -> Fraction:
    """What degraded time counts as down under the contract, where a stretch bears no weight of its own."""
    named = {"up": Fraction(0), "down": Fraction(1)}
    return named[options.degraded] if isinstance(options.degraded, str) else Fraction(options.degraded)


def not_contracted(contract: Contract, service: ServiceFacts, span: Span, options: Options) -> Spans:
    """Time before the first version, after the end, or paused; and, where so agreed, before the first check."""
    end = span[1] if contract.until_ms is None else contract.until_ms
    contracted = Spans.of([span]).clip(contract.versions[0].from_ms, end) - contract.paused
    if options.before_first_check == "not_contracted":
        first_checks = [f.first_check_ms for f in service.endpoints.values() if f.first_check_ms is not None]
        contracted = contracted.clip(min(first_checks, default=span[0]), span[1])
    return Spans.of([span]) - contracted


def under_contract(contract: Contract, service: ServiceFacts, period: Period, *, until_ms: int) -> Spans:
    """The time of the period up to `until_ms` that is contracted, each part by its own options."""
    past = [((start, min(end, until_ms)), terms) for (start, end), terms in cuts(contract, period) if start < until_ms]
    gone = [not_contracted(contract, service, span, terms.options) for span, terms in past]
    return Spans.of(span for span, _ in past) - Spans.of(span for spans in gone for span in spans)


def _ahead_ms(
    contract: Contract, service: ServiceFacts, rest: Span, options: Options, windows: Sequence[JudgedWindow]
) -> int:
    if rest[0] >= rest[1]:
        return 0
    accepted = [judged.window for judged in windows if judged.accepted]
    planned = announced(service, rest, accepted) if options.maintenance == "exclude" else NOWHEN
    taken = not_contracted(contract, service, rest, options) if options.partial_period == "prorate" else NOWHEN
    return (Spans.of([rest]) - taken - service.outside_hours - planned).total_ms


def _budget(terms: Terms, measured: Measured, ahead_ms: int) -> Budget | None:
    base = measured.considered_ms + ahead_ms
    return None if terms.target is None or not base else budget(terms.target, base, measured.counted_ms)


def without(section: Section, exclusion: Exclusion) -> Measured:
    """What the part would measure if that one exclusion had not been agreed: only its own span is laid anew."""
    here = clipped(section.layers, exclusion.span)
    if here is None:
        return section.measured
    others = tuple(entry for entry in here.exclusions if entry is not exclusion)
    with_it, without_it = tally(timeline(here)), tally(timeline(replace(here, exclusions=others)))
    return measure(section.sums - with_it + without_it, section.terms.options)


def clipped(layers: Layers, span: Span) -> Layers | None:
    """The layers of a part of their span; None where they share nothing."""
    cut = (max(layers.span[0], span[0]), min(layers.span[1], span[1]))
    if cut[0] >= cut[1]:
        return None
    seen = layers.observed
    observed = Observed(
        down=seen.down.clip(*cut),
        degraded=seen.degraded.clip(*cut),
        unknown=seen.unknown.clip(*cut),
        maintenance=seen.maintenance.clip(*cut),
        weights=tuple((weight, spans.clip(*cut)) for weight, spans in seen.weights),
    )
    inside = tuple(entry for entry in layers.exclusions if entry.from_ms < cut[1] and entry.to_ms > cut[0])
    return replace(layers, span=cut, observed=observed, exclusions=inside, outages=(), degraded=())


def by_evidence(
    service: ServiceFacts, parts: Sequence[Section], windows: Sequence[JudgedWindow], evidence: Evidence
) -> list[Measured]:
    """What the parts would measure if every outage were as long or as short as its evidence allows."""
    found = []
    for part in parts:
        options = part.terms.options
        observed = observed_by(service, part.layers.span, options, windows, evidence)
        laid = replace(part.layers, observed=observed, outages=(), degraded=())
        found.append(measure(tally(timeline(laid)), options))
    return found
