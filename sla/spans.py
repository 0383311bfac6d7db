"""Sets of time as values: half-open `[start_ms, end_ms)` spans of integer milliseconds since the epoch, UTC.

The law of time is stated here once: UTC, half-open, integer milliseconds. Local time exists only where a
period or a calendar is cut (`sla.period`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spans:
    """A set of milliseconds: disjoint spans in ascending order, none empty, none touching the next.

    Build one with `Spans.of`, which sorts and unites; the constructor trusts its argument.
    """

    spans: tuple[Span, ...] = ()

    @staticmethod
    def of(spans: Iterable[Span]) -> Spans:
        """The union of any spans in any order. Empty spans vanish; an inverted one raises ValueError."""
        united: list[Span] = []
        for start, end in sorted(spans):
            if end < start:
                raise ValueError(f"a span ends before it starts: [{start}, {end})")
            if start == end:
                continue
            if united and start <= united[-1][1]:
                united[-1] = (united[-1][0], max(united[-1][1], end))
            else:
                united.append((start, end))
        return Spans(tuple(united))

    def __or__(self, other: Spans) -> Spans:
        if not self.spans or not other.spans:
            return self if self.spans else other
        return Spans.of((*self.spans, *other.spans))

    def __and__(self, other: Spans) -> Spans:
        if not self.spans or not other.spans:
            return NOWHEN
        shared: list[Span] = []
        left, right = iter(self.spans), iter(other.spans)
        a, b = next(left, None), next(right, None)
        while a and b:
            start, end = max(a[0], b[0]), min(a[1], b[1])
            if start < end:
                shared.append((start, end))
            if a[1] <= b[1]:
                a = next(left, None)
            else:
                b = next(right, None)
        return Spans(tuple(shared))

    def __sub__(self, other: Spans) -> Spans:
        if not self.spans or not other.spans:
            return self
        rest: list[Span] = []
        cuts = other.spans
        first = 0
        for start, end in self.spans:
            while first < len(cuts) and cuts[first][1] <= start:
                first += 1
            at, cut = start, first
            while cut < len(cuts) and cuts[cut][0] < end:
                if at < cuts[cut][0]:
                    rest.append((at, cuts[cut][0]))
                at = max(at, cuts[cut][1])
                cut += 1
            if at < end:
                rest.append((at, end))
        return Spans(tuple(rest))

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, at_ms: int) -> bool:
        after = bisect_right(self.spans, at_ms, key=_start)
        return after > 0 and at_ms < self.spans[after - 1][1]

    @property
    def total_ms(self) -> int:
        return sum(end - start for start, end in self.spans)

    def clip(self, from_ms: int, to_ms: int) -> Spans:
        """What lies in [from_ms, to_ms); an empty or inverted clip holds nothing."""
        if not self.spans or (from_ms <= self.spans[0][0] and self.spans[-1][1] <= to_ms):
            return self
        first = bisect_right(self.spans, from_ms, key=_end)
        last = bisect_left(self.spans, to_ms, key=_start)
        cut = ((max(start, from_ms), min(end, to_ms)) for start, end in self.spans[first:last])
        return Spans(tuple((start, end) for start, end in cut if start < end))


def _start(span: Span) -> int:
    return span[0]


def _end(span: Span) -> int:
    return span[1]


NOWHEN = Spans()


def at_least(count: int, sets: Sequence[Spans]) -> Spans:
    """The milliseconds that `count` (1 or more) of the sets hold at the same time."""
    if count < 1:
        raise ValueError(f"at least {count} of the sets is always true; write 1 or more")
    steps = sorted([(span[0], 1) for held in sets for span in held] + [(span[1], -1) for held in sets for span in held])
    found: list[Span] = []
    holding, since = 0, 0
    for at, step in steps:  # at one instant ends come before starts; Spans.of joins what touches
        if step < 0 and holding == count:
            found.append((since, at))
        holding += step
        if step > 0 and holding == count:
            since = at
    return Spans.of(found)
