"""Where observations wait while their ledger cannot be written: three files of fixed size beside it.

`transitions` holds what no ledger may miss and is never dropped; `checks-0` and `checks-1` are used in turn, and when
both are full the older one's checks are dropped, counted. All are given their blocks when the spool is opened, so that
a disk that fills up later does not reach them (on a file system that copies on write it may). What a file does not
take waits in memory and is tried again with the next batch. Everything here belongs to one thread.

Exactly once: each observation of a life has its number; whoever writes them out notes in the same transaction how far
it came (`life.written`), and only then is the spool emptied. What is found twice is known by its number.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.presence import identity_of
from ledger.recording import Life, Observed
from ledger.spool_records import GENERATION_BYTES, HEAD_BYTES, Frame, framed, frames_in, head, read_head

log = logging.getLogger("nines.ledger")

SIZE_BYTES = 32 * 2**20
SMALLEST_BYTES = 2**20  # a half then still holds the largest batch
_TRANSITIONS_SHARE = 4  # a quarter for transitions, the rest for checks in two halves


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations of one life in the order in which they were put; the first has the number `first`."""

    first: int
    observed: Sequence[Observed]
    life: Life | None

    @property
    def last(self) -> int:
        return self.first + len(self.observed) - 1


def _opened(path: Path) -> int:
    """To read and write; only to read; or a file without a place, where there is none for it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        log.error("%s cannot be written: what waits for the ledger waits in memory: %s", path, error)
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return os.memfd_create(path.name)


class Stream:
    """One file of frames. `end` is where the next one goes, `cursor` where reading goes on.

    Where the file cannot be opened its place is taken by one that is in memory only.
    """

    def __init__(self, path: Path, size: int, ledger_id: str) -> None:
        self.path, self.size, self._ledger_id = path, size, ledger_id
        self.end = self.cursor = HEAD_BYTES
        self.unread = 0  # observations between cursor and end
        self.newest: Frame | None = None
        self._generation = b""
        self._file = _opened(path)
        found = read_head(os.pread(self._file, HEAD_BYTES, 0))
        self.owner = found[0] if found else None
        if found is not None and found[0] == ledger_id:
            self._generation = found[1]
            self._find_end()

    def prepare(self) -> None:
        """Give it its blocks, and a head where it has none; without them it is tried again at each `append`."""
        try:
            if os.fstat(self._file).st_size < self.size:
                os.posix_fallocate(self._file, 0, self.size)
            if not self._generation:
                self.renew()
        except OSError as error:
            log.error("%s is not given its %d bytes: %s", self.path, self.size, error)

    @property
    def displaced(self) -> bool:
        """Whether its path leads elsewhere, or nowhere."""
        open_one = os.fstat(self._file)
        return identity_of(self.path) != (open_one.st_dev, open_one.st_ino)

    def _find_end(self) -> None:
        for frame, after in self._read(HEAD_BYTES):
            self.end, self.newest = after, frame
            self.unread += len(frame.rows)

    def _read(self, offset: int) -> Iterator[tuple[Frame, int]]:
        data = os.pread(self._file, os.fstat(self._file).st_size - offset, offset)
        for frame, after in frames_in(data, self._generation, offset=0):
            yield frame, offset + after

    def waiting(self) -> Iterator[tuple[Frame, int]]:
        """(frame, where the next one begins) from the cursor on."""
        return self._read(self.cursor) if self.cursor < self.end else iter(())

    def fits(self, frame: Frame) -> bool:
        return self.end + len(framed(frame, self._generation)) <= self.size

    def append(self, frame: Frame) -> None:
        """Raises OSError, and then the frame is not there."""
        if not self._generation:
            self.renew()
        data = framed(frame, self._generation)
        if os.pwrite(self._file, data, self.end) != len(data):
            raise OSError(f"{self.path}: written in part")
        os.fdatasync(self._file)
        self.end += len(data)
        self.unread += len(frame.rows)
        self.newest = frame

    def read_to(self, offset: int, rows: int) -> None:
        self.cursor = offset
        self.unread -= rows

    def renew(self) -> None:
        """Empty it: a new generation makes everything in it worthless, and no block is given back."""
        generation = secrets.token_bytes(GENERATION_BYTES)
        os.pwrite(self._file, head(self._ledger_id, generation), 0)
        os.fdatasync(self._file)
        self._generation = generation
        self.end = self.cursor = HEAD_BYTES
        self.unread, self.newest = 0, None

    def close(self) -> None:
        os.close(self._file)


class Spool:
    """`append` while the ledger is away; `peek`, write and `advance` when it is back; `close` at the end."""

    def __init__(self, folder: Path, ledger_id: str, *, size: int = SIZE_BYTES) -> None:
        self.folder = folder
        self.dropped = 0  # checks
        self._streams: list[Stream] = []
        self._memory: deque[tuple[Frame, bool]] = deque()  # (what no file took, whether it may be dropped)
        self._peeked: list[tuple[Stream, int, int]] = []
        self._peeked_memory = 0
        self._takes = True
        self._size = max(size, SMALLEST_BYTES)
        self._ledger_id = ledger_id
        self._open()
        newest = [stream.newest for stream in self._streams if stream.newest is not None]
        self.turn = 1 + max((frame.turn for frame in newest), default=0)

    def _open(self) -> None:
        self._make_streams()
        others = {stream.owner for stream in self._streams} - {self._ledger_id, None}
        if others:
            self._put_aside(others.pop() or "")
            self._make_streams()
        for stream in self._streams:
            stream.prepare()

    def _make_streams(self) -> None:
        with contextlib.suppress(OSError):  # opening a file in it says what is wrong
            self.folder.mkdir(mode=0o700, exist_ok=True)
        transitions = self._size // _TRANSITIONS_SHARE
        half = (self._size - transitions) // 2
        named = (("transitions", transitions), ("checks-0", half), ("checks-1", half))
        self._streams = [Stream(self.folder / name, size, self._ledger_id) for name, size in named]

    def _put_aside(self, owner: str) -> None:
        """What waits for another ledger is kept for it, and nothing of it goes into this one."""
        aside = self.folder.with_name(f"{self.folder.name}.{owner[:8]}-{secrets.token_hex(2)}")
        self.close()
        self.folder.rename(aside)
        log.warning("%s held what waits for another ledger (%s): it is kept as %s", self.folder, owner, aside)

    @property
    def records(self) -> int:
        """Observations that wait."""
        return sum(stream.unread for stream in self._streams) + sum(len(frame.rows) for frame, _ in self._memory)

    @property
    def bytes(self) -> int:
        """Of the files, as far as they hold something that waits."""
        return sum(stream.end - stream.cursor for stream in self._streams)

    @property
    def empty(self) -> bool:
        return not self._memory and all(stream.cursor >= stream.end for stream in self._streams)

    def append(self, batch: Batch) -> None:
        """Put a batch behind the others, on disk when this returns, but for what no file takes."""
        if batch.life is None:
            raise ValueError("a batch without a life has no numbers and cannot wait in a spool")
        told, plain = _parted(batch)
        base = Frame(self.turn, batch.life.boot, batch.life.location, batch.first, batch.last)
        if told:
            self._memory.append((replace(base, rows=told), False))
        stamp_ms, stopped_ms = batch.life.stamp_ms, batch.life.stopped_ms
        if plain or stamp_ms is not None or stopped_ms is not None:
            stamped = replace(base, rows=plain, stamp_ms=stamp_ms, stopped_ms=stopped_ms)
            self._memory.append((stamped, True))
        self._put_down()

    def _put_down(self) -> None:
        """Bring what is in memory to the files, in order; what they do not take stays."""
        stays: deque[tuple[Frame, bool]] = deque()
        while self._memory:
            frame, is_plain = self._memory.popleft()
            behind = any(kind == is_plain for _, kind in stays)
            if behind or not self._write(frame, is_plain=is_plain):
                stays.append((frame, is_plain))
        self._memory = stays
        self._bound_memory()

    def _write(self, frame: Frame, *, is_plain: bool) -> bool:
        """Transitions go beyond the blocks that they were given, as long as the disk has more."""
        try:
            (self._half_for(frame) if is_plain else self._streams[0]).append(frame)
        except OSError as error:
            if self._takes:
                log.error("%s takes no more, what waits stays in memory: %s", self.folder, error)
            self._takes = False
            return False
        self._takes = True
        return True

    def _half_for(self, frame: Frame) -> Stream:
        older, newer = self._halves()
        if newer.fits(frame):
            return newer
        if older.unread:
            self.dropped += older.unread
            log.error("the spool is full: %d of the oldest checks are dropped, %d so far", older.unread, self.dropped)
        older.renew()
        return older

    def _halves(self) -> tuple[Stream, Stream]:
        """(older, newer): the newer one is written to."""
        first, second = self._streams[1:]
        return (first, second) if _age(first) < _age(second) else (second, first)

    def _bound_memory(self) -> None:
        """Checks in memory are as many as a half might hold; transitions all stay."""
        most = self._size // 100
        held = sum(len(frame.rows) for frame, is_plain in self._memory if is_plain)
        while held > most:
            oldest = next(entry for entry in self._memory if entry[1])
            self._memory.remove(oldest)
            held -= len(oldest[0].rows)
            self.dropped += len(oldest[0].rows)
            log.error("the spool takes no more: %d checks are dropped so far", self.dropped)

    def peek(self, limit: int) -> list[Frame]:
        """The oldest whole batches, about `limit` observations; several frames of one batch follow each other."""
        sources = [(stream, iter(stream.waiting())) for stream in self._streams]
        heads = [(stream, frames, found) for stream, frames in sources if (found := next(frames, None)) is not None]
        memory, self._peeked, self._peeked_memory = deque(frame for frame, _ in self._memory), [], 0
        taken: list[Frame] = []
        while heads or memory:
            key = min([found[0].key for _, _, found in heads] + [frame.key for frame in list(memory)[:1]])
            if sum(len(frame.rows) for frame in taken) >= limit and taken[-1].key != key:
                break
            if memory and memory[0].key == key:
                taken.append(memory.popleft())
                self._peeked_memory += 1
                continue
            place = next(number for number, one in enumerate(heads) if one[2][0].key == key)
            stream, frames, (frame, after) = heads[place]
            taken.append(frame)
            self._peeked.append((stream, after, len(frame.rows)))
            following = next(frames, None)
            heads[place : place + 1] = [] if following is None else [(stream, frames, following)]
        return taken

    def advance(self) -> None:
        """What `peek` gave last is on record. The files are emptied once nothing waits."""
        for stream, after, rows in self._peeked:
            stream.read_to(after, rows)
        for _ in range(self._peeked_memory):
            self._memory.popleft()
        self._peeked, self._peeked_memory = [], 0
        if self.empty:
            self._start_again()

    def _start_again(self) -> None:
        """Everything is on record: empty the files, or make them where they were deleted or moved."""
        if any(stream.displaced for stream in self._streams):
            self.close()
            self._open()
        for stream in self._streams:
            if stream.end > HEAD_BYTES:
                stream.renew()

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


def _age(stream: Stream) -> tuple[int, int]:
    return stream.newest.key if stream.newest is not None else (0, 0)


def _parted(batch: Batch) -> tuple[tuple[tuple[int, Observed], ...], tuple[tuple[int, Observed], ...]]:
    """(those with transitions, the plain checks), each with its number."""
    numbered = list(enumerate(batch.observed, batch.first))
    told = tuple(one for one in numbered if one[1].transitions)
    return told, tuple(one for one in numbered if not one[1].transitions)
