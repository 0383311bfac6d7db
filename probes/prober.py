"""The prober: all endpoints on one wheel, started, changed and removed by `apply`, stopped without false failures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ledger.observations import ObservationWriter
from ledger.sight import SeenAgain
from ledger.store import Ledger
from probes.attempt import Attempt
from probes.confine import Confined
from probes.dates import Dates
from probes.fresh import Tools
from probes.gate import Rates
from probes.heartbeat import Door, Word
from probes.listening import HeardWatch
from probes.meters import Meters
from probes.once import attempt
from probes.past import Past, Resumed
from probes.pulse import Pulse
from probes.resolver import Resolver
from probes.review import Notices, Review
from probes.scheduler import phase_ms
from probes.sight import Sight
from probes.steps import Clocks
from probes.target import Target
from probes.trust import Trust
from probes.vantage import Outlook, Vantage
from probes.watch import Post, Watch
from probes.wheel import Wheel

log = logging.getLogger("nines.probes")

Clock = Callable[[], int]
LIFE_EVERY_S = 1.0
GRACE_S = 3.0  # how long running attempts may go on after a stop
OWN = "local"  # where this daemon runs
MISSED_MS = 1_000  # a tick that is later than this was missed
SPREAD_MS = 10  # between the first checks of endpoints that begin together


class Prober:
    """`await apply(targets)` at start and on reload; `await run()` until `await stop()`, all in one event loop.

    The ledger is only read (where each endpoint's history stopped); all writing goes through `writer`, which its
    owner closes after `stop`. `meters` counts what was seen. Commands see nothing of the `hidden` folders.
    """

    def __init__(
        self,
        ledger: Ledger,
        writer: ObservationWriter,
        clock: Clock,
        *,
        rates: Rates | None = None,
        outlook: Outlook | None = None,
        clocks: Clocks | None = None,
        hidden: Iterable[Path] = (),
    ) -> None:
        self._past = Past(ledger, clock)
        self._clock, self._writer = clock, writer
        self.meters = Meters()
        self._watches: dict[tuple[str, str], Watch] = {}
        dates = Dates(clock)
        self._sight = Sight(writer, clock, clocks or Clocks(clock), self.meters, self._watches.values, dates)
        tools = Tools(Resolver(), Trust(), commands=Confined(hidden), dates=dates)
        self._pulse = Pulse(on_beat=self._sight.beat, on_stall=self._sight.stalled)
        self._vantage = Vantage(outlook or Outlook(), tools.resolver, self._sight.turns())
        review = Review(self._pulse, self._vantage, Notices(self._sight.tell, clock))
        self._post = Post(tools, (rates or Rates()).gates(), review, writer, clock, self.meters)
        self._wheel: Wheel[Watch] = Wheel(clock, self._fire, on_turn=self._look_at_the_clocks)
        self.doors: dict[str, Door] = {}  # of the heartbeats that are watched
        self._listening = False
        self._stopping = False
        self._stopped = asyncio.Event()

    async def apply(
        self,
        wanted: Iterable[Target],
        *,
        rates: Rates | None = None,
        outlook: Outlook | None = None,
        hidden: Iterable[Path] = (),
    ) -> None:
        """Watch exactly these: new ones start, others end (their open outage as removed), changed ones go on.

        An attempt under way is finished and judged, also of an endpoint that ends. `rates`, `outlook`: other limits
        and reference hosts from now on. `hidden`: more folders of which commands see nothing.
        """
        if self._stopping:
            return
        if rates is not None:
            self._post.gates.change(per_host_per_s=rates.per_host_per_s, global_per_s=rates.global_per_s)
        if outlook is not None:
            self._vantage.outlook = outlook
        self._post.tools.commands.hide(hidden)
        targets = {(one.id, one.location): one for one in wanted}
        for key in self._watches.keys() - targets.keys():
            self._remove(self._watches[key])
        for key in self._watches.keys() & targets.keys():
            if self._watches[key].target.heard_of != targets[key].heard_of:
                await self._replace(self._watches[key])
        fresh = [target for key, target in targets.items() if key not in self._watches]
        resumed = await asyncio.to_thread(self._past.of, fresh)
        if not self._watches:
            await self._begin(targets.keys())
        self._writer.life(self._clock())  # before the first check, after the last life was read
        for place, (target, past) in enumerate(zip(fresh, resumed, strict=True)):
            self._start(target, past, after_ms=place * SPREAD_MS)
        for key, target in targets.items():
            self._change(self._watches[key], target)
        self.doors = {target.id: target.door for target in targets.values() if target.door is not None}
        self._post.gates.keep(target.host for target in targets.values())
        self.meters.watched = len(targets)

    async def run(self) -> None:
        """Probe, and stamp the life of this prober each second, until `stop`."""
        beat = asyncio.create_task(self._pulse.beat())
        self._wheel.start()
        try:
            while not self._stopped.is_set():
                self._writer.life(self._clock())
                self._sight.look_at_the_dates()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LIFE_EVERY_S):
                        await self._stopped.wait()
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    def listen(self) -> None:
        """From now on words can be heard: silence before says nothing."""
        self._listening = True
        for watch in self._watches.values():
            watch.deafened()

    def stop_listening(self) -> None:
        """From now on silence says nothing, until `listen`."""
        self._listening = False

    def hear(self, endpoint: str, word: Word) -> None:
        """A job said a word, and proved that it may."""
        watch = self._watches.get((endpoint, OWN))
        if not isinstance(watch, HeardWatch):
            return
        watch.hear(word)
        if watch.task is None:
            self._schedule(watch, watch.next_due())

    async def stop(self, *, grace_s: float = GRACE_S) -> None:
        """Start nothing more, let running attempts end for a moment, forget those that do not; then stamp the stop."""
        self._stopping = True
        self._wheel.stop()
        running = {watch.task: watch for watch in self._watches.values() if watch.task is not None}
        await _end(task for task, watch in running.items() if not watch.busy)
        if left := [task for task in running if not task.done()]:
            await asyncio.wait(left, timeout=grace_s)
            await _end(left)
        await self._post.review.close()
        self._writer.stopped(self._clock())
        self._post.tools.close()
        self._stopped.set()

    async def _begin(self, keys: Iterable[tuple[str, str]]) -> None:
        """What an earlier life left open: endpoints that are watched no longer end, and so does its blindness."""
        for gone, (state, said) in await asyncio.to_thread(self._past.left_open, set(keys)):
            watch = Watch(gone, state, self._post)
            watch.tell(said)
            watch.removed(self._clock())
        if not self._vantage.blind and await asyncio.to_thread(self._past.is_blind, OWN):
            self._sight.tell(SeenAgain("blind", self._clock()))

    async def _replace(self, watch: Watch) -> None:
        """An endpoint that we asked tells of itself from now on, or the other way round: it begins anew."""
        if watch.task is not None:
            await _end([watch.task])
        self._remove(watch)
        await asyncio.to_thread(self._writer.flush)  # what ended is on record before the new history is read

    def _start(self, target: Target, past: Resumed, *, after_ms: int) -> None:
        """Watch a new one; those that begin together are first checked one after the other, not in a burst."""
        state, said = past
        kind = HeardWatch if target.heard_of else Watch
        watch = self._watches[target.id, target.location] = kind(target, state, self._post)
        watch.tell(said)
        if target.heard_of:
            self._schedule(watch, watch.first_due())
            return
        if after_ms >= target.judged.interval_ms:
            after_ms = phase_ms(target.id, target.judged.interval_ms)
        self._schedule(watch, watch.first_due() + after_ms)

    def _change(self, watch: Watch, target: Target) -> None:
        watch.leaving = False
        if target == watch.target:
            return
        watch.target = target
        if watch.task is None:
            self._schedule(watch, min(watch.first_due(), max(watch.due_ms, self._clock())))

    def _remove(self, watch: Watch) -> None:
        self._wheel.drop(watch)
        if watch.task is not None:
            watch.leaving = True
            return
        del self._watches[watch.key]
        watch.removed(self._clock())

    def _schedule(self, watch: Watch, due_ms: int) -> None:
        watch.due_ms = due_ms
        self._wheel.set(watch, due_ms)

    def _fire(self, watch: Watch, due_ms: int) -> None:
        """Its tick: one task for one attempt. A tick that came and went in a stall is not made up for."""
        if self._clock() - due_ms > MISSED_MS:
            self.meters.missed += 1
            self._schedule(watch, watch.due_after_miss())
            return
        if isinstance(watch, HeardWatch) and not self._listening:
            watch.deafened()
            self._schedule(watch, watch.next_due())
            return
        self.meters.running += 1
        watch.task = asyncio.create_task(self._check(watch))

    async def _check(self, watch: Watch) -> None:
        target = watch.target
        try:
            await watch.check()
        except Exception:  # a mistake of ours must not end the watch: time without checks becomes unknown
            log.exception("%s: the check could not be recorded", target.id)
        finally:
            watch.task, watch.busy = None, False
            self.meters.running -= 1
        if self._stopping:
            return
        if watch.leaving:
            self._remove(watch)
        elif watch.target != target:  # changed meanwhile
            self._schedule(watch, min(watch.first_due(), watch.next_due()))
        else:
            self._schedule(watch, watch.next_due())

    def _look_at_the_clocks(self) -> None:
        if not self._sight.look():
            return
        self._wheel.clear()
        for watch in self._watches.values():
            if watch.task is None:
                self._schedule(watch, watch.due_after_step())


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def probe_once(
    targets: Sequence[Target],
    *,
    clock: Clock,
    rates: Rates | None = None,
    hidden: Iterable[Path] = (),
) -> tuple[Attempt, ...]:
    """One attempt each, now, in the order given, through the same gates and address rules; nothing is recorded."""
    tools, gates = Tools(Resolver(), Trust(), commands=Confined(hidden)), (rates or Rates()).gates()

    async def one(target: Target) -> Attempt:
        async with gates.admit(target.host) as waited_us:
            return await attempt(target, tools, at_ms=clock(), waited_us=waited_us)

    try:
        return tuple(await asyncio.gather(*map(one, targets)))
    finally:
        tools.close()
