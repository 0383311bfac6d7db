"""How a day of checks is rolled up into a few hundred bytes: counts by quarter of an hour, response times by hour.

Pure. Quarters, because every zone's midnight falls on one; response times in buckets, because a percentile of a month
needs no more: below 32 ms a bucket holds one value, above it sixteen buckets share each doubling, and the middle of a
bucket is at most 1/32 away from any value in it.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

DAY_MS = 86_400_000
QUARTER_MS, HOUR_MS = 900_000, 3_600_000
QUARTERS, HOURS = DAY_MS // QUARTER_MS, DAY_MS // HOUR_MS
_VERDICTS = 4
_EXACT = 32  # values below have a bucket of their own
_VERSION = 1


class UnknownSlots(ValueError):
    """these rolled-up checks were written by a newer version of nines"""


@dataclass(slots=True)
class Quarter:
    """`made`: checks by verdict (up, degraded, down, unknown). `ticks`: due times at which something was seen."""

    made: list[int] = field(default_factory=lambda: [0] * _VERDICTS)
    ticks: int = 0


def bucket(latency_ms: int) -> int:
    """The bucket of a response time; negative ones, of a clock that was set back, are in the first."""
    value = max(latency_ms, 0)
    if value < _EXACT:
        return value
    shift = value.bit_length() - 5
    return (shift << 4) + (value >> shift)


def middle_ms(bucket: int) -> int:
    """What a bucket's values are told as."""
    if bucket < _EXACT:
        return bucket
    shift = (bucket >> 4) - 1
    return ((bucket - (shift << 4)) << shift) + (1 << shift) // 2


def write_counts(quarters: Sequence[Quarter]) -> bytes:
    return _packed(number for quarter in quarters for number in (*quarter.made, quarter.ticks))


def read_counts(packed: bytes) -> list[Quarter]:
    """One for each quarter of the day, in order."""
    numbers = list(_unpacked(packed))
    width = _VERDICTS + 1
    return [Quarter(numbers[at : at + _VERDICTS], numbers[at + _VERDICTS]) for at in range(0, QUARTERS * width, width)]


def write_latency(hours: Sequence[Counter[int]]) -> bytes:
    """`hours`: how many checks fell into each bucket."""
    return _packed(number for hour in hours for number in _sparse(hour))


def _sparse(hour: Counter[int]) -> Iterator[int]:
    yield len(hour)
    before = 0
    for at in sorted(hour):
        yield at - before
        yield hour[at]
        before = at


def read_latency(packed: bytes) -> list[Counter[int]]:
    """One for each hour of the day, in order."""
    numbers = _unpacked(packed)
    return [_dense(numbers) for _ in range(HOURS)]


def _dense(numbers: Iterator[int]) -> Counter[int]:
    found: Counter[int] = Counter()
    at = 0
    for _ in range(next(numbers)):
        at += next(numbers)
        found[at] = next(numbers)
    return found


def _packed(numbers: Iterable[int]) -> bytes:
    """A version, then each number in groups of seven bits, the lowest first, compressed."""
    out = bytearray()
    for number in numbers:
        left = number
        while left > 127:
            out.append(left & 127 | 128)
            left >>= 7
        out.append(left)
    return bytes([_VERSION]) + zlib.compress(bytes(out), 6)


def _unpacked(packed: bytes) -> Iterator[int]:
    if packed[:1] != bytes([_VERSION]):
        raise UnknownSlots(UnknownSlots.__doc__)
    number = shift = 0
    for byte in zlib.decompress(packed[1:]):
        number |= (byte & 127) << shift
        if byte < 128:
            yield number
            number = shift = 0
        else:
            shift += 7
