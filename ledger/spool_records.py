"""The bytes of a spool: frames of observations that are read back as they were put, or not at all.

A file begins with a head (magic, the ledger's id, a generation) and goes on with frames: length, CRC-32, payload. The
checksum begins with the generation, so that what an earlier use of the file left behind its end is no frame of this
one. The first frame that does not hold ends the file: a torn tail, a flipped byte. Payload: zlib over JSON, version 1.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ledger.errors import LedgerError
from ledger.recording import Observed
from ledger.sight import Moved, Notice, SeenAgain, Sight, Unseen
from sla.judge import Check, Closed, CoverageClosed, CoverageOpened, Opened, Transition

VERSION = 1
MAGIC = b"nines-sp"
GENERATION_BYTES = 8
_HEAD = struct.Struct(f"<8s{GENERATION_BYTES}s32sI")
_FRAME = struct.Struct("<II")
HEAD_BYTES = _HEAD.size
_TRANSITIONS: dict[str, type[Transition | Sight]] = {
    one.__name__: one for one in (Opened, Closed, CoverageOpened, CoverageClosed, Unseen, SeenAgain, Moved, Notice)
}


class NewerSpool(LedgerError):
    """{where}: this spool was written by a newer version of nines; start that version once, or move the spool away"""


@dataclass(frozen=True, slots=True)
class Frame:
    """Part of one batch. `turn` counts the lives that used this spool; `first` and `last` are the batch's numbers.

    `rows` are numbered observations, ascending; some of the batch's may be in a frame of the other stream.
    """

    turn: int
    boot: str
    location: str
    first: int
    last: int
    rows: tuple[tuple[int, Observed], ...] = ()
    stamp_ms: int | None = None
    stopped_ms: int | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Batches are written in this order."""
        return self.turn, self.first


def head(ledger_id: str, generation: bytes) -> bytes:
    body = _HEAD.pack(MAGIC, generation, ledger_id.encode(), 0)[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def read_head(data: bytes) -> tuple[str, bytes] | None:
    """(ledger id, generation); None where no head stands."""
    if len(data) < HEAD_BYTES:
        return None
    magic, generation, ledger_id, checksum = _HEAD.unpack_from(data)
    if magic != MAGIC or checksum != zlib.crc32(data[: HEAD_BYTES - 4]):
        return None
    return ledger_id.decode(), generation


def framed(frame: Frame, generation: bytes) -> bytes:
    payload = zlib.compress(_encoded(frame), 1)
    return _FRAME.pack(len(payload), _checksum(payload, generation)) + payload


def frames_in(data: bytes, generation: bytes, *, offset: int = HEAD_BYTES) -> Iterator[tuple[Frame, int]]:
    """(frame, where the next one begins), as far as they hold. Raises NewerSpool."""
    while (payload := _payload_at(data, offset, generation)) is not None:
        offset += _FRAME.size + len(payload)
        yield _decoded(zlib.decompress(payload)), offset


def _payload_at(data: bytes, offset: int, generation: bytes) -> bytes | None:
    if offset + _FRAME.size > len(data):
        return None
    length, checksum = _FRAME.unpack_from(data, offset)
    start = offset + _FRAME.size
    payload = data[start : start + length]
    if length == 0 or len(payload) < length or checksum != _checksum(payload, generation):
        return None
    return payload


def _checksum(payload: bytes, generation: bytes) -> int:
    """Of generation, length and payload: a frame of another generation, or cut at another length, does not hold."""
    return zlib.crc32(payload, zlib.crc32(len(payload).to_bytes(4, "little"), zlib.crc32(generation)))


def _encoded(frame: Frame) -> bytes:
    said = {
        "v": VERSION,
        "turn": frame.turn,
        "boot": frame.boot,
        "location": frame.location,
        "batch": [frame.first, frame.last],
        "life": [frame.stamp_ms, frame.stopped_ms],
        "rows": [_row(number, observed) for number, observed in frame.rows],
    }
    return json.dumps(said, separators=(",", ":")).encode()


def _decoded(text: bytes) -> Frame:
    said = json.loads(text)
    if said["v"] != VERSION:
        raise NewerSpool(f"boot {said.get('boot')}")
    rows = tuple(_observed(row) for row in said["rows"])
    (first, last), (stamp_ms, stopped_ms) = said["batch"], said["life"]
    return Frame(said["turn"], said["boot"], said["location"], first, last, rows, stamp_ms, stopped_ms)


def _row(number: int, observed: Observed) -> list[Any]:
    check = observed.check
    seen = None if check is None else [check.at_ms, check.verdict, check.error, check.latency_ms]
    row: list[Any] = [number, observed.endpoint, observed.location, seen, int(observed.retry)]
    if observed.phases_us or observed.detail or observed.transitions:
        told = [{"is": type(one).__name__, **asdict(one)} for one in observed.transitions]
        phases = None if observed.phases_us is None else dict(observed.phases_us)
        row += [phases, observed.detail, told]
    return row


def _observed(row: Sequence[Any]) -> tuple[int, Observed]:
    number, endpoint, location, seen, retry, *more = row
    phases, detail, told = more or (None, None, ())
    check = None if seen is None else Check(*seen)
    transitions = tuple(_transition(one) for one in told)
    return number, Observed(endpoint, location, check, bool(retry), phases, detail, transitions)


def _transition(said: Mapping[str, Any]) -> Transition | Sight:
    return _TRANSITIONS[said["is"]](**{name: value for name, value in said.items() if name != "is"})
