"""One endpoint, watched: due, admitted, attempted, reviewed, judged, handed to the ledger's writer.

A watch has no task while it sleeps: the prober's wheel starts one for each attempt.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ledger.observations import ObservationWriter, Observed
from ledger.sight import Moved, Sight
from probes.attempt import Attempt
from probes.fresh import Tools
from probes.gate import Gates
from probes.meters import Meters
from probes.once import attempt
from probes.review import Review
from probes.scheduler import after_miss, first_due, next_due, next_tick, phase_ms
from probes.steps import Stepped
from probes.target import Target
from sla.judge import (
    Check,
    Closed,
    CoverageClosed,
    CoverageOpened,
    Opened,
    State,
    Transition,
    judge,
    known_off,
    remove,
    stepped,
)

log = logging.getLogger("nines.probes")


@dataclass(frozen=True, slots=True)
class Post:
    """What every watch of one prober shares."""

    tools: Tools
    gates: Gates
    review: Review
    writer: ObservationWriter
    clock: Callable[[], int]
    meters: Meters


class Watch:
    """One endpoint from one location. `task` is the attempt under way; `busy` once it was admitted."""

    __slots__ = ("_moved_ms", "_post", "busy", "due_ms", "leaving", "state", "target", "task")

    def __init__(self, target: Target, state: State, post: Post) -> None:
        self.target = target
        self.state = state
        self.busy = False
        self.leaving = False  # taken out of the config while an attempt runs: it ends with it
        self.task: asyncio.Task[None] | None = None
        self.due_ms = 0
        self._post = post
        self._moved_ms = 0  # by how much the clock stepped since this watch began

    @property
    def key(self) -> tuple[str, str]:
        return self.target.id, self.target.location

    def first_due(self) -> int:
        return first_due(self.target.id, self.state, self.target.judged, now_ms=self._post.clock())

    def next_due(self) -> int:
        """After the check that was due at `due_ms`."""
        now_ms = self._post.clock()
        return next_due(self.target.id, self.state, self.target.judged, due_ms=self.due_ms, now_ms=now_ms)

    def due_after_miss(self) -> int:
        return after_miss(self.target.id, self.state, self.target.judged, now_ms=self._post.clock())

    def due_after_step(self) -> int:
        """Retries keep their distance, which moved with the clock; all else goes on with the grid as it is now."""
        now_ms, method = self._post.clock(), self.target.judged
        if self.state.last_check_ms is None or self.state.unsettled:
            return max(self.due_ms, now_ms)
        phase = phase_ms(self.target.id, method.interval_ms)
        return next_tick(now_ms - 1, phase_ms=phase, interval_ms=method.interval_ms)

    async def check(self) -> None:
        """One attempt from the gate to the ledger."""
        target, post = self.target, self._post
        waited_us = await post.gates.enter(target.host)
        self.busy = True
        try:
            began_s, moved_ms = time.monotonic(), self._moved_ms
            at_ms = post.clock()
            post.meters.began(at_ms, late_ms=at_ms - self.due_ms)
            found = await attempt(target, post.tools, at_ms=at_ms, waited_us=waited_us)
        finally:
            post.gates.leave(target.host)
        found = await post.review.of(found, target.host, began_s=began_s)
        if self._moved_ms != moved_ms:  # the clock after the step is right
            found = replace(found, at_ms=found.at_ms + self._moved_ms - moved_ms)
        post.meters.ended(found)
        self._book(found)

    def _book(self, found: Attempt) -> None:
        retry = self.state.unsettled and self.state.last_check_ms is not None
        check = Check(found.at_ms, found.verdict, found.error, found.latency_ms)
        self.state, transitions = judge(self.state, check, self.target.judged)
        self._put(check, transitions, retry=retry, found=found)

    def _put(
        self, check: Check | None, transitions: tuple[Transition | Sight, ...], *, retry: bool, found: Attempt | None
    ) -> None:
        for transition in transitions:
            self._say(transition)
        self._post.writer.put(
            Observed(
                endpoint=self.target.id,
                location=self.target.location,
                check=check,
                retry=retry,
                phases_us=found.phases_us if found else None,
                detail=found.detail if found else None,
                transitions=transitions,
            )
        )

    def _say(self, transition: Transition | Sight) -> None:
        """One line for whoever reads the daemon's log when an outage or a degraded stretch begins or ends."""
        if isinstance(transition, Opened):
            error = transition.error or "no reason given"
            log.warning("%s: %s since %s: %s", self.target.id, transition.kind, utc_text(transition.from_ms), error)
        elif isinstance(transition, Closed):
            span = f"{utc_text(transition.from_ms)} to {utc_text(transition.to_ms)}"
            log.info("%s: no longer %s, %s: %s", self.target.id, transition.kind, span, transition.reason)

    def tell(self, transitions: tuple[Transition | Sight, ...]) -> None:
        """Record what was decided without a check: the end of coverage on a restart, a removal, a clock step."""
        if transitions:
            self._put(None, transitions, retry=False, found=None)

    def removed(self, at_ms: int) -> None:
        """The endpoint is watched no longer: what is open ends."""
        self.state, transitions = remove(self.state, at_ms)
        self.tell(transitions)

    def unseen_from(self, from_ms: int, *, deaf: bool) -> None:
        """Nothing could be seen from then on: where something is wrong, what was last seen vouches no further.

        `deaf`: nor could anybody have told us anything.
        """
        if self.state.down is not None or self.state.degraded is not None:
            self.state, transitions = known_off(self.state, from_ms)
            self.tell(transitions)

    def deafened(self) -> None:
        """Until now nobody could have told us anything: no matter where we look ourselves."""

    def stepped(self, step: Stepped) -> None:
        """The clock was set: what is open moves with it, what is closed stays, coverage is cut between the two."""
        before, by_ms = self.state, step.by_ms
        self._moved_ms += by_ms
        self.due_ms += by_ms
        self.state = stepped(before, by_ms)
        told: list[Transition | Sight] = []
        troubles = [trouble for trouble in (before.down, before.degraded) if trouble is not None]
        if before.coverage_from_ms is not None and before.covered_until_ms is not None:
            cut_ms = min([step.before_ms, before.covered_until_ms, *(trouble.from_ms for trouble in troubles)])
            cut_ms = max(cut_ms, before.coverage_from_ms)
            told += [CoverageClosed(before.coverage_from_ms, cut_ms), CoverageOpened(cut_ms + by_ms, before.reach_ms)]
            self.state = replace(self.state, coverage_from_ms=cut_ms + by_ms)
        if any(trouble.confirmed_ms is not None for trouble in troubles):
            told.append(Moved(by_ms, step.after_ms))
        self.tell(tuple(told))


def utc_text(at_ms: int) -> str:
    """`2026-11-23T22:55:01.250Z`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at_ms % 1000:03d}Z"
