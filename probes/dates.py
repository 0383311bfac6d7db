"""What servers say the time is: whether our own wall clock is constantly wrong. Nothing measured changes by it.

A `Date` is cut to whole seconds: it was true at some instant of [d, d + 1 s), and that lay between our request and now.
What lies outside is our offset from that server, or its own from the world; so one voice per network, and the median.
"""

from __future__ import annotations

import functools
import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from probes.attempt import Trace
from probes.vantage import network_of

NETWORKS = 20  # no more are listened to
LEAST = 3  # fewer say nothing of us: two that differ leave open who is right
LOOK_EVERY_S = 60.0  # at one network
KEPT_S = 600.0  # an older voice says nothing of now
WRONG_MS = 2_000  # some servers renew their Date once a second, so that a right one may be a second behind
SHORTEST, LONGEST = len("Sun Nov  6 08:49:37 1994"), len("Wednesday, 06-Nov-94 08:49:37 GMT")
LASTS_S = 300.0  # a shorter disagreement is no news: a time service may be at work


@dataclass(slots=True)
class Dates:
    """`hear` every final answer, `look` now and then. `wall`: epoch ms; `steady_s`: monotonic seconds."""

    wall: Callable[[], int]
    steady_s: Callable[[], float] = time.monotonic
    wrong: bool = False  # as it was last told
    _voices: dict[str, tuple[float, int]] = field(default_factory=dict)  # network: (when, offset in ms); oldest first
    _since_s: float | None = None  # how long the voices have been against `wrong`

    def hear(self, trace: Trace, headers: Mapping[str, str]) -> None:
        """Of most answers nothing is read: their network spoke within the minute."""
        network, now_s = _network(trace.address or ""), self.steady_s()
        if network is None:
            return
        if (voice := self._voices.get(network)) is not None:
            if now_s - voice[0] < LOOK_EVERY_S:
                return
        elif len(self._voices) >= NETWORKS and now_s - next(iter(self._voices.values()))[0] < KEPT_S:
            return
        if (offset_ms := self._offset_ms(trace, headers)) is not None:
            self._voices.pop(network, None)
            self._voices[network] = now_s, offset_ms
            self._drop_old(now_s)

    def look(self) -> bool:
        """Whether it has now been long enough that the clock is wrong, or right again: see `wrong`."""
        now_s, offset_ms = self.steady_s(), self.offset_ms()
        if offset_ms is None or (abs(offset_ms) >= WRONG_MS) is self.wrong:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s < LASTS_S:
            return False
        self.wrong, self._since_s = not self.wrong, None
        return True

    def offset_ms(self) -> int | None:
        """By how much our clock is ahead of theirs: the median, of two the one nearer to nothing. None for too few."""
        self._drop_old(self.steady_s())
        if len(self._voices) < LEAST:
            return None
        ordered = sorted(offset_ms for _, offset_ms in self._voices.values())
        return min(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2], key=abs)

    def forget(self) -> None:
        """Our clock was set: what was said against it before says nothing now."""
        self._voices.clear()
        self._since_s = None

    def _drop_old(self, now_s: float) -> None:
        for network in [network for network, (at_s, _) in self._voices.items() if now_s - at_s >= KEPT_S]:
            del self._voices[network]

    def _offset_ms(self, trace: Trace, headers: Mapping[str, str]) -> int | None:
        """None where the answer tells no time: without a Date, or out of a cache, where it tells an old one."""
        said_ms = None if "Age" in headers else _instant_ms(headers.get("Date", ""))
        if said_ms is None or trace.connected_ns is None:
            return None
        now_ms = self.wall()
        asked_ms = now_ms - (time.perf_counter_ns() - trace.connected_ns) // 1_000_000
        return max(asked_ms - said_ms - 1_000, 0) + min(now_ms - said_ms, 0)


@functools.lru_cache(maxsize=4_096)
def _network(address: str) -> str | None:
    """None for ourselves and for what is no address."""
    try:
        ours = ipaddress.ip_address(address).is_loopback
    except ValueError:
        return None
    return None if ours else network_of(address)


def _instant_ms(text: str) -> int | None:
    """The instant of an HTTP date in any of its three shapes, all of which mean UTC; None for anything else."""
    if not SHORTEST <= len(text) <= LONGEST:
        return None
    try:
        said = parsedate_to_datetime(text)
        return int(said.replace(tzinfo=said.tzinfo or UTC).timestamp()) * 1000
    except (ValueError, OverflowError):
        return None
