"""The accounting's rules of confirmation and coverage once more, written from the law and not from the judge.

Here all checks of an endpoint are known at once, and the restarts between them; there they come one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torture_plan import CONFIRM
from torture_record import DOWN, UNKNOWN, Booked, Row, Stamps

STARTING_MS = 1_000  # the first stamp of a life is written within so much of the moment at which it was resumed


@dataclass(frozen=True, slots=True)
class Method:
    interval_ms: int
    reach_ms: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What a check that saw something vouches for: until one of `ends_ms`, or until the check at `next_ms`.

    Two ends are possible where a restart came so close to the next tick that nobody can say whether it missed it.
    """

    at_ms: int
    ends_ms: tuple[int, ...]
    next_ms: int | None


@dataclass(frozen=True, slots=True)
class Lives:
    """The lives of the daemon in order."""

    lives: Sequence[Stamps]

    def number(self, at_ms: int) -> int:
        """Which of them made a check at that instant."""
        return bisect_right(self.lives, at_ms, key=lambda life: life.started_ms) - 1

    def end_ms(self, at_ms: int) -> int:
        """The clean stop or the last stamp of the life that made a check then; never before that check."""
        life = self.lives[self.number(at_ms)]
        return max(at_ms, life.stamp_ms if life.stopped_ms is None else life.stopped_ms)


def reaches(rows: Sequence[Row], lives: Lives, method: Method, *, until_ms: int) -> list[Reach]:
    """In order, for each check but the unknown ones; the last one as seen from `until_ms`, the daemon stopped."""
    found: list[Reach] = []
    for place, row in enumerate(rows):
        if row.verdict == UNKNOWN:
            continue
        after = next((n for n in range(place + 1, len(rows)) if rows[n].verdict != UNKNOWN), len(rows))
        blind = rows[place + 1 : after]
        full_ms = min([row.at_ms + method.reach_ms, *(one.at_ms for one in blind)])
        next_ms = rows[after].at_ms if after < len(rows) else None
        ends: tuple[int, ...] = (full_ms,)
        for one, following in pairwise([row.at_ms, *(one.at_ms for one in blind), next_ms]):
            assert one is not None
            ends = tuple(sorted({end for full in ends for end in _ends(full, one, following, lives, method)}))
        found.append(Reach(row.at_ms, tuple(min(end, until_ms) for end in ends), next_ms))
    return found


def _ends(full_ms: int, latest_ms: int, next_ms: int | None, lives: Lives, method: Method) -> tuple[int, ...]:
    """The whole reach; or, where a restart missed a tick, no longer than the daemon was known to live."""
    cut_ms = min(full_ms, lives.end_ms(latest_ms))
    if next_ms is None:
        return (cut_ms,)
    if lives.number(latest_ms) == lives.number(next_ms):
        return (full_ms,)
    due_ms = latest_ms + method.interval_ms
    resumed_ms = lives.lives[lives.number(next_ms)].started_ms
    if resumed_ms - STARTING_MS > due_ms:
        return (cut_ms,)
    return (full_ms,) if min(resumed_ms + STARTING_MS, next_ms) <= due_ms else (full_ms, cut_ms)


def unknown(found: Sequence[Reach], *, until_ms: int) -> list[tuple[int, tuple[int, ...]]]:
    """(end, possible beginnings) of each stretch that no check vouches for, from the first check to `until_ms`."""
    stretches = []
    for reach in found:
        next_ms = until_ms if reach.next_ms is None else reach.next_ms
        begins = tuple(min(end, next_ms) for end in reach.ends_ms)
        if min(begins) < next_ms:
            stretches.append((next_ms, begins))
    return stretches


@dataclass(frozen=True, slots=True)
class Due:
    """An outage as it has to stand on record. `ends_ms`: the instants that are allowed for its end; none: open."""

    from_ms: int
    last_good_ms: int | None
    confirmed_ms: int
    last_bad_ms: int
    first_good_ms: int | None
    failed_checks: int
    ends_ms: tuple[int, ...]


def outages(rows: Sequence[Row], found: Sequence[Reach]) -> list[Due]:
    """Runs of at least CONFIRM bad checks: from the first of them to the first good one after, or where nobody saw."""
    seen = [row for row in rows if row.verdict != UNKNOWN]
    return [_due(seen, found, run) for run in _runs(seen) if len(run) >= CONFIRM]


def _runs(seen: Sequence[Row]) -> Iterator[range]:
    edges = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(seen)) if (a.verdict == DOWN) != (b.verdict == DOWN))]
    for start, end in pairwise([*edges, len(seen)]):
        if start < end and seen[start].verdict == DOWN:
            yield range(start, end)


def _due(seen: Sequence[Row], found: Sequence[Reach], run: range) -> Due:
    good_ms = seen[run.stop].at_ms if run.stop < len(seen) else None
    last = found[run.stop - 1]
    return Due(
        from_ms=seen[run.start].at_ms,
        last_good_ms=seen[run.start - 1].at_ms if run.start else None,
        confirmed_ms=seen[run.start + CONFIRM - 1].at_ms,
        last_bad_ms=seen[run.stop - 1].at_ms,
        first_good_ms=good_ms,
        failed_checks=len(run),
        ends_ms=() if good_ms is None else tuple(min(end, good_ms) for end in last.ends_ms),
    )


def differs(due: Due, booked: Booked) -> str | None:
    """What of an outage on record is not as it has to be."""
    for name in ("from_ms", "last_good_ms"):
        if getattr(due, name) != getattr(booked, name):
            return f"{name} is {getattr(booked, name)} and not {getattr(due, name)}"
    if booked.first_bad_ms != due.from_ms or booked.confirmed_ms != due.confirmed_ms:
        return f"it is first bad at {booked.first_bad_ms} and confirmed at {booked.confirmed_ms}, not as {due}"
    if not due.ends_ms:
        return None if booked.to_ms is None else f"it ended at {booked.to_ms}, and no check saw that"
    if booked.to_ms not in due.ends_ms:
        return f"it ended at {booked.to_ms} and not at {due.ends_ms}"
    told = (booked.last_bad_ms, booked.first_good_ms, booked.failed_checks)
    if told != (due.last_bad_ms, due.first_good_ms, due.failed_checks):
        return f"last bad, first good, failed checks are {told}, not as {due}"
    reason = "recovered" if booked.to_ms == booked.first_good_ms else "unobserved"
    return None if booked.end_reason == reason else f"its end is called {booked.end_reason} and not {reason}"
