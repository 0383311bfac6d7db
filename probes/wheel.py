"""One timer for all endpoints: slots of 10 ms by the wall clock, and nothing at all for one that sleeps.

A task per sleeping endpoint is not merely slow: thousands of timers that fire at once inflate measured latencies.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

SLOT_MS = 10
LOOK_AGAIN_MS = 1_000  # turn at least this often: the wall clock may be set meanwhile

Key = TypeVar("Key")


class Wheel(Generic[Key]):
    """Calls `fire(key, due_ms)` within a slot after each due instant, never before it. One due instant per key.

    `on_turn` runs before anything is fired: it may set other due instants, as it must when the clock was set.
    """

    def __init__(
        self, clock: Callable[[], int], fire: Callable[[Key, int], None], *, on_turn: Callable[[], None] | None = None
    ) -> None:
        self._clock, self._fire, self._on_turn = clock, fire, on_turn
        self._due: dict[Key, int] = {}
        self._slots: dict[int, list[Key]] = {}
        self._order: list[int] = []  # slot numbers, a heap
        self._timer: asyncio.TimerHandle | None = None
        self._timer_slot: int | None = None
        self._turned_slot = -1  # the last one whose time came: what is set now waits for a later one
        self._stopped = False

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: Key, due_ms: int) -> None:
        """Due then, and at no other instant set before."""
        slot = max(-(-due_ms // SLOT_MS), self._turned_slot + 1)
        self._due[key] = due_ms
        if slot not in self._slots:
            self._slots[slot] = []
            heapq.heappush(self._order, slot)
        self._slots[slot].append(key)
        if self._timer_slot is not None and slot < self._timer_slot:
            self._arm()

    def drop(self, key: Key) -> None:
        """Not due any more."""
        self._due.pop(key, None)

    def clear(self) -> None:
        """Nothing is due any more, and the clock may say anything."""
        self._due.clear()
        self._slots.clear()
        self._order.clear()
        self._turned_slot = -1

    def start(self) -> None:
        """Begin to turn in the running loop."""
        self._arm()

    def stop(self) -> None:
        """Fire nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._stopped:
            return
        now_ms = self._clock()
        next_ms = min(self._order[0] * SLOT_MS if self._order else now_ms + LOOK_AGAIN_MS, now_ms + LOOK_AGAIN_MS)
        self._timer_slot = next_ms // SLOT_MS
        self._timer = asyncio.get_running_loop().call_later(max(next_ms - now_ms, 0) / 1000, self._turn)

    def _turn(self) -> None:
        self._timer = self._timer_slot = None
        try:
            if self._on_turn is not None:
                self._on_turn()
            self._fire_due(self._clock())
        finally:
            self._arm()

    def _fire_due(self, now_ms: int) -> None:
        """What is due by now; what it sets anew for this very instant waits for the next turn."""
        ready: list[Key] = []
        self._turned_slot = now_ms // SLOT_MS
        while self._order and self._order[0] * SLOT_MS <= now_ms:
            ready += self._slots.pop(heapq.heappop(self._order))
        for key in ready:
            due_ms = self._due.get(key)
            if due_ms is not None and due_ms <= now_ms:
                del self._due[key]
                self._fire(key, due_ms)
