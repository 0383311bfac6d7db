"""The gapless timeline: every millisecond of a service in exactly one class (ACCOUNTING.md 1.3).

Classes are laid on from the strongest to the weakest, each on what the stronger ones left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import get_args

from sla.compose import Observed
from sla.counting import Counting, weighed
from sla.facts import Exclusion, Outage
from sla.figures import exact_text
from sla.spans import NOWHEN, Span, Spans
from sla.statement import Stretch, TimeClass
from sla.terms import Options
from sla.windows import JudgedWindow

CLASSES: tuple[TimeClass, ...] = get_args(TimeClass)
NOTHING = Fraction(0)
WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one class.

    `weight` is the share that counts as down, `owner` the place in the list of outages (of time that is up: the outage
    that does not count there). `spared` marks unknown time under accepted maintenance or an exclusion that would have
    counted up: it is left out of the coverage.
    """

    from_ms: int
    to_ms: int
    time_class: TimeClass
    ref: str | None = None
    weight: Fraction = NOTHING
    owner: int | None = None
    spared: bool = False

    @property
    def length_ms(self) -> int:
        return self.to_ms - self.from_ms


@dataclass(frozen=True, slots=True)
class Layers:
    """All that decides the classes of one span."""

    span: Span
    observed: Observed
    options: Options
    not_contracted: Spans = NOWHEN
    outside_hours: Spans = NOWHEN
    exclusions: tuple[Exclusion, ...] = ()
    windows: tuple[JudgedWindow, ...] = ()
    outages: tuple[Outage, ...] = ()
    degraded: tuple[Outage, ...] = ()
    counting: Counting | None = None  # None: all down time counts, and nothing else

    @property
    def weights(self) -> tuple[tuple[Fraction, Spans], ...]:
        """The time that counts at least so much, ascending."""
        if self.counting is None:
            return self.observed.weights
        return weighed(self.observed.weights, self.counting)

    @property
    def bare(self) -> Spans:
        """What was seen to be down or degraded and weighs anything, whether it counts or not."""
        return self.observed.weights[0][1] if self.observed.weights else NOWHEN

    @property
    def quiet(self) -> Spans:
        """Of that what does not count: outages too short, good buckets."""
        return NOWHEN if self.counting is None else self.bare - self.counting.time - false_positives(self.exclusions)


def filled_in(layers: Layers) -> dict[TimeClass, Spans]:
    """What was up and counts: the gap between two outages, the good part of a bad bucket.

    It is degraded where nothing but degraded time lies in its stretch, else down.
    """
    if layers.counting is None:
        return {"down": NOWHEN, "degraded": NOWHEN}
    filled, slow = layers.counting.time - layers.bare, NOWHEN
    if filled and layers.observed.degraded:
        down, degraded = layers.bare & layers.observed.down, layers.bare & layers.observed.degraded
        stretches = (s for s in layers.counting.stretches if degraded.clip(*s) and not down.clip(*s))
        slow = filled & Spans.of(stretches)
    return {"down": filled - slow, "degraded": slow}


@dataclass(frozen=True, slots=True)
class Owned:
    """A disjoint stretch that belongs to one entry of a list: where entries overlap, to the one that began first."""

    span: Span
    index: int


def owned(spans: Iterable[Span]) -> tuple[Owned, ...]:
    """Give every millisecond to the first entry that holds it. `spans` keep their place as the index."""
    found, reached = [], None
    for (start, end), index in sorted((span, index) for index, span in enumerate(spans)):
        begin = start if reached is None else max(start, reached)
        if begin < end:
            found.append(Owned((begin, end), index))
            reached = end
    return tuple(found)


def shared_out(spans: Spans, owners: Sequence[Owned]) -> list[tuple[Span, int | None]]:
    """Cut `spans` where owners change; None owns what nobody else does. One pass over both."""
    cut: list[tuple[Span, int | None]] = []
    first = 0
    for start, end in spans:
        while first < len(owners) and owners[first].span[1] <= start:
            first += 1
        at, index = start, first
        while at < end:
            here = owners[index] if index < len(owners) and owners[index].span[0] < end else None
            if here is None or at < here.span[0]:
                until = end if here is None else here.span[0]
                cut.append(((at, until), None))
            else:
                until = min(end, here.span[1])
                cut.append(((at, until), here.index))
                index += 1
            at = until
    return cut


def timeline(layers: Layers) -> tuple[Piece, ...]:
    """The pieces of the span in order: gapless, no two overlapping."""
    rest = Spans.of([layers.span])
    pieces: list[Piece] = []
    for time_class, spans in _strongest_first(layers):
        here = spans & rest
        rest -= here
        pieces += _pieces(time_class, here, layers)
    return tuple(sorted(pieces, key=lambda piece: piece.from_ms))


def _strongest_first(layers: Layers) -> list[tuple[TimeClass, Spans]]:
    options, observed = layers.options, layers.observed
    excluded = agreed_out(layers.exclusions, options)
    maintenance = observed.maintenance if options.maintenance != "ignore" else NOWHEN
    wrong, filled = false_positives(layers.exclusions), filled_in(layers)
    return [
        ("not_contracted", layers.not_contracted),
        ("outside_service_hours", layers.outside_hours),
        # What was not measured is never counted up: under count_up it stays unknown.
        ("excluded", excluded if options.exclusions == "exclude" else excluded - observed.unknown),
        ("maintenance", maintenance if options.maintenance == "exclude" else maintenance - observed.unknown),
        ("unknown", observed.unknown),
        ("down", (observed.down - wrong - layers.quiet) | filled["down"]),
        ("degraded", (observed.degraded - wrong) | filled["degraded"]),
        ("up", Spans.of([layers.span])),
    ]


def taking_out(exclusions: Iterable[Exclusion], options: Options) -> tuple[Exclusion, ...]:
    """Those that the contract lets take time out: of a category it names. A false positive takes none out."""
    named = options.exclusion_categories
    if options.exclusions == "ignore":
        return ()
    return tuple(
        entry
        for entry in exclusions
        if entry.category != "false_positive" and (named is None or entry.category in named)
    )


def agreed_out(exclusions: Iterable[Exclusion], options: Options) -> Spans:
    """The time that exclusions take out."""
    return Spans.of(entry.span for entry in taking_out(exclusions, options))


def false_positives(exclusions: Iterable[Exclusion]) -> Spans:
    """The time that was judged down and was up."""
    return Spans.of(entry.span for entry in exclusions if entry.category == "false_positive")


def _pieces(time_class: TimeClass, spans: Spans, layers: Layers) -> list[Piece]:
    if not spans:
        return []
    if time_class in ("down", "degraded"):
        return _counting(time_class, spans, layers)
    refs, owners = _owners(time_class, layers)
    shares = shared_out(spans, owners)
    named = [None if index is None else refs[index] for _, index in shares]
    return [
        Piece(
            *span,
            time_class,
            ref,
            owner=index if time_class == "up" else None,
            spared=time_class == "unknown" and index is not None,
        )
        for (span, index), ref in zip(shares, named, strict=True)
    ]


def _owners(time_class: TimeClass, layers: Layers) -> tuple[list[str | None], tuple[Owned, ...]]:
    """Ids and stretches of the windows or exclusions behind a class.

    Unknown time under a window or exclusion whose time counts up bears its id: it is left out of the coverage.
    """
    refs: list[str | None] = []
    owners: tuple[Owned, ...] = ()
    blind, options = time_class == "unknown", layers.options
    if time_class == "excluded" or (blind and options.exclusions == "count_up"):
        taken = taking_out(layers.exclusions, options)
        refs, owners = [entry.id for entry in taken], owned(entry.span for entry in taken)
    if time_class == "maintenance" or (blind and options.maintenance == "count_up"):
        windows = [window for judged in layers.windows for window in judged.covering]
        covered = _within(owned(w.span for w in windows), layers.observed.maintenance)
        owners = _beside(owners, [Owned(each.span, each.index + len(refs)) for each in covered])
        refs += [window.id for window in windows]
    if time_class == "up" and layers.quiet:  # an outage that does not count is still told
        refs = [outage.id for outage in layers.outages]
        owners = _within(owned(_whole(outage, layers) for outage in layers.outages), layers.quiet)
    return refs, owners


def _whole(outage: Outage, layers: Layers) -> Span:
    end = layers.span[1] if outage.to_ms is None else outage.to_ms
    return (outage.from_ms, max(outage.from_ms, end))


def _beside(first: Sequence[Owned], second: Sequence[Owned]) -> tuple[Owned, ...]:
    """Both, disjoint: where they overlap the first keeps its own."""
    taken = Spans.of(each.span for each in first)
    rest = [Owned(span, each.index) for each in second for span in Spans.of([each.span]) - taken.clip(*each.span)]
    return tuple(sorted([*first, *rest], key=lambda each: each.span))


def _within(owners: Sequence[Owned], spans: Spans) -> tuple[Owned, ...]:
    return tuple(Owned(part, index) for part, index in shared_out(spans, owners) if index is not None)


def _counting(time_class: TimeClass, spans: Spans, layers: Layers) -> list[Piece]:
    outages = layers.outages if time_class == "down" else layers.degraded
    owners = owned(_whole(outage, layers) for outage in outages)
    if filled := filled_in(layers)[time_class]:
        owners = _beside(owners, _filling(owners, filled, layers))
    levels: list[tuple[Fraction, Spans]] = [(NOTHING, spans), *layers.weights]
    pieces = []
    for (weight, here), (_, heavier) in zip(levels, [*levels[1:], (WHOLE, NOWHEN)], strict=True):
        for span, index in shared_out((spans & here) - heavier, owners):
            pieces.append(Piece(*span, time_class, None if index is None else outages[index].id, weight, index))
    return pieces


def _filling(owners: Sequence[Owned], filled: Spans, layers: Layers) -> list[Owned]:
    """What was filled in belongs to the outage before it in its stretch, or else to the next one.

    One that touches the span itself comes first: an outage that ended before a period is not told in it.
    """
    found = []
    stretches = layers.counting.stretches if layers.counting else NOWHEN
    starts, ends = [each.span[0] for each in owners], [each.span[1] for each in owners]
    for stretch in stretches:
        inside = owners[bisect_right(ends, stretch[0]) : bisect_left(starts, stretch[1])]
        start, end = layers.span
        inside = [each for each in inside if each.span[0] < end and each.span[1] > start] or inside
        for span in filled.clip(*stretch) if inside else ():
            before = [each for each in inside if each.span[0] <= span[0]]
            found.append(Owned(span, (before[-1] if before else inside[0]).index))
    return found


def split(pieces: Iterable[Piece]) -> dict[TimeClass, int]:
    """Milliseconds per class, unweighted; every class is named."""
    totals: dict[TimeClass, int] = dict.fromkeys(CLASSES, 0)
    for piece in pieces:
        totals[piece.time_class] += piece.length_ms
    return totals


def counted(pieces: Iterable[Piece]) -> Fraction:
    """What counts as down, weighted, in milliseconds."""
    by_weight: dict[Fraction, int] = {}
    for piece in pieces:
        if piece.weight:
            by_weight[piece.weight] = by_weight.get(piece.weight, 0) + piece.length_ms
    return sum((weight * length for weight, length in by_weight.items()), NOTHING)


def printed(pieces: Iterable[Piece]) -> tuple[Stretch, ...]:
    """The statement's timeline: neighbours that look the same are one line."""
    lines: list[Stretch] = []
    for piece in pieces:
        line = Stretch(piece.from_ms, piece.to_ms, piece.time_class, piece.ref, _weight_text(piece))
        last = lines[-1] if lines else None
        if last and (last.time_class, last.ref, last.weight) == (line.time_class, line.ref, line.weight):
            lines[-1] = Stretch(last.from_ms, line.to_ms, line.time_class, line.ref, line.weight)
        else:
            lines.append(line)
    return tuple(lines)


def _weight_text(piece: Piece) -> str | None:
    lighter = piece.time_class in ("down", "degraded") and piece.weight < 1
    return exact_text(piece.weight) if lighter else None
