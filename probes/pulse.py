"""Whether our own loop stood still: then a time limit that ran out says nothing about the target."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from probes.attempt import Attempt

BEAT_S = 0.25
STALL_S = 1.0
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
        self._stalled_until_s: deque[float] = deque(maxlen=64)
        self._on_beat, self._on_stall = on_beat, on_stall

    async def beat(self) -> None:
        while True:
            self._last_s = time.monotonic()
            await asyncio.sleep(BEAT_S)
            self.look()
            if self._on_beat is not None:
                self._on_beat(max(time.monotonic() - self._last_s - BEAT_S, 0.0))

    def look(self) -> None:
        """Mark a stall that the next beat has still to notice."""
        now_s = time.monotonic()
        stood_s = now_s - self._last_s
        if stood_s > BEAT_S + STALL_S:
            self._stalled_until_s.append(now_s)
            self._last_s = now_s
            if self._on_stall is not None:
                self._on_stall(stood_s)

    def stalled_since(self, began_s: float) -> bool:
        """Whether a stall ended after `began_s` (monotonic), one that the next beat has still to notice included."""
        self.look()
        return any(until_s > began_s for until_s in self._stalled_until_s)

    def excuse(self, attempt: Attempt, *, began_s: float) -> tuple[str, str] | None:
        """(class, sentence) where the attempt's timeout or slowness was ours; None where it stands."""
        if attempt.error in OUR_DOING and self.stalled_since(began_s):
            return "prober_stalled", "our own event loop stood still during the attempt"
        return None
