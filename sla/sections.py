"""The parts of a period, each under one target and measure, judged on its own time (ACCOUNTING.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from sla.availability import Judgement, Measured, Tally, judge_target, measure, tally
from sla.budget import budget
from sla.compose import Evidence, announced
from sla.facts import Exclusion, ServiceFacts
from sla.laying import Case, Told, base_of, laid_again, lay, not_contracted
from sla.measures import TIMED, measured_by
from sla.period import Period
from sla.spans import NOWHEN, Span, Spans
from sla.statement import Budget
from sla.terms import Contract, Options, Terms, WindowTerms, in_force
from sla.timeline import Layers, Piece, timeline

__all__ = ["Section", "Told", "by_evidence", "cuts", "sections", "under_contract", "without"]

AtBounds: TypeAlias = tuple[tuple[Piece, ...], tuple[Piece, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    """One part, judged. `span` is the part as agreed, `layers.span` what of it has passed by the time of asking."""

    span: Span
    terms: Terms
    case: Case
    layers: Layers
    pieces: tuple[Piece, ...]
    sums: Tally
    measured: Measured
    timed: Measured  # the same of time, whatever the contract measures
    at_bounds: AtBounds | None  # the pieces had all unknown time been up, and down, where whole outages decide
    ahead_ms: int  # time still to come that will be considered
    judgement: Judgement
    budget: Budget | None

    def pieces_at(self, point: str) -> tuple[Piece, ...]:
        """The pieces at a bound: `best` and `worst` may count others than the figure does."""
        if self.at_bounds is None or point not in ("best", "worst"):
            return self.pieces
        return self.at_bounds[0 if point == "best" else 1]


def cuts(contract: Contract, period: Period) -> tuple[tuple[Span, Terms], ...]:
    """The period cut where target, period, base or measure change; each part has the terms in force at its end.

    A change of fee, credits, cap or clauses cuts nothing, nor does how figures are printed and rounded or which windows
    are accepted: that is decided at each window's start.
    """
    inside = [terms for terms in contract.versions if period.from_ms < terms.from_ms < period.to_ms]
    found = [(period.from_ms, in_force(contract.versions, period.from_ms))]
    for terms in inside:
        if _judged_by(terms) == _judged_by(found[-1][1]):
            found[-1] = (found[-1][0], terms)
        else:
            found.append((terms.from_ms, terms))
    ends = [*(start for start, _ in found[1:]), period.to_ms]
    return tuple(((start, end), terms) for (start, terms), end in zip(found, ends, strict=True))


def _judged_by(terms: Terms) -> tuple[object, Options]:
    """Target and measure."""
    return terms.target, replace(terms.options, digits=3, rounding="half_up", windows=WindowTerms())


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
    found = []
    for span, terms in begun:
        past = (span[0], max(span[0], min(span[1], as_of_ms)))
        found.append(_section(Case(contract, service, period, terms, told, as_of_ms, past), span))
    return tuple(found)


def _section(case: Case, span: Span) -> Section:
    terms = case.terms
    layers = lay(case)
    pieces = timeline(layers)
    sums = tally(pieces)
    other = measured_by(case.service.inputs, pieces, case.past, terms.options)
    at_bounds = _at_bounds(case, layers)
    timed = _measured(case, sums, at_bounds)
    measured = other or timed
    ahead = 0 if other else _ahead_ms(case, (case.past[1], span[1]))
    return Section(
        span=span,
        terms=terms,
        case=case,
        layers=layers,
        pieces=pieces,
        sums=sums,
        measured=measured,
        timed=timed,
        at_bounds=at_bounds,
        ahead_ms=ahead,
        judgement=judge_target(measured, terms.target, terms.options, ahead_ms=ahead),
        budget=None if other else _budget(terms, measured, ahead),
    )


def _at_bounds(case: Case, layers: Layers) -> AtBounds | None:
    if layers.counting is None:
        return None
    return timeline(lay(case, "all up")), timeline(lay(case, "all down"))


def _measured(case: Case, sums: Tally, at_bounds: AtBounds | None) -> Measured:
    """What the part measures. Where whole outages decide, its bounds are counted anew, unknown time up and down."""
    options = case.terms.options
    base = base_of(case, case.past)
    if at_bounds is None:
        return measure(sums, options, base_ms=base)
    best, worst = (tally(pieces).counted for pieces in at_bounds)
    return measure(sums, options, base_ms=base, at_best=best, at_worst=worst)


def under_contract(contract: Contract, service: ServiceFacts, period: Period, *, until_ms: int) -> Spans:
    """The time of the period up to `until_ms` that is contracted, each part by its own options."""
    past = [((start, min(end, until_ms)), terms) for (start, end), terms in cuts(contract, period) if start < until_ms]
    gone = [not_contracted(contract, service, span, terms.options) for span, terms in past]
    return Spans.of(span for span, _ in past) - Spans.of(span for spans in gone for span in spans)


def _ahead_ms(case: Case, rest: Span) -> int:
    if rest[0] >= rest[1]:
        return 0
    options, service = case.terms.options, case.service
    accepted = [window for judged in case.told.windows for window in judged.covering]
    planned = announced(service, rest, accepted) if options.maintenance == "exclude" else NOWHEN
    gone = not_contracted(case.contract, service, rest, options) if options.partial_period == "prorate" else NOWHEN
    base = base_of(case, rest)
    if base is not None:
        return max(0, base - ((service.outside_hours | planned).clip(*rest) - gone).total_ms)
    return (Spans.of([rest]) - gone - service.outside_hours - planned).total_ms


def _budget(terms: Terms, measured: Measured, ahead_ms: int) -> Budget | None:
    base = measured.considered_ms + ahead_ms
    return None if terms.target is None or not base else budget(terms.target, base, measured.counted_ms)


def without(section: Section, exclusion: Exclusion) -> Measured:
    """What the part would measure if that one exclusion had not been agreed.

    Only its own span is laid anew; where whole outages decide what counts, all of the part is.
    """
    case, others = section.case, tuple(e for e in section.layers.exclusions if e is not exclusion)
    if section.layers.counting is not None or section.terms.options.by not in TIMED:
        case = replace(case, service=replace(case.service, exclusions=others))
        layers = lay(case)
        pieces = timeline(layers)
        other = measured_by(case.service.inputs, pieces, case.past, case.options)
        return other or _measured(case, tally(pieces), _at_bounds(case, layers))
    here = laid_again(section.layers, exclusion.span)
    if here is None:
        return section.measured
    inside = tuple(entry for entry in here.exclusions if entry is not exclusion)
    with_it, without_it = tally(timeline(here)), tally(timeline(replace(here, exclusions=inside)))
    sums = section.sums - with_it + without_it
    return measure(sums, section.terms.options, base_ms=base_of(case, case.past))


def by_evidence(parts: Sequence[Section], evidence: Evidence) -> list[Measured]:
    """What the parts would measure if every outage were as long or as short as its evidence allows."""
    found = []
    for part in parts:
        sums = tally(timeline(replace(lay(part.case, evidence=evidence), outages=(), degraded=())))
        found.append(measure(sums, part.terms.options, base_ms=base_of(part.case, part.case.past)))
    return found
