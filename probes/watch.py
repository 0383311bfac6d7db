"""One endpoint, watched: due, admitted, attempted, judged, handed to the ledger's writer; again and again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ledger.observations import ObservationWriter, Observed
from probes.attempt import Attempt
from probes.fresh import Tools
from probes.gate import Gates
from probes.once import attempt
from probes.pulse import Pulse
from probes.scheduler import first_due, next_due
from probes.target import Target
from sla.judge import Check, Closed, Opened, State, Transition, judge, remove

log = logging.getLogger("nines.probes")

LOOK_AGAIN_S = 30.0  # sleep at most this long at once: the wall clock may be set meanwhile


@dataclass(frozen=True, slots=True)
class Post:
    """What every watch of one prober shares."""

    tools: Tools
    gates: Gates
    pulse: Pulse
    writer: ObservationWriter
    clock: Callable[[], int]


class Watch:
    """Probes one endpoint until its task is cancelled. `busy` while an attempt runs."""

    def __init__(self, target: Target, state: State, post: Post) -> None:
        self.target = target
        self.state = state
        self.busy = False
        self.stopping = False
        self._post = post
        self._changed = asyncio.Event()

    async def run(self) -> None:
        due_ms = self._first_due()
        while not self.stopping:
            if await self._changed_before(due_ms):
                due_ms = min(self._first_due(), max(due_ms, self._post.clock()))
                continue
            self.busy = True
            try:
                await self._check()
            except Exception:  # a mistake of ours must not end the watch: time without checks becomes unknown
                log.exception("%s: the check could not be recorded", self.target.id)
            finally:
                self.busy = False
            due_ms = self._next_due(due_ms)

    def change(self, target: Target) -> None:
        """Go on with another definition; what was seen so far stays."""
        self.target = target
        self._changed.set()

    def _first_due(self) -> int:
        return first_due(self.target.id, self.state, self.target.judged, now_ms=self._post.clock())

    def _next_due(self, due_ms: int) -> int:
        now_ms = self._post.clock()
        return next_due(self.target.id, self.state, self.target.judged, due_ms=due_ms, now_ms=now_ms)

    async def _changed_before(self, due_ms: int) -> bool:
        """Sleep until the due instant by the wall clock; True where the definition or the clock changed before."""
        while (left_s := (due_ms - self._post.clock()) / 1000) > 0:
            if left_s * 1000 > self.target.judged.interval_ms:
                log.warning("%s: the wall clock was set back; checks go on by what it says now", self.target.id)
                return True
            try:
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()
            return True
        return False

    async def _check(self) -> None:
        target = self.target
        async with self._post.gates.admit(target.host) as waited_us:
            began_s = time.monotonic()
            found = await attempt(target, self._post.tools, at_ms=self._post.clock(), waited_us=waited_us)
        excuse = self._post.pulse.excuse(found, began_s=began_s)
        if excuse is not None:
            found = replace(found, verdict="unknown", error=excuse[0], detail=excuse[1])
        self._book(found)

    def _book(self, found: Attempt) -> None:
        retry = self.state.unsettled and self.state.last_check_ms is not None
        check = Check(found.at_ms, found.verdict, found.error, found.latency_ms)
        self.state, transitions = judge(self.state, check, self.target.judged)
        self._put(check, transitions, retry=retry, found=found)

    def _put(
        self, check: Check | None, transitions: tuple[Transition, ...], *, retry: bool, found: Attempt | None
    ) -> None:
        for transition in transitions:
            self._say(transition)
        self._post.writer.put(
            Observed(
                endpoint=self.target.id,
                location=self.target.location,
                check=check,
                retry=retry,
                phases_us=dict(found.phases_us) if found else None,
                detail=found.detail if found else None,
                transitions=transitions,
            )
        )

    def _say(self, transition: Transition) -> None:
        """One line for whoever reads the daemon's log when an outage or a degraded stretch begins or ends."""
        if isinstance(transition, Opened):
            error = transition.error or "no reason given"
            log.warning("%s: %s since %s: %s", self.target.id, transition.kind, _utc(transition.from_ms), error)
        elif isinstance(transition, Closed):
            span = f"{_utc(transition.from_ms)} to {_utc(transition.to_ms)}"
            log.info("%s: no longer %s, %s: %s", self.target.id, transition.kind, span, transition.reason)

    def tell(self, transitions: tuple[Transition, ...]) -> None:
        """Record what was decided without a check: the end of coverage on a restart, a removal."""
        if transitions:
            self._put(None, transitions, retry=False, found=None)

    def removed(self, at_ms: int) -> None:
        """The endpoint is watched no longer: what is open ends."""
        self.state, transitions = remove(self.state, at_ms)
        self.tell(transitions)


def _utc(at_ms: int) -> str:
    """`2026-11-23T22:55:01.250Z`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at_ms % 1000:03d}Z"
