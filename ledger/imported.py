"""Imported history beside what was seen live: what is known of an endpoint when several looked at it.

At each instant those decide who looked: the live checks where they did, else whoever else did, the worse where two
differ. So imported history never replaces live time; it speaks where nobody live did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sla.facts import Outage
from sla.spans import Span, Spans


@dataclass(frozen=True, slots=True)
class Witness:
    """One source: the time that it vouches for, and the outages (or degraded stretches) that it judged."""

    covered: Spans
    outages: tuple[Outage, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """An outage, by whom it was told (0: live), and the time of it that nobody contradicts."""

    outage: Outage
    witness: int
    kept: Spans

    def shared_ms(self, span: Span) -> int:
        return self.kept.clip(*span).total_ms


def united(live: Witness, others: Sequence[Witness], *, until_ms: int) -> tuple[Outage, ...]:
    """The outages as all of them together saw it, in order of time; one that lasts is looked at until `until_ms`.

    What touches is one outage: it has the id and the words of the one that it overlaps longest. What is left of an
    outage where nobody saw it bad is none.
    """
    if not others:
        return live.outages
    down = _bad(live, until_ms) | (Spans.of(s for other in others for s in _bad(other, until_ms)) - live.covered)
    known = Spans.of((*live.covered, *(s for other in others for s in other.covered)))
    good = known - down
    told = [
        _Told(outage, number, Spans.of([_extent(outage, until_ms)]) - good)
        for number, witness in enumerate((live, *others))
        for outage in witness.outages
    ]
    seen_good = live.covered - down
    begun = {outage.from_ms for outage in live.outages}
    spans = [span for span in Spans.of(s for one in told for s in one.kept) if down.clip(*span) or span[0] in begun]
    return tuple(_one(span, told, seen_good, until_ms) for span in spans)


def _extent(outage: Outage, until_ms: int) -> Span:
    end = until_ms if outage.to_ms is None else outage.to_ms
    return (outage.from_ms, max(outage.from_ms, end))


def _bad(witness: Witness, until_ms: int) -> Spans:
    """The time in which it was really seen bad: unknown time inside an outage is not."""
    return Spans.of(_extent(outage, until_ms) for outage in witness.outages) & witness.covered


def _one(span: Span, told: Iterable[_Told], seen_good: Spans, until_ms: int) -> Outage:
    inside = [one for one in told if one.kept.clip(*span)]
    longest = max(inside, key=lambda one: (one.shared_ms(span), -one.witness, -one.outage.from_ms)).outage
    if len(inside) == 1 and _extent(longest, until_ms) == span and not inside[0].witness:
        return longest
    first = next((one for one in inside if one.outage.from_ms == span[0]), None)
    last = next((one for one in inside if _extent(one.outage, until_ms)[1] == span[1]), None)
    found = replace(longest, from_ms=span[0], to_ms=span[1], failed_checks=_sum(one.outage for one in inside))
    found = _begun(found, first, seen_good)
    return _ended(found, last, seen_good)


def _sum(outages: Iterable[Outage]) -> int | None:
    counts = [outage.failed_checks for outage in outages if outage.failed_checks is not None]
    return sum(counts) if counts else None


def _begun(found: Outage, first: _Told | None, seen_good: Spans) -> Outage:
    """The evidence of its beginning, as far as it is the beginning that somebody saw."""
    if first is None:
        return replace(found, last_good_ms=None, first_bad_ms=None, confirmed_ms=None)
    own = first.outage
    last_good_ms = own.last_good_ms
    if first.witness and last_good_ms is not None:
        earlier = seen_good.clip(last_good_ms, found.from_ms).spans
        last_good_ms = earlier[-1][1] if earlier else last_good_ms
    return replace(found, last_good_ms=last_good_ms, first_bad_ms=own.first_bad_ms, confirmed_ms=own.confirmed_ms)


def _ended(found: Outage, last: _Told | None, seen_good: Spans) -> Outage:
    if last is None:
        return replace(found, last_bad_ms=None, first_good_ms=None)
    own = last.outage
    first_good_ms = own.first_good_ms
    if last.witness and first_good_ms is not None and own.to_ms is not None:
        later = seen_good.clip(own.to_ms, first_good_ms).spans
        first_good_ms = later[0][0] if later else first_good_ms
    to_ms = None if own.to_ms is None else found.to_ms
    return replace(found, to_ms=to_ms, last_bad_ms=own.last_bad_ms, first_good_ms=first_good_ms)
