"""The pure judge: checks in, transitions out (ACCOUNTING.md section 2: confirmation, evidence bounds, coverage).

One judge serves the live recorder, imports, and later a hub over several locations. Checks come in the order of
their instants; one that is not newer than the last is ignored, so a duplicate or a late one corrupts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sla.facts import Outage, Verdict

Kind: TypeAlias = Literal["down", "degraded"]
_NEVER = 10**9  # a run no history reaches: replayed checks are counted, but decide nothing again


@dataclass(frozen=True, slots=True)
class Method:
    """How an endpoint is judged. `reach_ms`: how long one check vouches for, unless the next one comes earlier."""

    interval_ms: int
    timeout_ms: int
    confirm: int = 2
    recover: int = 1
    retry_every_ms: int | None = None  # None: min(interval / 4, 20 s), at least 5 s, never longer than the interval
    hold_ms: int | None = None  # overrides the reach (heartbeats: expected + grace; imports: --hold)

    @property
    def reach_ms(self) -> int:
        if self.hold_ms is not None:
            return self.hold_ms
        return self.interval_ms + min(self.interval_ms, 300_000) + self.timeout_ms

    @property
    def retry_ms(self) -> int:
        """The pace from a first failure to the completed recovery."""
        wanted = self.retry_every_ms
        if wanted is None:
            wanted = max(min(self.interval_ms // 4, 20_000), 5_000)
        return min(wanted, self.interval_ms)


@dataclass(frozen=True, slots=True)
class Check:
    """One verdict at an instant from one location. `at_ms` is when the attempt began."""

    at_ms: int
    verdict: Verdict
    error: str | None = None
    latency_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An outage (or degraded stretch) is confirmed; it began at the first bad check of the run."""

    kind: Kind
    from_ms: int
    last_good_ms: int | None
    confirmed_ms: int
    error: str | None
    failed_checks: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The open outage (or degraded stretch) ended at `to_ms`. `first_good_ms` is None where nobody saw it end.

    `worsened`: a degraded stretch ends where an outage begins.
    """

    kind: Kind
    from_ms: int
    to_ms: int
    last_bad_ms: int
    first_good_ms: int | None
    failed_checks: int
    reason: Literal["recovered", "unobserved", "removed", "worsened"]


@dataclass(frozen=True, slots=True)
class CoverageOpened:
    """From this check on the endpoint is vouched for again, each check for `reach_ms` at most."""

    from_ms: int
    reach_ms: int


@dataclass(frozen=True, slots=True)
class CoverageClosed:
    """A stretch of coverage is over: the checks vouch for [from_ms, to_ms); from to_ms on nothing is known."""

    from_ms: int
    to_ms: int


Transition = Opened | Closed | CoverageOpened | CoverageClosed
Judged: TypeAlias = "tuple[State, tuple[Transition, ...]]"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A run of bad checks; an outage (or degraded stretch) once it is confirmed.

    `good_count` good checks in a row were seen since; with enough of them it ends at `end_ms`, which is the first of
    them, or, where that one came after a gap, the end of what the last bad check vouched for.
    """

    from_ms: int
    last_good_ms: int | None
    error: str | None
    failed_checks: int
    last_bad_ms: int
    confirmed_ms: int | None = None
    good_count: int = 0
    good_from_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All the judge remembers of one endpoint from one location."""

    last_check_ms: int | None = None  # of any verdict
    last_seen_ms: int | None = None  # of a verdict other than unknown
    last_good_ms: int | None = None  # up or degraded
    last_up_ms: int | None = None
    coverage_from_ms: int | None = None  # None: nothing is vouched for
    covered_until_ms: int | None = None  # where the last seen check's reach ends, already cut by what is known off
    reach_ms: int = 0
    down: Trouble | None = None
    degraded: Trouble | None = None

    @property
    def unsettled(self) -> bool:
        """Whether the next check is due at the retry pace: down until recovered, or degraded and not yet sure of it."""
        if self.last_check_ms != self.last_seen_ms or self.down is not None:
            return True
        return self.degraded is not None and (self.degraded.confirmed_ms is None or self.degraded.good_count > 0)

    def pace_ms(self, method: Method) -> int:
        return method.retry_ms if self.unsettled else method.interval_ms

    @property
    def verdict(self) -> Verdict | None:
        """What is known now of the endpoint, confirmed; None before the first check."""
        if self.last_check_ms is None:
            return None
        if self.coverage_from_ms is None:
            return "unknown"
        if self.down is not None and self.down.confirmed_ms is not None:
            return "down"
        return "degraded" if self.degraded is not None and self.degraded.confirmed_ms is not None else "up"


def judge(state: State, check: Check, method: Method) -> Judged:
    """The state after one check, and what it decided. A check that is not newer than the last changes nothing."""
    if state.last_check_ms is not None and check.at_ms <= state.last_check_ms:
        return state, ()
    if check.verdict == "unknown":
        cut, said = known_off(state, check.at_ms)
        return replace(cut, last_check_ms=check.at_ms), said
    coverage_from_ms, covered = _cover(state, check, method)
    down, down_said = _judge_down(state, check, method)
    degraded, degraded_said = _judge_degraded(state, down, check, method)
    after = replace(
        state,
        last_check_ms=check.at_ms,
        last_seen_ms=check.at_ms,
        last_good_ms=state.last_good_ms if check.verdict == "down" else check.at_ms,
        last_up_ms=check.at_ms if check.verdict == "up" else state.last_up_ms,
        coverage_from_ms=coverage_from_ms,
        covered_until_ms=check.at_ms + method.reach_ms,
        reach_ms=method.reach_ms,
        down=down,
        degraded=degraded,
    )
    return after, (*covered, *_in_order(degraded_said, down_said))


def _in_order(degraded: tuple[Transition, ...], down: tuple[Transition, ...]) -> tuple[Transition, ...]:
    """What ends is told before what begins."""
    both = (*degraded, *down)
    return (*(t for t in both if isinstance(t, Closed)), *(t for t in both if isinstance(t, Opened)))


def _cover(state: State, check: Check, method: Method) -> tuple[int, tuple[Transition, ...]]:
    """Where coverage began, with this check in it: gaps close it, a changed reach begins a new stretch."""
    began, until = state.coverage_from_ms, state.covered_until_ms
    opened = CoverageOpened(check.at_ms, method.reach_ms)
    if began is None or until is None:
        return check.at_ms, (opened,)
    if check.at_ms > until or method.reach_ms != state.reach_ms:
        return check.at_ms, (CoverageClosed(began, min(until, check.at_ms)), opened)
    return began, ()


def _judge_down(state: State, check: Check, method: Method) -> tuple[Trouble | None, tuple[Transition, ...]]:
    if check.verdict == "down":
        return _bad(state.down, "down", check, confirm=method.confirm, last_good_ms=state.last_good_ms)
    return _good(state.down, "down", check, recover=method.recover, covered_until_ms=state.covered_until_ms)


def _judge_degraded(
    state: State, down: Trouble | None, check: Check, method: Method
) -> tuple[Trouble | None, tuple[Transition, ...]]:
    """A failed check neither counts for nor breaks a degraded run; a confirmed outage takes its place."""
    trouble = state.degraded
    if check.verdict == "degraded":
        return _bad(trouble, "degraded", check, confirm=method.confirm, last_good_ms=state.last_up_ms)
    if check.verdict == "up":
        return _good(trouble, "degraded", check, recover=method.recover, covered_until_ms=state.covered_until_ms)
    if trouble is None or down is None or down.confirmed_ms is None:
        still_bad = trouble and replace(trouble, last_bad_ms=check.at_ms, good_count=0, good_from_ms=None, end_ms=None)
        return still_bad, ()
    if trouble.confirmed_ms is None:
        return None, ()
    to_ms = down.from_ms if trouble.from_ms < down.from_ms else check.at_ms
    return None, (_closed("degraded", trouble, to_ms=to_ms, reason="worsened"),)


def _bad(
    trouble: Trouble | None, kind: Kind, check: Check, *, confirm: int, last_good_ms: int | None
) -> tuple[Trouble, tuple[Transition, ...]]:
    if trouble is None:
        trouble = Trouble(check.at_ms, last_good_ms, check.error, 0, check.at_ms)
    trouble = replace(
        trouble,
        failed_checks=trouble.failed_checks + 1,
        last_bad_ms=check.at_ms,
        good_count=0,
        good_from_ms=None,
        end_ms=None,
    )
    if trouble.confirmed_ms is not None or trouble.failed_checks < confirm:
        return trouble, ()
    trouble = replace(trouble, confirmed_ms=check.at_ms)
    opened = Opened(kind, trouble.from_ms, trouble.last_good_ms, check.at_ms, trouble.error, trouble.failed_checks)
    return trouble, (opened,)


def _good(
    trouble: Trouble | None, kind: Kind, check: Check, *, recover: int, covered_until_ms: int | None
) -> tuple[Trouble | None, tuple[Transition, ...]]:
    if trouble is None or trouble.confirmed_ms is None:
        return None, ()
    if trouble.good_count == 0:
        reached = covered_until_ms if covered_until_ms is not None else trouble.last_bad_ms
        trouble = replace(trouble, good_from_ms=check.at_ms, end_ms=min(check.at_ms, reached))
    trouble = replace(trouble, good_count=trouble.good_count + 1)
    if trouble.good_count < recover or trouble.end_ms is None:
        return trouble, ()
    seen = trouble.end_ms == trouble.good_from_ms
    return None, (_closed(kind, trouble, to_ms=trouble.end_ms, reason="recovered" if seen else "unobserved"),)


def _closed(
    kind: Kind,
    trouble: Trouble,
    *,
    to_ms: int,
    reason: Literal["recovered", "unobserved", "removed", "worsened"],
) -> Closed:
    first_good_ms = trouble.good_from_ms if reason in ("recovered", "unobserved") else None
    end_ms = max(to_ms, trouble.from_ms)
    return Closed(kind, trouble.from_ms, end_ms, trouble.last_bad_ms, first_good_ms, trouble.failed_checks, reason)


def known_off(state: State, from_ms: int) -> Judged:
    """Nothing was looked at from `from_ms` on (off, blind, stalled): the last check's reach ends there at the latest.

    Never before the last check that did see something.
    """
    if state.covered_until_ms is None or state.last_seen_ms is None:
        return state, ()
    until_ms = min(state.covered_until_ms, max(from_ms, state.last_seen_ms))
    after = replace(state, covered_until_ms=until_ms, coverage_from_ms=None)
    if state.coverage_from_ms is None:
        return after, ()
    return after, (CoverageClosed(state.coverage_from_ms, until_ms),)


def stepped(state: State, by_ms: int) -> State:
    """The clock stepped by so much (back: negative): what is open moves with it; what was closed stays as it is told.

    The clock after the step is right, so the next check's instant is one of its.
    """
    return State(
        last_check_ms=_moved(state.last_check_ms, by_ms),
        last_seen_ms=_moved(state.last_seen_ms, by_ms),
        last_good_ms=_moved(state.last_good_ms, by_ms),
        last_up_ms=_moved(state.last_up_ms, by_ms),
        coverage_from_ms=_moved(state.coverage_from_ms, by_ms),
        covered_until_ms=_moved(state.covered_until_ms, by_ms),
        reach_ms=state.reach_ms,
        down=_moved_trouble(state.down, by_ms),
        degraded=_moved_trouble(state.degraded, by_ms),
    )


def _moved(at_ms: int | None, by_ms: int) -> int | None:
    return None if at_ms is None else at_ms + by_ms


def _moved_trouble(trouble: Trouble | None, by_ms: int) -> Trouble | None:
    if trouble is None:
        return None
    return replace(
        trouble,
        from_ms=trouble.from_ms + by_ms,
        last_good_ms=_moved(trouble.last_good_ms, by_ms),
        last_bad_ms=trouble.last_bad_ms + by_ms,
        confirmed_ms=_moved(trouble.confirmed_ms, by_ms),
        good_from_ms=_moved(trouble.good_from_ms, by_ms),
        end_ms=_moved(trouble.end_ms, by_ms),
    )


def remove(state: State, at_ms: int) -> Judged:
    """The endpoint is no longer watched: what is open ends here, or where the last check's reach ended before."""
    closed, said = known_off(state, at_ms)
    end_ms = at_ms if closed.covered_until_ms is None else min(at_ms, closed.covered_until_ms)
    troubles: tuple[tuple[Kind, Trouble | None], ...] = (("degraded", state.degraded), ("down", state.down))
    ended = tuple(
        _closed(kind, trouble, to_ms=end_ms, reason="removed")
        for kind, trouble in troubles
        if trouble is not None and trouble.confirmed_ms is not None
    )
    return replace(closed, down=None, degraded=None), (*said, *ended)


def resume(
    method: Method,
    *,
    at_ms: int,
    checks: Iterable[Check],
    open_outage: Outage | None = None,
    open_degraded: Outage | None = None,
    coverage_from_ms: int | None = None,
    reach_ms: int | None = None,
    covered_until_ms: int | None = None,
    off_from_ms: int | None = None,
) -> Judged:
    """The state after a restart at `at_ms`, and what the restart itself decided (the end of coverage).

    `checks` ascend and reach from the last good one before the trouble (or just the last one) to the newest.
    `coverage_from_ms` and `reach_ms` are the coverage still open on record; None: it was closed, at
    `covered_until_ms` where that is known. `off_from_ms` is the clean stop or the last life stamp. A restart that
    misses no tick leaves no gap.
    """
    state = _replay(method, checks, open_outage, open_degraded)
    last_check_ms = state.last_check_ms
    if last_check_ms is None or state.last_seen_ms is None:
        return state, ()
    reach_ms = method.reach_ms if reach_ms is None else reach_ms
    ends = (state.last_seen_ms + reach_ms, state.covered_until_ms, covered_until_ms)
    until_ms = min(end for end in ends if end is not None)
    state = replace(state, coverage_from_ms=coverage_from_ms, covered_until_ms=until_ms, reach_ms=reach_ms)
    missed = at_ms > last_check_ms + state.pace_ms(method)
    return known_off(state, off_from_ms) if missed and off_from_ms is not None else (state, ())


def _replay(method: Method, checks: Iterable[Check], down: Outage | None, degraded: Outage | None) -> State:
    """Count the runs again. What was decided stays as it is on record: nothing opens or closes a second time."""
    counting = replace(method, confirm=_NEVER, recover=_NEVER)
    state = State()
    for check in checks:
        state = replace(
            state,
            down=_reopened(state.down, down, check.at_ms),
            degraded=_reopened(state.degraded, degraded, check.at_ms),
        )
        state, _ = judge(state, check, counting)
    return replace(state, down=_reopened(state.down, down, None), degraded=_reopened(state.degraded, degraded, None))


def _reopened(trouble: Trouble | None, outage: Outage | None, at_ms: int | None) -> Trouble | None:
    """The outage on record, as it stood before its own checks are counted again; until then the run as counted."""
    counted = trouble is not None and trouble.confirmed_ms is not None
    if outage is None or counted or (at_ms is not None and at_ms < outage.from_ms):
        return trouble
    confirmed_ms = outage.from_ms if outage.confirmed_ms is None else outage.confirmed_ms
    return Trouble(outage.from_ms, outage.last_good_ms, outage.cause or None, 0, outage.from_ms, confirmed_ms)
