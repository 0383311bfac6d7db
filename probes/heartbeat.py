"""Heartbeats: jobs that tell of themselves. What words mean, and when silence means down. Pure: no clock, no socket.

A job says `start`, `success` or `fail`. Down from `expected + grace`, where `expected` is one interval after the last
success; at once on `fail`; and `max_runtime` after a `start` that no end followed. Each word is a check at its instant
(confirm is 1); a silence is a check at the instant at which it became too long, however late it is looked at.
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
class Heard:
    """What a job has told so far. `since_ms` is when listening began: before the first success it counts from there."""

    since_ms: int
    success_ms: int | None = None
    started_ms: int | None = None  # of a run that has not ended
    told_ms: int | None = None  # what was due up to there was told already


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


def due_ms(heard: Heard, rhythm: Rhythm) -> int | None:
    """The instant at which silence becomes down; None where it was told already."""
    late_ms = (heard.since_ms if heard.success_ms is None else heard.success_ms) + rhythm.hold_ms
    overrun_ms = late_ms
    if heard.started_ms is not None and rhythm.max_runtime_ms is not None:
        overrun_ms = heard.started_ms + rhythm.max_runtime_ms
    first = min(late_ms, overrun_ms)
    return first if heard.told_ms is None or first > heard.told_ms else None


def look(heard: Heard, at_ms: int, rhythm: Rhythm) -> tuple[Heard, tuple[Check, ...]]:
    """Nothing was heard until `at_ms`: the check that says so, once, at the instant at which it became too long."""
    due = due_ms(heard, rhythm)
    if due is None or at_ms < due:
        return heard, ()
    overran = heard.started_ms is not None and rhythm.max_runtime_ms is not None
    overran = overran and due == (heard.started_ms or 0) + (rhythm.max_runtime_ms or 0)
    check = Check(due, "down", "heartbeat_overrun" if overran else "heartbeat_late")
    return replace(heard, told_ms=due), (check,)


def token_hash(token: str) -> str:
    """`sha256:...`, as a config holds a token."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def knows(token: str, hashed: str) -> bool:
    """Whether a token is the one that was hashed; takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(token_hash(token).encode(), hashed.encode())
