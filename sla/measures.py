"""What is measured, where it is not time: users, requests, periods, an imported value (`measure.by`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from sla.availability import Measured
from sla.facts import Outage, ServiceFacts
from sla.figures import exact_text
from sla.inputs import Inputs, Requests, value_of
from sla.spans import Span, Spans
from sla.statement import Measure
from sla.terms import Contract, Options
from sla.timeline import Piece

UNITS = {"time": "ms", "users": "user_ms", "requests": "buckets", "periods": "percent"}
TIMED = ("time", "users")
_KINDS = ("time", "users", "requests", "periods")


def by_users(service: ServiceFacts, contract: Contract) -> ServiceFacts:
    """With users measured, each outage counts by the share of them that it affected."""
    if all(terms.options.by != "users" for terms in contract.versions) or not service.inputs.users:
        return service
    users = Fraction(service.inputs.users)
    endpoints = {
        name: replace(
            facts,
            outages=tuple(_weighed(outage, users) for outage in facts.outages),
            degraded=tuple(_weighed(outage, users) for outage in facts.degraded),
        )
        for name, facts in service.endpoints.items()
    }
    return replace(service, endpoints=endpoints)


def _weighed(outage: Outage, users: Fraction) -> Outage:
    if outage.affected is None:
        return outage
    share = min(Fraction(1), outage.affected / users)
    return replace(outage, weight=share * (1 if outage.weight is None else outage.weight))


def measured_by(inputs: Inputs, pieces: Iterable[Piece], span: Span, options: Options) -> Measured | None:
    """The base and what counts, in units of the measure; None where time is measured."""
    if options.by in TIMED:
        return None
    if options.by == "requests":
        return _requests(inputs.requests, pieces, span, options)
    if options.by == "periods":
        last = inputs.history[-1] if inputs.history else None
        return _percent(None if last is None or isinstance(last, str) else Fraction(last))
    return _percent(value_of(inputs, options.by))


def _plain(base: int, counted: Fraction) -> Measured:
    return Measured(base, base, counted, base, counted, counted, 0, base, 0)


NOTHING_MEASURED = _plain(0, Fraction(0))


def _percent(availability: Fraction | None) -> Measured:
    return NOTHING_MEASURED if availability is None else _plain(100, 100 - availability)


def _requests(series: Requests | None, pieces: Iterable[Piece], span: Span, options: Options) -> Measured:
    """The average of the error rates of every bucket; a bucket that begins in time left out of the base is left out."""
    if series is None:
        return NOTHING_MEASURED
    out = Spans.of((piece.from_ms, piece.to_ms) for piece in pieces if piece.time_class in _left_out(options))
    buckets = _begun(span[0], span[1], span[0], series.bucket_ms)
    base = buckets - sum(_begun(start, end, span[0], series.bucket_ms) for start, end in out)
    counted = sum(
        (
            Fraction(bucket.errors, bucket.requests) * bucket.times
            for bucket in series.buckets
            if bucket.requests and _counts(bucket.at_ms, span, out)
        ),
        Fraction(0),
    )
    return _plain(base, counted)


def _left_out(options: Options) -> set[str]:
    found = {"not_contracted", "outside_service_hours"}
    found |= {"excluded"} if options.exclusions == "exclude" else set()
    return found | ({"maintenance"} if options.maintenance == "exclude" else set())


def _counts(at_ms: int | None, span: Span, out: Spans) -> bool:
    return at_ms is None or (span[0] <= at_ms < span[1] and not out.clip(at_ms, at_ms + 1))


def _begun(start: int, end: int, origin: int, length: int) -> int:
    """How many buckets of the grid begin in [start, end)."""
    return -(-(end - origin) // length) + (origin - start) // length if end > start else 0


def printed_measure(measured: Measured, by: str, inputs: Inputs) -> Measure:
    """Exact decimal text of the base and of what counts against it, in the unit of the measure."""
    scale = Fraction(inputs.users or 0) if by == "users" else Fraction(1)
    named = by if by in _KINDS else "value"
    unit = UNITS.get(by, "percent")
    return Measure(named, unit, exact_text(measured.considered_ms * scale), exact_text(measured.counted_ms * scale))


def unmeasured(options: Options, inputs: Inputs) -> str | None:
    """The input without which there is no figure."""
    needed = {"users": inputs.users, "requests": inputs.requests, "periods": inputs.history or None}
    if options.by == "time":
        return None
    present = needed.get(options.by, value_of(inputs, options.by))
    names = {"users": "users", "requests": "series.requests", "periods": "history"}
    return None if present is not None else names.get(options.by, f"values.{options.by}")
