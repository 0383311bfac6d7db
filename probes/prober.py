"""The prober: one watch per endpoint, started, changed and removed by `apply`, stopped without false failures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from yarl import URL

from config.endpoint import Endpoint
from config.secret import Secret
from ledger.observations import ObservationWriter
from ledger.resume import open_endpoints, resume_point
from ledger.store import Ledger
from probes.attempt import Attempt
from probes.fresh import Tools
from probes.gate import Gates
from probes.once import attempt
from probes.pulse import Pulse
from probes.resolver import Resolver
from probes.target import Target, target_of
from probes.trust import Trust
from probes.watch import Post, Watch
from sla.judge import Method, State, Transition, resume

log = logging.getLogger("nines.probes")

Clock = Callable[[], int]
Reveal = Callable[[Secret], str]
LIFE_EVERY_S = 1.0
GRACE_S = 3.0  # how long running attempts may go on after a stop


@dataclass(frozen=True, slots=True)
class Rates:
    """Attempts per second, to one host and in all."""

    per_host_per_s: Fraction | int = 5
    global_per_s: Fraction | int = 200

    def gates(self) -> Gates:
        return Gates(per_host_per_s=self.per_host_per_s, global_per_s=self.global_per_s)


class Prober:
    """`await apply(endpoints)` at start and on reload; `await run()` until `await stop()`, all in one event loop.

    The ledger is only read (where each endpoint's history stopped); all writing goes through `writer`, which its
    owner closes after `stop`.
    """

    def __init__(
        self, ledger: Ledger, writer: ObservationWriter, clock: Clock, *, reveal: Reveal, rates: Rates | None = None
    ) -> None:
        self._ledger = ledger
        self._reveal = reveal
        self._tools = Tools(Resolver(), Trust())
        self._post = Post(self._tools, (rates or Rates()).gates(), Pulse(), writer, clock)
        self._watches: dict[tuple[str, str], Watch] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._stopping = False
        self._stopped = asyncio.Event()

    async def apply(self, endpoints: Iterable[Endpoint]) -> None:
        """Watch exactly these: new ones start, others end (their open outage as removed), changed ones go on."""
        if self._stopping:
            return
        targets = {(one.id, one.location): target_of(one, self._reveal) for one in endpoints}
        for key in self._watches.keys() - targets.keys():
            await self._remove(key)
        fresh = [target for key, target in targets.items() if key not in self._watches]
        resumed = await asyncio.to_thread(self._resume, fresh)
        if not self._watches:
            left = set(await asyncio.to_thread(open_endpoints, self._ledger)) - targets.keys()
            await asyncio.to_thread(self._forget, left)
        self._post.writer.life(self._post.clock())  # before the first check, after the last life was read
        for target, (state, said) in zip(fresh, resumed, strict=True):
            self._start(target, state, said)
        for key, target in targets.items():
            if target != self._watches[key].target:
                self._watches[key].change(target)

    async def run(self) -> None:
        """Stamp the life of this prober each second until `stop`."""
        beat = asyncio.create_task(self._post.pulse.beat())
        try:
            while not self._stopped.is_set():
                self._post.writer.life(self._post.clock())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LIFE_EVERY_S):
                        await self._stopped.wait()
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def stop(self, *, grace_s: float = GRACE_S) -> None:
        """Start nothing more, let running attempts end for a moment, forget those that do not; then stamp the stop."""
        self._stopping = True
        for watch in self._watches.values():
            watch.stopping = True
        await _end(task for key, task in self._tasks.items() if not self._watches[key].busy)
        running = [task for task in self._tasks.values() if not task.done()]
        if running:
            await asyncio.wait(running, timeout=grace_s)
        await _end(running)
        self._post.writer.stopped(self._post.clock())
        self._tools.resolver.close()
        self._stopped.set()

    def _resume(self, targets: Sequence[Target]) -> list[tuple[State, tuple[Transition, ...]]]:
        """Where each endpoint's history stopped; runs in a thread, for it reads the ledger."""
        return [self._resumed(target, self._post.clock()) for target in targets]

    def _resumed(self, target: Target, at_ms: int) -> tuple[State, tuple[Transition, ...]]:
        point = resume_point(self._ledger, target.id, target.location)
        return resume(
            target.judged,
            at_ms=at_ms,
            checks=point.checks,
            open_outage=point.open_outage,
            open_degraded=point.open_degraded,
            coverage_from_ms=point.coverage_from_ms,
            reach_ms=point.reach_ms,
            covered_until_ms=point.covered_until_ms,
            off_from_ms=point.off_from_ms,
        )

    def _forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """End what is open of endpoints that left the config while no prober ran; in a thread, like `_resume`."""
        for endpoint, location in keys:
            point = resume_point(self._ledger, endpoint, location)
            gone = Target(endpoint, "tcp", URL(), Method(point.reach_ms or 60_000, 0), location)
            state, said = self._resumed(gone, self._post.clock())
            watch = Watch(gone, state, self._post)
            watch.tell(said)
            watch.removed(self._post.clock())

    def _start(self, target: Target, state: State, said: tuple[Transition, ...]) -> None:
        watch = Watch(target, state, self._post)
        watch.tell(said)
        key = (target.id, target.location)
        self._watches[key] = watch
        self._tasks[key] = asyncio.create_task(watch.run(), name=f"watch {target.id}")

    async def _remove(self, key: tuple[str, str]) -> None:
        await _end([self._tasks.pop(key)])
        self._watches.pop(key).removed(self._post.clock())


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def probe_once(
    endpoints: Sequence[Endpoint], *, clock: Clock, reveal: Reveal, rates: Rates | None = None
) -> tuple[Attempt, ...]:
    """One attempt each, now, in the order given, through the same gates and address rules; nothing is recorded."""
    tools, gates = Tools(Resolver(), Trust()), (rates or Rates()).gates()

    async def one(target: Target) -> Attempt:
        async with gates.admit(target.host) as waited_us:
            return await attempt(target, tools, at_ms=clock(), waited_us=waited_us)

    try:
        return tuple(await asyncio.gather(*(one(target_of(endpoint, reveal)) for endpoint in endpoints)))
    finally:
        tools.resolver.close()
