"""Which down time counts: merge_gap, what is taken out, min_outage, buckets, min_run, in ACCOUNTING.md's order.

Everything is looked at whole, over more time than the part that is judged; the part is cut out afterwards. What the
contract leaves out of an outage cuts it in pieces, and so do hours without service. Unknown time does not, nor does the
edge of a period or contract: they only decide what of a piece is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from sla.spans import NOWHEN, Span, Spans
from sla.terms import Least, Options

Reading = Literal["judged", "all up", "all down"]


@dataclass(frozen=True, slots=True)
class Whole:
    """What the counting starts from, over all time that may decide.

    `down` is the known time that weighs anything, false positives left out; `outages` are the outages whole, unknown
    time inside them included. `taken` is what cuts a piece (excluded, accepted maintenance, outside hours); `apart` is
    what is not in the base, `never` what cannot count whatever its bucket is. Buckets begin at `origin_ms`.
    """

    span: Span
    origin_ms: int
    down: Spans
    outages: Spans
    unknown: Spans
    wrong: Spans = NOWHEN
    taken: Spans = NOWHEN
    apart: Spans = NOWHEN
    never: Spans = NOWHEN


@dataclass(frozen=True, slots=True)
class Counting:
    """The known time that counts, and the stretches it was decided by: outages joined, and bad buckets."""

    time: Spans
    stretches: Spans


def decides_whole(options: Options) -> bool:
    """Whether anything but the downtime itself decides what counts; without such an option every millisecond does."""
    return bool(options.merge_gap_ms) or options.min_outage is not None or options.bucket_ms is not None


def reach_ms(options: Options) -> int:
    """How far beyond a period time can still decide what counts within it, where no outage reaches out."""
    return (options.bucket_ms or 0) * (options.min_run + 1) + options.merge_gap_ms if decides_whole(options) else 0


def count(whole: Whole, options: Options, reading: Reading) -> Counting:
    """What counts. As judged, unknown time inside an outage does not cut it; for the bounds it is up, or down."""
    units = joined(_down(whole, reading), options.merge_gap_ms) - whole.wrong
    early, late = (options.min_outage, None) if options.min_outage_before_exclusions else (None, options.min_outage)
    pieces = long_enough(long_enough(units, early) - whole.taken, late)
    if options.bucket_ms is None:
        return Counting(pieces - whole.never - whole.unknown, units)
    bad = bad_buckets(whole, pieces, options, reading)
    return Counting(bad - whole.never - whole.unknown, units | bad)


def _down(whole: Whole, reading: Reading) -> Spans:
    if reading == "all up":
        return whole.down
    return whole.down | (whole.unknown if reading == "all down" else whole.unknown & whole.outages)


def joined(spans: Spans, gap_ms: int) -> Spans:
    """Stretches at most the gap apart are one."""
    if not gap_ms:
        return spans
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= gap_ms:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return Spans(tuple(found))


def long_enough(spans: Spans, least: Least | None) -> Spans:
    """Those that are as long as agreed, whole."""
    if least is None:
        return spans
    shortest = least.ms if least.comparison == ">=" else least.ms + 1
    return Spans(tuple((start, end) for start, end in spans if end - start >= shortest))


def bad_buckets(whole: Whole, pieces: Spans, options: Options, reading: Reading) -> Spans:
    """The buckets that are bad, in runs long enough. Their grid is that of the period's start, on both its sides."""
    size = options.bucket_ms or 1
    blind = reading == "judged" and options.unknown == "exclude"
    considered = Spans.of([whole.span]) - whole.apart - (whole.unknown if blind else NOWHEN)
    down = pieces & considered
    if reading == "judged":
        down -= whole.unknown
    bad = [
        (start, end)
        for start, end in _touched(down, whole.origin_ms, size)
        if _is_bad(down.clip(start, end).total_ms, considered.clip(start, end).total_ms, options)
    ]
    unseen = whole.unknown - whole.taken if blind else NOWHEN
    least_ms = options.min_run * size
    runs = (run for run in _runs(bad, unseen) if sum(end - start for start, end in run) >= least_ms)
    return Spans.of(stretch for run in runs for stretch in run)


def _touched(spans: Spans, origin_ms: int, size: int) -> Iterator[Span]:
    """The buckets that hold any of the spans, ascending; those that lie wholly in one span as one stretch."""
    done: int | None = None
    for start, end in spans:
        first = origin_ms - (origin_ms - start) // size * size
        last = origin_ms + (end - origin_ms) // size * size
        edges = [(first - size, first)] if start < first else []
        edges += [(first, last)] if first < last else []
        edges += [(last, last + size)] if last < end and last >= first else []
        for bucket in edges:
            if done is None or bucket[0] >= done:
                yield bucket
                done = bucket[1]


def _is_bad(down_ms: int, considered_ms: int, options: Options) -> bool:
    limit = Fraction(options.bad.value) * considered_ms / 100
    return down_ms >= limit if options.bad.comparison == ">=" else down_ms > limit


def _runs(bad: list[Span], unseen: Spans) -> Iterator[list[Span]]:
    """Bad stretches in a row. Like checks, buckets that are wholly unknown neither count for a run nor break it."""
    run: list[Span] = []
    for bucket in bad:
        between = (run[-1][1], bucket[0]) if run else bucket
        if run and (Spans.of([between]) - unseen.clip(*between)):
            yield run
            run = []
        run.append(bucket)
    if run:
        yield run


def weighed(weights: tuple[tuple[Fraction, Spans], ...], counting: Counting) -> tuple[tuple[Fraction, Spans], ...]:
    """The time that counts at least so much, ascending, after counting.

    What was up and counts (a joined gap, the good part of a bad bucket) weighs as the heaviest time of its stretch.
    """
    bare = weights[0][1] if weights else NOWHEN
    filled = counting.time - bare
    if not filled:
        return tuple((weight, spans & counting.time) for weight, spans in weights)
    levels = weights if weights and weights[-1][0] == 1 else (*weights, (Fraction(1), NOWHEN))
    unweighed = Spans(tuple(stretch for stretch in counting.stretches if not bare.clip(*stretch)))
    return tuple(
        (weight, (spans & counting.time) | (filled & (_touching(counting.stretches, spans) | unweighed)))
        for weight, spans in levels
    )


def _touching(stretches: Spans, spans: Spans) -> Spans:
    return Spans(tuple(stretch for stretch in stretches if spans.clip(*stretch)))
