"""Heartbeats: jobs that tell of themselves. What words mean, and when silence means down. Pure: no clock, no socket.

A job says `start`, `success` or `fail`. Down from `expected + grace`, where `expected` is one interval after the last
success; at once on `fail`; and `max_runtime` after a `start` that no end followed. Each word is a check at its instant
(confirm is 1); a silence is a check at the instant at which it became too long, however late it is looked at, and one
more whenever the last one's reach is over. Silence counts only where somebody listened.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sla.judge import Check

Word: TypeAlias = Literal["start", "success", "fail"]
WORDS: tuple[Word, ...] = ("start", "success", "fail")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What was agreed with a job. `max_runtime_ms` None: a run may take as long as it likes."""

    interval_ms: int
    grace_ms: int
    max_runtime_ms: int | None = None

    @property
    def hold_ms(self) -> int:
        """How long one success vouches for the job."""
        return self.interval_ms + self.grace_ms


@dataclass(frozen=True, slots=True)
class Door:
    """How a job proves itself: the hash of its token, and whether a GET is heard."""

    hashed: str
    allow_get: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What a job has told so far. `since_ms` is when listening began: silence counts from there at the earliest."""

    since_ms: int
    success_ms: int | None = None
    started_ms: int | None = None  # of a run that has not ended
    told_ms: int | None = None  # what was due up to there was told already

    @property
    def wrong(self) -> bool:
        """Whether the last that was told is no success: a word may come at any time, not only when it is expected."""
        return self.success_ms is None or (self.told_ms is not None and self.told_ms > self.success_ms)


def hear(heard: Heard, word: Word, at_ms: int, rhythm: Rhythm) -> tuple[Heard, tuple[Check, ...]]:
    """The job said a word: what is known now, and the checks that follow, oldest first.

    A word that comes after a silence that nobody looked at tells the silence first. A start alone says nothing yet.
    """
    heard, silence = look(heard, at_ms, rhythm)
    if word == "start":
        return replace(heard, started_ms=at_ms), silence
    ended = replace(heard, started_ms=None, told_ms=at_ms)
    if word == "fail":
        return ended, (*silence, Check(at_ms, "down", "heartbeat_failed"))
    return replace(ended, success_ms=at_ms), (*silence, Check(at_ms, "up"))


def due_ms(heard: Heard, rhythm: Rhythm) -> int:
    """The instant at which silence becomes down, or at which it has to be told again so that it stays known."""
    first = max(heard.since_ms, heard.success_ms or heard.since_ms) + rhythm.hold_ms
    if (overrun_ms := _overrun_ms(heard, rhythm)) is not None:
        first = min(first, overrun_ms)
    return first if heard.told_ms is None or first > heard.told_ms else heard.told_ms + rhythm.hold_ms


def _overrun_ms(heard: Heard, rhythm: Rhythm) -> int | None:
    if heard.started_ms is None or rhythm.max_runtime_ms is None:
        return None
    return heard.started_ms + rhythm.max_runtime_ms


def look(heard: Heard, at_ms: int, rhythm: Rhythm) -> tuple[Heard, tuple[Check, ...]]:
    """Nothing more was heard until `at_ms`: the checks that say so, at the instants at which they were due."""
    checks = list[Check]()
    while (due := due_ms(heard, rhythm)) <= at_ms:
        overran = due == _overrun_ms(heard, rhythm)
        checks.append(Check(due, "down", "heartbeat_overrun" if overran else "heartbeat_late"))
        heard = replace(heard, told_ms=due)
    return heard, tuple(checks)


def deaf(heard: Heard, until_ms: int, rhythm: Rhythm) -> Heard:
    """Nobody listened for a while until then. Where an expected word may be lost, silence counts from there.

    A word is expected from one grace before the interval's end; while something is wrong, at any time. How a run went
    on that had begun is not known any more.
    """
    heard = replace(heard, started_ms=None)
    expected_ms = max(heard.since_ms, heard.success_ms or heard.since_ms) + rhythm.interval_ms
    if not heard.wrong and until_ms <= expected_ms - rhythm.grace_ms:
        return heard
    return replace(heard, since_ms=max(heard.since_ms, until_ms))


def moved(heard: Heard, by_ms: int) -> Heard:
    """The wall clock was set: the instants that were told move with it."""
    return Heard(
        heard.since_ms + by_ms,
        None if heard.success_ms is None else heard.success_ms + by_ms,
        None if heard.started_ms is None else heard.started_ms + by_ms,
        None if heard.told_ms is None else heard.told_ms + by_ms,
    )


def token_hash(token: str) -> str:
    """`sha256:...`, as a config holds a token."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def knows(token: str, hashed: str) -> bool:
    """Whether a token is the one that was hashed; takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(token_hash(token).encode(), hashed.encode())
