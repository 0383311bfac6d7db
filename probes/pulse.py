"""Whether our own loop stood still: then a time limit that ran out says nothing about the target."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from probes.attempt import Attempt

BEAT_S = 0.25
STALL_S = 1.0
LATE_S = 0.05  # a beat later than this is remembered
OUR_SHARE = 0.25  # of an attempt: where our loop was late for so much of it, its time limit says nothing
BEATS_KEPT = 1_200  # the longest attempt takes 300 s
OUR_DOING = ("timeout_first_byte", "timeout_total", "connect_timeout", "dns_timeout", "slow")


class Pulse:
    """Beats four times a second; a beat that comes more than a second late marks a stall.

    `on_beat` is called with the seconds by which the beat was late, `on_stall` with the seconds since the last beat
    before the stall.
    """

    def __init__(
        self,
        *,
        on_beat: Callable[[float], None] | None = None,
        on_stall: Callable[[float], None] | None = None,
    ) -> None:
        self._last_s = time.monotonic()
        self._late: deque[tuple[float, float]] = deque(maxlen=BEATS_KEPT)  # (when it came, by how much late)
        self._on_beat, self._on_stall = on_beat, on_stall

    async def beat(self) -> None:
        """Until cancelled."""
        self._last_s = time.monotonic()
        while True:
            await asyncio.sleep(BEAT_S)
            late_s = self._note(time.monotonic())
            if self._on_beat is not None:
                self._on_beat(late_s)

    def look(self) -> None:
        """Mark a stall that the next beat has still to notice."""
        now_s = time.monotonic()
        if now_s - self._last_s > BEAT_S + STALL_S:
            self._note(now_s)

    def late_since(self, began_s: float) -> float:
        """Seconds that the loop was late by since then (monotonic), a stall under way included."""
        self.look()
        return sum(min(late_s, came_s - began_s) for came_s, late_s in self._late if came_s > began_s)

    def excuse(self, attempt: Attempt, *, began_s: float) -> tuple[str, str] | None:
        """(class, sentence) where the attempt's timeout or slowness was ours; None where it stands."""
        if attempt.error not in OUR_DOING:
            return None
        late_s = self.late_since(began_s)
        if late_s == 0 or late_s < min((time.monotonic() - began_s) * OUR_SHARE, STALL_S):
            return None
        return "prober_stalled", "our own event loop stood still during the attempt"

    def _note(self, now_s: float) -> float:
        """Remember how late a beat comes; seconds."""
        stood_s = now_s - self._last_s
        late_s = max(stood_s - BEAT_S, 0.0)
        self._last_s = now_s
        if late_s > LATE_S:
            self._late.append((now_s, late_s))
        if late_s > STALL_S and self._on_stall is not None:
            self._on_stall(stood_s)
        return late_s
