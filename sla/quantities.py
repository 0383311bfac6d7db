"""The named quantities that credit rules read of a part: at the figure, at both bounds, and at the end of what runs.

One outage is one outage as judged, its remaining pieces together, however many endpoints it hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from sla.availability import Measured, compared
from sla.facts import Outage
from sla.sections import Section, Told
from sla.terms import Terms
from sla.timeline import Piece

# figure: as printed (a running period: as if it went on so); best, worst: all unknown time up, down;
# incurred, at_most: the rest of a running period up, down.
Point: TypeAlias = Literal["figure", "best", "worst", "incurred", "at_most"]
WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Downtime:
    """The counted pieces of one outage: (from_ms, to_ms, weight), ascending."""

    pieces: tuple[tuple[int, int, Fraction], ...]

    @property
    def counted_ms(self) -> Fraction:
        return sum(((end - start) * weight for start, end, weight in self.pieces), Fraction(0))


@dataclass(frozen=True, slots=True)
class Quantities:
    """`base` and `counted` in the unit of the measure, `time_base_ms` and the outages in milliseconds."""

    base: Fraction
    counted: Fraction
    time_base_ms: Fraction
    downtime_ms: Fraction
    outages: tuple[Downtime, ...]
    terms: Terms

    @property
    def target(self) -> Decimal | None:
        return self.terms.target

    @property
    def compared(self) -> Fraction | None:
        """The percentage that is compared with targets and edges."""
        share = self.availability
        return None if share is None else compared(share, self.terms.options)

    @property
    def availability(self) -> Fraction | None:
        return max(self.base - self.counted, Fraction(0)) / self.base if self.base else None

    @property
    def missed(self) -> bool:
        percent = self.compared
        return percent is not None and self.target is not None and percent < self.target

    @property
    def lost(self) -> Fraction:
        """The share of the base that counts as down."""
        return self.counted / self.base if self.base else Fraction(0)


def quantities(part: Section, told: Told, point: Point) -> Quantities:
    """What the part comes to at a point."""
    options = part.terms.options
    counts_unknown = point == "worst" if options.unknown == "exclude" else options.unknown == "down"
    base, counted = _at(part.measured, point, bounded=options.unknown == "exclude")
    time_base, downtime = _at(part.timed, point, bounded=options.unknown == "exclude")
    outages = downtimes(part.pieces_at(point), told, blind=counts_unknown)
    if point in ("incurred", "at_most"):
        end = part.layers.span[1]
        ahead = Fraction(part.ahead_ms)
        down = ahead if point == "at_most" else Fraction(0)
        time_base, downtime = time_base + ahead, downtime + down
        if options.by in ("time", "users"):
            base, counted = base + ahead, counted + down
        outages += (Downtime(((end, end + part.ahead_ms, WHOLE),)),) if down else ()
    return Quantities(base, counted, time_base, downtime, outages, part.terms)


def _at(measured: Measured, point: Point, *, bounded: bool) -> tuple[Fraction, Fraction]:
    if not bounded or point not in ("best", "worst") or not measured.considered_ms:
        return Fraction(measured.considered_ms), measured.counted_ms
    base = Fraction(measured.known_base_ms + measured.unknown_ms)
    return base, measured.worst_counted_ms + measured.unknown_ms if point == "worst" else measured.best_counted_ms


def together(parts: Sequence[Quantities], sections: Sequence[Section], told: Told, point: Point) -> Quantities:
    """The whole period for rules that read it whole: an outage across a new target stays one outage."""
    if len(parts) == 1:
        return parts[0]
    outages = [each for part in parts for each in part.outages]
    unbounded = {section.terms.options.unknown for section in sections}
    if unbounded == {"exclude"}:
        pieces = [piece for section in sections for piece in section.pieces_at(point)]
        outages = list(downtimes(pieces, told, blind=point == "worst"))
    base, counted, time_base, downtime = (
        sum((getattr(part, name) for part in parts), Fraction(0))
        for name in ("base", "counted", "time_base_ms", "downtime_ms")
    )
    return Quantities(base, counted, time_base, downtime, tuple(outages), parts[-1].terms)


def downtimes(pieces: Iterable[Piece], told: Told, *, blind: bool) -> tuple[Downtime, ...]:
    """The counted time by outage, in order of start. With `blind` unknown time is down and joins what it touches."""
    named = {"down": _named(told.outages), "degraded": _named(told.degraded)}
    found: dict[object, list[tuple[int, int, Fraction]]] = {}
    joined: dict[object, object] = {}
    end: int | None = None
    last: object = None
    dark = False
    for piece in pieces:
        unknown = blind and piece.time_class == "unknown"
        if not unknown and not piece.weight:
            continue
        before = last if end == piece.from_ms else None
        if unknown:
            key: object = before or ("unknown", piece.from_ms)
        else:
            own = _key(piece, named, before)
            key = joined.setdefault(own, before if before and dark else own)
        found.setdefault(key, []).append((piece.from_ms, piece.to_ms, WHOLE if unknown else piece.weight))
        end, last, dark = piece.to_ms, key, unknown
    return tuple(Downtime(tuple(parts)) for parts in found.values())


def _key(piece: Piece, named: dict[str, dict[int, int]], before: object) -> object:
    if piece.owner is not None:
        return piece.time_class, named[piece.time_class][piece.owner]
    unowned = (piece.time_class, "unowned")
    return before if isinstance(before, tuple) and before[:2] == unowned else (*unowned, piece.from_ms)


def _named(outages: Sequence[Outage]) -> dict[int, int]:
    """Which outage each entry belongs to: entries that overlap or touch are one."""
    found: dict[int, int] = {}
    reached, first = None, -1
    for index, outage in enumerate(outages):  # in order of start
        if reached is None or outage.from_ms > reached:
            first, reached = index, outage.from_ms
        reached = 2**62 if outage.to_ms is None else max(reached, outage.to_ms)
        found[index] = first
    return found
