"""Rates: first in, first out, per host first and for all hosts last, so that a throttled host delays only itself.

asyncio-throttle lets newcomers overtake and has every waiter poll; behind a lock there is one poller, and a queue.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction

from asyncio_throttle.throttler import Throttler

from probes.resolver import most_threads

MOST_RUNNING = 2_000  # attempts at once
SPARE_DESCRIPTORS = 64  # for the ledger, the log and whatever else is open
HOST_SHARE = 4  # one host takes at most this part of the places: many endpoints on one dead host delay no other
FEWEST_OF_HOST = 8


def places() -> int:
    """How many attempts may run at once: one may hold two descriptors (two addresses tried), a hung look-up another."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS - most_threads()
    return max(min(MOST_RUNNING, descriptors // 2), FEWEST_OF_HOST)


class Gate:
    """Lets `rate_per_s` attempts through, in the order they came. Raises ValueError for a rate that is not positive."""

    def __init__(self, rate_per_s: Fraction | int) -> None:
        self._lock = asyncio.Lock()
        self._throttler = Throttler(rate_limit=0)
        self.change(rate_per_s)

    def change(self, rate_per_s: Fraction | int) -> None:
        """Another rate from now on, also for who waits already: the throttler looks at its limit at each turn."""
        rate = Fraction(rate_per_s).limit_denominator(3_600)
        if rate <= 0:
            raise ValueError(f"a rate of {rate_per_s} per second lets nothing through; write e.g. 5")
        self._throttler.rate_limit, self._throttler.period = rate.numerator, float(rate.denominator)

    async def pass_through(self) -> None:
        async with self._lock:
            await self._throttler.acquire()  # type: ignore[no-untyped-call]


class _Host:
    """The rate of one host, and its share of the places."""

    def __init__(self, rate_per_s: Fraction | int, share: int) -> None:
        self.gate = Gate(rate_per_s)
        self.places = asyncio.Semaphore(share)
        self.inside = 0  # waiting or running


class Gates:
    """The gate of each host and its share of the places, then the gate of all, then a place."""

    def __init__(
        self, *, per_host_per_s: Fraction | int, global_per_s: Fraction | int, max_running: int | None = None
    ) -> None:
        most = places() if max_running is None else max_running
        self._per_host_per_s = per_host_per_s
        self._share = max(most // HOST_SHARE, FEWEST_OF_HOST)
        self._hosts: dict[str, _Host] = {}
        self._all = Gate(global_per_s)
        self._places = asyncio.Semaphore(most)

    def change(self, *, per_host_per_s: Fraction | int, global_per_s: Fraction | int) -> None:
        """Other rates from now on; who waits keeps its turn."""
        self._per_host_per_s = per_host_per_s
        for own in self._hosts.values():
            own.gate.change(per_host_per_s)
        self._all.change(global_per_s)

    async def enter(self, host: str) -> int:
        """Wait for a place for one attempt, to be left by `leave`; the microseconds that were spent waiting."""
        began_ns = time.perf_counter_ns()
        own = self._hosts.get(host)
        if own is None:
            own = self._hosts[host] = _Host(self._per_host_per_s, self._share)
        own.inside += 1
        try:
            await own.gate.pass_through()
            await own.places.acquire()
            try:
                await self._all.pass_through()
                await self._places.acquire()
            except BaseException:
                own.places.release()
                raise
        except BaseException:
            own.inside -= 1
            raise
        return (time.perf_counter_ns() - began_ns) // 1000

    def leave(self, host: str) -> None:
        """Give the place back."""
        self._places.release()
        own = self._hosts[host]
        own.places.release()
        own.inside -= 1

    def keep(self, hosts: Iterable[str]) -> None:
        """Forget the hosts that are none of these, where nothing waits or runs."""
        for host in self._hosts.keys() - set(hosts):
            if not self._hosts[host].inside:
                del self._hosts[host]

    @asynccontextmanager
    async def admit(self, host: str) -> AsyncIterator[int]:
        """Hold a place for one attempt; gives the microseconds that were spent waiting for it."""
        waited_us = await self.enter(host)
        try:
            yield waited_us
        finally:
            self.leave(host)


@dataclass(frozen=True, slots=True)
class Rates:
    """Attempts per second, to one host and in all."""

    per_host_per_s: Fraction | int = 5
    global_per_s: Fraction | int = 200

    def gates(self) -> Gates:
        return Gates(per_host_per_s=self.per_host_per_s, global_per_s=self.global_per_s)
