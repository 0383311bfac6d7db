"""Rates: first in, first out, per host first and for all hosts last, so that a throttled host delays only itself.

asyncio-throttle lets newcomers overtake and has every waiter poll; behind a lock there is one poller, and a queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction

from asyncio_throttle.throttler import Throttler

MAX_RUNNING = 400  # attempts at once: well below the descriptors that a service is given


class Gate:
    """Lets `rate_per_s` attempts through, in the order they came. Raises ValueError for a rate that is not positive."""

    def __init__(self, rate_per_s: Fraction | int) -> None:
        rate = Fraction(rate_per_s).limit_denominator(3_600)
        if rate <= 0:
            raise ValueError(f"a rate of {rate_per_s} per second lets nothing through; write e.g. 5")
        self._lock = asyncio.Lock()
        self._throttler = Throttler(rate_limit=rate.numerator, period=float(rate.denominator))

    async def pass_through(self) -> None:
        async with self._lock:
            await self._throttler.acquire()  # type: ignore[no-untyped-call]


class Gates:
    """The gate of each host, then the gate of all, then a place among the running attempts."""

    def __init__(
        self, *, per_host_per_s: Fraction | int, global_per_s: Fraction | int, max_running: int = MAX_RUNNING
    ) -> None:
        self._per_host_per_s = per_host_per_s
        self._hosts: dict[str, Gate] = {}
        self._all = Gate(global_per_s)
        self._places = asyncio.Semaphore(max_running)

    @asynccontextmanager
    async def admit(self, host: str) -> AsyncIterator[int]:
        """Hold a place for one attempt; gives the microseconds that were spent waiting for it."""
        began_ns = time.perf_counter_ns()
        if host not in self._hosts:
            self._hosts[host] = Gate(self._per_host_per_s)
        await self._hosts[host].pass_through()
        await self._all.pass_through()
        async with self._places:
            yield (time.perf_counter_ns() - began_ns) // 1000
