"""Getting batches on record whatever becomes of the ledger: written at once, or into the spool until it is back.

SQLite commits happily into a file that was deleted or moved. So the path is compared with the open file before each
transaction and after each commit, and a commit after which the file is gone counts as not done. The batches of the last
seconds are kept besides, and go into the spool first when the file turns out to be gone. What remains: a file that is
deleted, and whose deletion is not seen for longer than `KEPT_S`, takes what was committed before that with it, as any
deletion does; and a file that is moved away and back between two looks was never away. Whatever is put down twice is
known by its number (`life.written`, in the same transaction) and written once.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ledger.errors import DatabaseLocked, LedgerError
from ledger.journal import canonical
from ledger.presence import Displaced, Held
from ledger.query import run
from ledger.recording import Life, Observed, Recorder, written_of
from ledger.resume import ended_unseen
from ledger.spool import Batch, Spool
from ledger.spool_records import Frame
from ledger.store import Ledger

log = logging.getLogger("nines.ledger")

LARGEST_BATCH = 5_000
TRY_AGAIN_S = 1.0
COMPLAIN_EVERY_S = 60.0
KEPT_S = 3.0
OnCommit = Callable[[tuple[str, ...]], object]


class Keeper:
    """`record` writes or raises; `keep` never raises for a ledger that is away. Used by one thread.

    `lost` counts observations that no database would take. `older` says that the ledger came back as an older copy.
    """

    def __init__(self, ledger: Ledger, *, spool: Spool | None, on_commit: OnCommit | None) -> None:
        self.lost = 0
        self.older = False
        self.spool = spool
        self._ledger = ledger
        self._on_commit = on_commit
        self._held = Held(ledger)
        self._recorder = Recorder(ledger)
        self._kept: deque[tuple[float, Batch]] = deque()
        self._reason: LedgerError | None = None
        self._tried_s = self._complained_s = float("-inf")
        self._told_ms: int | None = None
        self._committed: dict[str, int] = {}  # how many observations of each life were on record when last seen
        self.away = spool is not None and not spool.empty  # what an earlier life left is written first
        self._draining = self.away

    @property
    def busy(self) -> bool:
        """Whether there is something to write out and no reason to wait."""
        return self._draining

    def record(self, batch: Batch) -> None:
        """Write it, on disk when this returns. Raises LedgerError, and then it counts as not written."""
        life = batch.life and replace(batch.life, written=batch.last)
        events: tuple[str, ...] = ()
        with self._transaction() as connection:
            events = self._recorder.write(connection, batch.observed, life)
        if life is not None:
            self._committed[life.boot] = batch.last
        self._say(events)

    def keep(self, batch: Batch) -> None:
        """On record or in the spool when this returns. An empty batch only looks whether the ledger is back."""
        assert self.spool is not None
        if not self.away and (batch.observed or batch.life):
            try:
                self.record_or_singly(batch)
            except LedgerError as error:
                self._go_away(error, batch)
                return
            else:
                self._remember(batch)
                return
        if self.away:
            if batch.observed or _stamped(batch.life):
                self.spool.append(batch)
            self._return()

    def record_or_singly(self, batch: Batch) -> None:
        """Where one of them is at fault, and it is our own fault: keep the others, and say which."""
        try:
            self.record(batch)
        except LedgerError:
            raise
        except Exception:
            if len(batch.observed) <= 1:
                self._lose(batch.observed[0] if batch.observed else batch.life)
                return
            alone = batch.life and Life(batch.life.boot, batch.life.location)
            for number, observed in enumerate(batch.observed, batch.first):
                self.record_or_singly(Batch(number, [observed], alone))
            self.record_or_singly(Batch(batch.last + 1, [], batch.life))

    def close(self) -> None:
        self._held.release()

    def _lose(self, what: object) -> None:
        self.lost += 1
        log.exception("an observation cannot be recorded: %s", what)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Rolled back when the block raises; not done either when the file is gone after the commit."""
        try:
            connection = self._held.connection()
            with connection.begin():
                yield connection
            self._held.check()
        except BaseException as error:
            self._recorder.forget()
            if isinstance(error, LedgerError | OperationalError) and not isinstance(error, DatabaseLocked):
                self._held.release()
            if isinstance(error, OperationalError):  # no fault of one observation: the ledger itself is not as it was
                where = str(self._ledger.path)
                raise LedgerError(where, f"{where}: the ledger refuses to be written: {error.orig}") from error
            raise

    def _remember(self, batch: Batch) -> None:
        now_s = time.monotonic()
        self._kept.append((now_s, batch))
        while self._kept[0][0] < now_s - KEPT_S:
            self._kept.popleft()

    def _go_away(self, error: LedgerError, batch: Batch) -> None:
        """From now on into the spool, first of all what may have gone with the file."""
        assert self.spool is not None
        self.away, self._draining = True, False
        self._tried_s = time.monotonic()
        if isinstance(error, Displaced):
            for _, kept in self._kept:
                self.spool.append(kept)
        self._kept.clear()
        self.spool.append(batch)
        self._complain(error)

    def _complain(self, error: LedgerError) -> None:
        """At once when it is a new reason, else once a minute."""
        assert self.spool is not None
        now_s = time.monotonic()
        same = type(error) is type(self._reason) and now_s - self._complained_s < COMPLAIN_EVERY_S
        self._reason = error
        if not same:
            self._complained_s = now_s
            log.error("%d observations wait to be written in %s: %s", self.spool.records, self.spool.folder, error)

    def _return(self) -> None:
        """Write out one portion of what waits, when it is time to try."""
        if not self._draining and time.monotonic() - self._tried_s < TRY_AGAIN_S:
            return
        self._tried_s = time.monotonic()
        try:
            self._draining = self._drain()
        except LedgerError as error:
            self._draining = False
            self._complain(error)

    def _drain(self) -> bool:
        """Whether more waits."""
        assert self.spool is not None
        frames = self.spool.peek(LARGEST_BATCH)
        if not frames:
            return self._home()
        try:
            self._write_out(frames)
        except LedgerError:
            raise
        except Exception:
            self._write_out_singly(frames)
        self.spool.advance()
        return not self.spool.empty or self._home()

    def _home(self) -> bool:
        self.away = False
        if self._reason is not None:
            log.warning("%s: the ledger is there again, all that waited is written", self._ledger.path)
        self._reason = self._told_ms = None
        return False

    def _write_out(self, frames: Sequence[Frame]) -> None:
        events: list[str] = []
        with self._transaction() as connection:
            told_ms = self._tell_away(connection, frames)
            for boot, those in groupby(frames, lambda frame: frame.boot):
                events += self._write_life(connection, boot, list(those))
        self._told_ms = told_ms
        for frame in frames:
            self._committed[frame.boot] = max(self._committed.get(frame.boot, 0), frame.last)
        self._say(tuple(events))

    def _write_life(self, connection: Connection, boot: str, frames: Sequence[Frame]) -> tuple[str, ...]:
        written = written_of(connection, boot)
        if self._is_older(boot, frames, written):
            log.error("%s: it came back older than it was: what is missing in it is unknown time", self._ledger.path)
            self._recorder.write(connection, _ends(self._ledger, frames), None)
            self.older = True
        rows = sorted((row for frame in frames for row in frame.rows if row[0] > written), key=lambda row: row[0])
        life = _life(boot, frames, written)
        return self._recorder.write(connection, [observed for _, observed in rows], life)

    def _is_older(self, boot: str, frames: Sequence[Frame], written: int) -> bool:
        """Whether observations of that life that were on record once, and do not wait either, are missing.

        Of a life before this one only the numbers tell, and they have gaps where a full spool dropped checks.
        """
        assert self.spool is not None
        first = min(frame.first for frame in frames) - 1
        known = self._committed.get(boot, 0 if self.spool.dropped else first)
        return written < min(known, first)

    def _tell_away(self, connection: Connection, frames: Sequence[Frame]) -> int | None:
        """One event for each time that it was away: when observations began to wait, and why. Returns when."""
        assert self.spool is not None
        from_ms = _first_ms(frames)
        if self._reason is None or self._told_ms is not None or from_ms is None:
            return self._told_ms
        body = {"from_ms": from_ms, "reason": type(self._reason).__name__, "waited": self.spool.records}
        body |= {"dropped_checks": self.spool.dropped}
        insert = """INSERT INTO event (id, kind, at_ms, outage, body) VALUES (:id, 'ledger.away', :at_ms, NULL, :body)
ON CONFLICT (id) DO NOTHING"""
        run(connection, insert, id=f"{frames[0].boot}.{from_ms}.away", at_ms=from_ms, body=canonical(body))
        return from_ms

    def _write_out_singly(self, frames: Sequence[Frame]) -> None:
        for frame in _alone(frames):
            try:
                self._write_out([frame])
            except LedgerError:
                raise
            except Exception:
                self._lose(frame)

    def _say(self, events: tuple[str, ...]) -> None:
        if not events or self._on_commit is None:
            return
        try:
            self._on_commit(events)
        except Exception:
            log.exception("what follows a commit failed for events %s", ", ".join(events))


def _ends(ledger: Ledger, frames: Sequence[Frame]) -> list[Observed]:
    """What was open in the copy ends where the copy ends."""
    at_ms = _first_ms(frames)
    return [] if at_ms is None else ended_unseen(ledger, frames[0].location, at_ms=at_ms)


def _stamped(life: Life | None) -> bool:
    return life is not None and (life.stamp_ms is not None or life.stopped_ms is not None)


def _life(boot: str, frames: Sequence[Frame], written: int) -> Life:
    """What the frames of one life say of it: the newest of each."""
    life = Life(boot, frames[0].location, written=max(written, *(frame.last for frame in frames)))
    for frame in frames:
        life.stamp_ms = frame.stamp_ms if frame.stamp_ms is not None else life.stamp_ms
        life.stopped_ms = frame.stopped_ms if frame.stopped_ms is not None else life.stopped_ms
    return life


def _alone(frames: Sequence[Frame]) -> Iterator[Frame]:
    """Each observation in a frame of its own, in order, then the stamps."""
    rows = sorted(((frame.turn, row[0], frame, row) for frame in frames for row in frame.rows), key=lambda one: one[:2])
    for _, number, frame, row in rows:
        yield replace(frame, rows=(row,), last=number, stamp_ms=None, stopped_ms=None)
    yield from (replace(frame, rows=()) for frame in frames)


def _first_ms(frames: Sequence[Frame]) -> int | None:
    """The first instant that the frames name."""
    named = [observed.at_ms for frame in frames for _, observed in frame.rows if observed.check is not None]
    return min([*named, *(frame.stamp_ms for frame in frames if frame.stamp_ms is not None)], default=None)
