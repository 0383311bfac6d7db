"""The layers of one part: what was observed, agreed and announced, and what of its downtime counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from sla.compose import Evidence, Observed, extent, observe
from sla.counting import Counting, Reading, Whole, count, decides_whole, reach_ms
from sla.facts import EndpointFacts, Exclusion, Outage, ServiceFacts
from sla.period import Period
from sla.spans import NOWHEN, Span, Spans
from sla.terms import Contract, Options, Terms
from sla.timeline import Layers, agreed_out, false_positives
from sla.windows import JudgedWindow


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the service, whole, whatever the parts of the period: each sorted by its start."""

    windows: tuple[JudgedWindow, ...]
    outages: tuple[Outage, ...]
    degraded: tuple[Outage, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One part of a period and all that decides it. `past` is what of the part has passed."""

    contract: Contract
    service: ServiceFacts
    period: Period
    terms: Terms
    told: Told
    as_of_ms: int
    past: Span

    @property
    def options(self) -> Options:
        return self.terms.options


def lay(case: Case, reading: Reading = "judged", *, evidence: Evidence = "judged") -> Layers:
    """The layers of the part's past."""
    exclusions = tuple(sorted(case.service.exclusions, key=_order))
    layers = Layers(
        span=case.past,
        observed=_observed(case, case.past, evidence),
        options=case.options,
        not_contracted=not_contracted(case.contract, case.service, case.past, case.options),
        outside_hours=case.service.outside_hours.clip(*case.past),
        exclusions=exclusions,
        windows=case.told.windows,
        outages=case.told.outages,
        degraded=case.told.degraded,
    )
    if not decides_whole(case.options):
        return layers
    if reading == "judged" and case.options.unknown == "down":
        reading = "all down"  # agreed as down, it lengthens an outage like any other
    return replace(layers, counting=_counting(case, exclusions, reading, evidence))


def _order(entry: Exclusion) -> tuple[int, int, str]:
    return (entry.from_ms, entry.to_ms, entry.id or "")


def _observed(case: Case, span: Span, evidence: Evidence) -> Observed:
    accepted = [window for judged in case.told.windows for window in judged.covering]
    return observe(
        case.service,
        span,
        accepted,
        degraded_weight=degraded_weight(case.options),
        quorum_of=case.options.quorum_of,
        evidence=evidence,
    )


def degraded_weight(options: Options) -> Fraction:
    """What degraded time counts as down under the contract, where a stretch bears no weight of its own."""
    named = {"up": Fraction(0), "down": Fraction(1)}
    return named[options.degraded] if isinstance(options.degraded, str) else Fraction(options.degraded)


def _counting(case: Case, exclusions: tuple[Exclusion, ...], reading: Reading, evidence: Evidence) -> Counting:
    """What counts of all the time around the part that may decide it."""
    options, span = case.options, _around(case)
    seen = _observed(case, span, evidence)
    wrong = false_positives(exclusions)
    outside = case.service.outside_hours.clip(*span)
    excluded = agreed_out(exclusions, options).clip(*span)
    maintenance = seen.maintenance if options.maintenance != "ignore" else NOWHEN
    gone = not_contracted(case.contract, case.service, span, options)
    apart = outside
    apart |= excluded if options.exclusions == "exclude" else NOWHEN
    apart |= maintenance if options.maintenance == "exclude" else NOWHEN
    apart |= gone if options.partial_period == "prorate" else NOWHEN
    taken = excluded | maintenance | outside
    counting = case.told.outages
    if degraded_weight(options):
        counting += case.told.degraded
    whole = Whole(
        span=span,
        origin_ms=case.period.from_ms,
        down=(seen.weights[0][1] if seen.weights else NOWHEN) - wrong,
        outages=Spans.of(extent(outage, case.as_of_ms) for outage in counting).clip(*span) - wrong,
        unknown=seen.unknown,
        wrong=wrong,
        taken=taken,
        apart=apart,
        never=taken | gone,
    )
    return count(whole, options, reading)


def _around(case: Case) -> Span:
    """The period, what lies so near that it may decide, and every outage that is known, up to the instant of asking.

    Of a running period nothing after that instant is considered; of one that is over, all that the facts hold.
    """
    reach, period = reach_ms(case.options), case.period
    known = [extent(outage, case.as_of_ms, "longest") for outage in (*case.told.outages, *case.told.degraded)]
    start = min([period.from_ms, *(span[0] for span in known)]) - reach
    if case.as_of_ms < period.to_ms:
        return (start, max(case.past[1], min(case.as_of_ms, period.to_ms)))
    return (start, max([period.to_ms, *(span[1] for span in known)]) + reach)


def around_period(contract: Contract, period: Period, known: Iterable[EndpointFacts], *, now_ms: int) -> Span:
    """The time that facts must cover to judge the period: itself, and what around it decides which outages count."""
    whole = [terms.options for terms in contract.versions if decides_whole(terms.options)]
    if not whole:
        return (period.from_ms, period.to_ms)
    reach = max(reach_ms(options) for options in whole)
    spans = [extent(o, now_ms, "longest") for facts in known for o in (*facts.outages, *facts.degraded)]
    start = min([period.from_ms, *(span[0] for span in spans)]) - reach
    return (start, max([period.to_ms, *(span[1] for span in spans)]) + reach)


def not_contracted(contract: Contract, service: ServiceFacts, span: Span, options: Options) -> Spans:
    """Time before the first version, after the end, or paused; and, where so agreed, before the first check."""
    end = span[1] if contract.until_ms is None else contract.until_ms
    contracted = Spans.of([span]).clip(contract.versions[0].from_ms, end) - contract.paused
    if options.before_first_check == "not_contracted":
        first_checks = [f.first_check_ms for f in service.endpoints.values() if f.first_check_ms is not None]
        contracted = contracted.clip(min(first_checks, default=span[0]), span[1])
    return Spans.of([span]) - contracted


def base_of(case: Case, span: Span) -> int | None:
    """What of a fixed base falls to a stretch of the period, before anything is taken out; None: the base is actual.

    The base stands for the whole period, so a stretch has its share by elapsed time, of contracted time alone where the
    contract prorates. Shares are rounded down in sum, so that the parts add up to the base.
    """
    base = case.options.base_ms
    if base is None:
        return None
    first, last = case.period.from_ms, case.period.to_ms
    until_start, until_end = (_contracted_ms(case, (first, at)) for at in span)
    return base * until_end // (last - first) - base * until_start // (last - first)


def _contracted_ms(case: Case, span: Span) -> int:
    whole = Spans.of([span])
    if case.options.partial_period == "counts_up":
        return whole.total_ms
    return (whole - not_contracted(case.contract, case.service, span, case.options)).total_ms


def laid_again(layers: Layers, span: Span) -> Layers | None:
    """The layers of a part of their span, without the outages behind them; None where they share nothing."""
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
