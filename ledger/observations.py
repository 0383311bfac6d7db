"""The one writer of observations: a thread with a bounded queue that commits about once a second, transitions at once.

Nothing that was put is dropped in silence. With a spool, what the ledger does not take waits there, on disk, and is
written in order and once when the ledger is back (`ledger.keeping`). Without one the batch is tried again and the queue
grows; only when the queue is full, checks without a transition are refused, loudly and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ledger.errors import LedgerError
from ledger.keeping import LARGEST_BATCH, Keeper
from ledger.recording import Life, Observed
from ledger.spool import Batch, Spool
from ledger.store import Ledger

__all__ = ["NotWritten", "ObservationWriter", "Observed"]

log = logging.getLogger("nines.ledger")

BATCH_EVERY_S = 1.0
CAPACITY = 100_000
TRY_AGAIN_S = (0.1, 0.5, 1.0, 2.0, 5.0)
COMPLAIN_EVERY_S = 60.0


class NotWritten(LedgerError):
    """{where}: observations could not be written in time; the ledger was locked or its disk full"""


class ObservationWriter:
    """`put` from any thread, never waiting; `flush` to wait until all put so far is on disk; `close` at the end.

    `on_commit` is called in the writer's own thread with the ids of the events just committed. `boot_id` names this
    life of the daemon, whose stamps `life` renews; None for a writer that is no daemon.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        boot_id: str | None,
        on_commit: Callable[[tuple[str, ...]], object] | None = None,
        location: str = "local",
        batch_every_s: float = BATCH_EVERY_S,
        capacity: int = CAPACITY,
        spool: Spool | None = None,
    ) -> None:
        if spool is not None and boot_id is None:
            raise ValueError("only the observations of a life can wait in a spool: name the boot")
        self.on_batch: Callable[[float, int], object] = lambda seconds, observations: None  # for metrics
        self._refused = 0
        self._ledger = ledger
        self._keeper = Keeper(ledger, spool=spool, on_commit=on_commit)
        self._batch_every_s, self._capacity = batch_every_s, capacity
        self._boot_id, self._location = boot_id, location
        self._queue: deque[Observed] = deque()
        self._life_ms: int | None = None
        self._stopped_ms: int | None = None
        self._put_count = self._taken_count = self._done_count = 0
        self._urgent = self._closing = self._abandoned = self._stamping = False
        self._complained_s = float("-inf")
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="observation writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Checks refused because the queue was full, or that no database would take."""
        return self._refused + self._keeper.lost

    @property
    def away(self) -> bool:
        """Whether the ledger is not to be had, or what waited for it is still being written out."""
        return self._keeper.away

    @property
    def older(self) -> bool:
        """Whether the ledger came back as an older copy: what the prober remembers of it no longer holds."""
        return self._keeper.older

    @property
    def path(self) -> Path:
        """Of the database."""
        return self._ledger.path

    @property
    def queued(self) -> int:
        """Observations that no batch has taken yet."""
        return len(self._queue)

    @property
    def done(self) -> int:
        """Observations put so far that are on disk, in the ledger or the spool."""
        return self._done_count

    @property
    def waiting(self) -> int:
        """Observations in the spool."""
        return 0 if self._keeper.spool is None else self._keeper.spool.records

    @property
    def waiting_bytes(self) -> int:
        """Bytes of them."""
        return 0 if self._keeper.spool is None else self._keeper.spool.bytes

    @property
    def dropped_checks(self) -> int:
        """Checks for which the spool had no room."""
        return 0 if self._keeper.spool is None else self._keeper.spool.dropped

    def settle(self, timeout_s: float) -> bool:
        """Wait until what an earlier life left in the spool is on record; False where the ledger does not take it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._keeper.busy, timeout_s)
        return not self._keeper.away

    def put(self, observed: Observed, *, wait: bool = False) -> None:
        """Queue one check with its transitions; those with transitions are committed at once.

        `wait`: a full queue is waited for (never in an event loop); without it such a check is refused. Nobody is
        woken for a plain check: the writer looks at the queue when its batch is due.
        """
        with self._changed:
            if self._closing:
                raise RuntimeError("the writer of observations is closed: this check would be lost")
            if len(self._queue) >= self._capacity and not self._make_room(observed, wait=wait):
                return
            self._queue.append(observed)
            self._put_count += 1
            if not self._urgent and (observed.transitions or len(self._queue) >= LARGEST_BATCH):
                self._urgent = True
                self._changed.notify_all()

    def _make_room(self, observed: Observed, *, wait: bool) -> bool:
        """Whether it goes into the full queue."""
        if wait:
            self._changed.wait_for(lambda: len(self._queue) < self._capacity)
        elif not observed.transitions:
            self._refused += 1
            self._complain("the queue of observations is full: %d checks are lost so far", self._refused)
            return False
        return True

    def life(self, at_ms: int) -> None:
        """Stamp the daemon's life; written with the next batch, within a second. First call it before any check."""
        with self._changed:
            self._life_ms = at_ms

    def stopped(self, at_ms: int) -> None:
        """Stamp a clean stop: nothing is looked at from here on."""
        with self._changed:
            self._life_ms = self._stopped_ms = at_ms
            self._urgent = True
            self._changed.notify_all()

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until everything put so far is on disk. Raises NotWritten when that takes longer."""
        with self._changed:
            goal = self._put_count
            self._urgent = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._done_count >= goal and self._idle, timeout_s):
                raise NotWritten(str(self._ledger.path))

    def close(self, timeout_s: float = 30.0) -> None:
        """Write what is left and end the thread. Raises NotWritten with the rest lost when that takes longer."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            with self._changed:
                self._abandoned = True
                self._changed.notify_all()
            self._thread.join(timeout_s)
            raise NotWritten(str(self._ledger.path))

    @property
    def _stamps(self) -> bool:
        """Whether a stamp waits to be written."""
        return self._boot_id is not None and (self._life_ms is not None or self._stopped_ms is not None)

    @property
    def _idle(self) -> bool:
        """Whether no stamp is under way. Checks put meanwhile may be."""
        return not self._stamping and not self._stamps

    @property
    def _waiting(self) -> bool:
        return bool(self._queue) or self._stamps

    def _complain(self, message: str, *values: object) -> None:
        if time.monotonic() - self._complained_s >= COMPLAIN_EVERY_S:
            self._complained_s = time.monotonic()
            log.error(message, *values)

    def _run(self) -> None:
        try:
            while (batch := self._take()) is not None:
                began_s = time.monotonic()
                if self._write(batch):
                    if batch.observed:
                        self.on_batch(time.monotonic() - began_s, len(batch.observed))
                    self._finish(batch)
        finally:
            self._keeper.close()

    def _take(self) -> Batch | None:
        """The next batch: at once when something is urgent, else after the batch's time; None at the end.

        An empty one gives the keeper its turn.
        """
        with self._changed:
            if not self._keeper.busy:
                self._changed.wait_for(lambda: self._urgent or self._closing, self._batch_every_s)
            if not self._waiting:
                self._urgent = False
                return None if self._closing and not self._keeper.busy else Batch(self._taken_count + 1, [], None)
            taken = [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_BATCH))]
            first, self._taken_count = self._taken_count + 1, self._taken_count + len(taken)
            self._urgent = bool(self._queue)
            return Batch(first, taken, self._take_life())

    def _take_life(self) -> Life | None:
        """A stamp vouches for all that was put before it, so it goes with the last of it."""
        if self._boot_id is None:
            return None
        if self._queue:
            return Life(self._boot_id, self._location)
        self._stamping = self._stamps
        life = Life(self._boot_id, self._location, self._life_ms, self._stopped_ms)
        self._life_ms = self._stopped_ms = None
        return life

    def _finish(self, batch: Batch) -> None:
        with self._changed:
            self._done_count += len(batch.observed)
            self._stamping = False
            self._changed.notify_all()

    def _write(self, batch: Batch) -> bool:
        """Until it is on disk; False only when abandoned."""
        if self._keeper.spool is not None:
            self._keeper.keep(batch)
            return True
        return not (batch.observed or batch.life) or self._insist(batch)

    def _insist(self, batch: Batch) -> bool:
        """However long that takes."""
        tries = 0
        while not self._abandoned:
            try:
                self._keeper.record_or_singly(batch)
            except LedgerError as error:
                self._complain("%d observations wait to be written: %s", len(batch.observed) + len(self._queue), error)
            else:
                return True
            with self._changed:
                pause_s = TRY_AGAIN_S[min(tries, len(TRY_AGAIN_S) - 1)]
                self._changed.wait_for(lambda: self._abandoned, pause_s)
            tries += 1
        return False
