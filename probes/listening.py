"""One heartbeat, watched: the job tells of itself, and its silence is looked at when it becomes too long."""

from __future__ import annotations

import time
from dataclasses import replace

from probes.attempt import Attempt
from probes.heartbeat import Heard, Rhythm, Word, deaf, due_ms, hear, look, moved
from probes.steps import Stepped
from probes.target import Target
from probes.watch import Post, Watch
from sla.judge import Check, State

ANYWHERE = ""  # words may come from anywhere, so being blind to the world is being deaf to them


class HeardWatch(Watch):
    """Due when silence becomes too long; `hear` what comes before. A word that comes during a look waits for its end.

    It begins after a time in which nobody listened: since the daemon stopped, or ever.
    """

    __slots__ = ("_waiting", "heard")

    def __init__(self, target: Target, state: State, post: Post) -> None:
        super().__init__(target, state, post)
        self._waiting: list[tuple[Word, int]] = []
        now_ms = post.clock()
        began_ms = now_ms if state.last_up_ms is None else state.last_up_ms
        before = Heard(began_ms, success_ms=state.last_up_ms, told_ms=state.last_check_ms)
        self.heard = deaf(before, now_ms, self.rhythm)

    @property
    def rhythm(self) -> Rhythm:
        if self.target.rhythm is None:
            raise ValueError(f"{self.target.id} is no heartbeat")
        return self.target.rhythm

    def first_due(self) -> int:
        return due_ms(self.heard, self.rhythm)

    def next_due(self) -> int:
        return due_ms(self.heard, self.rhythm)

    def due_after_step(self) -> int:
        return due_ms(self.heard, self.rhythm)

    def due_after_miss(self) -> int:
        """However late it is looked at: what was due is told at its own instant."""
        return self._post.clock()

    async def check(self) -> None:
        """Look at the silence, and before it is booked, whether we could have heard anything at all."""
        self.busy = True
        try:
            moved_ms = self._moved_ms
            heard, silence = look(self.heard, self._post.clock(), self.rhythm)
            judged = [await self._reviewed(check) for check in silence]
            by_ms = self._moved_ms - moved_ms  # the clock after a step is right
            self.heard = moved(heard, by_ms)
            if any(found.verdict == "unknown" for found in judged):
                self.deafened()
            for found in judged:
                self._tell(replace(found, at_ms=found.at_ms + by_ms))
        finally:
            waiting, self._waiting = self._waiting, []
            for word, at_ms in waiting:
                self._take(word, at_ms)

    async def _reviewed(self, check: Check) -> Attempt:
        return await self._post.review.of(self._found(check), ANYWHERE, began_s=time.monotonic())

    def hear(self, word: Word) -> None:
        """The job said a word, just now."""
        at_ms = self._post.clock()
        if self.busy:
            self._waiting.append((word, at_ms))
        else:
            self._take(word, at_ms)

    def _take(self, word: Word, at_ms: int) -> None:
        after_ms = -1 if self.state.last_check_ms is None else self.state.last_check_ms
        self.heard, checks = hear(self.heard, word, max(at_ms, after_ms + 1), self.rhythm)
        for check in checks:
            self._tell(self._found(check))

    def _found(self, check: Check) -> Attempt:
        return Attempt(self.target.id, check.at_ms, check.verdict, check.error)

    def _tell(self, found: Attempt) -> None:
        self._post.meters.ended(found)
        self._book(found)

    def unseen_from(self, from_ms: int, *, deaf: bool) -> None:
        """A short stall loses no word: it waits to be accepted."""
        if deaf:
            super().unseen_from(from_ms, deaf=deaf)
            self.deafened()

    def deafened(self) -> None:
        """Until now words may have been lost."""
        self.heard = deaf(self.heard, self._post.clock(), self.rhythm)

    def stepped(self, step: Stepped) -> None:
        super().stepped(step)
        self.heard = moved(self.heard, step.by_ms)
        self._waiting = [(word, at_ms + step.by_ms) for word, at_ms in self._waiting]
