"""The wall clock beside two that nobody sets: whether it stepped, and whether the machine slept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STEP_MS = 1_000  # less is slewing and rounding
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_ms() -> int:
    """Goes on while the machine is suspended (where the system has such a clock)."""
    return time.clock_gettime_ns(_STEADY) // 1_000_000


def awake_ms() -> int:
    """Stands still while the machine is suspended."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000


@dataclass(frozen=True, slots=True)
class Stepped:
    """The wall clock was set: `after_ms` is what it says now, by the old one it would be `after_ms - by_ms`."""

    by_ms: int
    after_ms: int

    @property
    def before_ms(self) -> int:
        return self.after_ms - self.by_ms


@dataclass(frozen=True, slots=True)
class Slept:
    """The machine was suspended in [from_ms, to_ms), by the wall clock after it."""

    from_ms: int
    to_ms: int


class Clocks:
    """Compares the clocks at every look; each step or sleep is told once."""

    def __init__(
        self, wall: Callable[[], int], *, steady: Callable[[], int] = steady_ms, awake: Callable[[], int] = awake_ms
    ) -> None:
        self._read = (wall, steady, awake)
        self._last = self._reading()

    def look(self) -> tuple[Stepped | Slept, ...]:
        """What happened since the last look, the step first."""
        (wall, steady, awake), last = self._reading(), self._last
        self._last = (wall, steady, awake)
        found: list[Stepped | Slept] = []
        by_ms = (wall - last[0]) - (steady - last[1])
        if abs(by_ms) > STEP_MS:
            found.append(Stepped(by_ms, wall))
        slept_ms = (steady - last[1]) - (awake - last[2])
        if slept_ms > STEP_MS:
            found.append(Slept(wall - slept_ms, wall))
        return tuple(found)

    def _reading(self) -> tuple[int, int, int]:
        """All three at one instant: read again where something came between."""
        wall, steady, awake = self._read
        before, now, after = steady(), wall(), steady()
        for _ in range(5):
            if after - before <= STEP_MS // 10:
                break
            before, now, after = steady(), wall(), steady()
        return now, after, awake()
