"""One attempt as a value, and what is gathered while it runs.

Every kind of check is one coroutine `(endpoint, tools, trace) -> Outcome` that raises `Fault` where the attempt
failed. Errors are the classes of the fault catalogue; a fault of the prober itself is `unknown`, never downtime.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sla.facts import Verdict

Phase: TypeAlias = Literal["dns", "tcp", "tls", "first_byte", "body", "query", "echo", "run"]
MAX_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate a peer showed. Times in epoch milliseconds."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before_ms: int
    not_after_ms: int
    sha256: str
    weakness: str | None = None  # what is too weak about it, where the platform accepts it all the same


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a plugin's performance data: `value` as text, `unit` empty for a plain number."""

    label: str
    value: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt found; `error` and `detail` are None for a plain up."""

    verdict: Verdict
    error: str | None = None
    detail: str | None = None


UP = Outcome("up")


class Fault(Exception):
    """The attempt failed: an error class, one sentence, and whose fault it is (`down`, or `unknown` for ours)."""

    def __init__(self, error: str, detail: str, verdict: Verdict = "down") -> None:
        super().__init__(f"{error}: {detail}")
        self.outcome = Outcome(verdict, error, detail)


def prober_fault(detail: str) -> Fault:
    """We could not look: unknown, and no downtime."""
    return Fault("prober_error", detail, "unknown")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, finished. `latency_ms` only where a reply was read to its end; `waited_us` is time at the gate."""

    endpoint: str
    at_ms: int
    verdict: Verdict
    error: str | None = None
    detail: str | None = None
    latency_ms: int | None = None
    phases_us: Mapping[str, int] = field(default_factory=dict)
    waited_us: int = 0
    status: int | None = None
    address: str | None = None
    certificate: Certificate | None = None
    notes: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()  # of a dns check
    tls_version: str | None = None
    measures: tuple[Measure, ...] = ()  # of a command


def one_line(text: str, *, most: int = MAX_DETAIL) -> str:
    """What a server said, fit for one record: one line, printable, no longer than `most`."""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).split())
    return words if len(words) <= most else words[: most - 1] + "…"


class _Timing:
    """A context manager of its own: one made from a generator costs ten times as much, several times a check."""

    __slots__ = ("_began_ns", "_phase", "_trace")

    def __init__(self, trace: Trace, phase: Phase) -> None:
        self._trace, self._phase = trace, phase

    def __enter__(self) -> None:
        self._trace.phase = self._phase
        self._began_ns = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._trace.add(self._phase, time.perf_counter_ns() - self._began_ns)


class Trace:
    """What one running attempt has seen so far. Phases of several hops (redirects) add up."""

    def __init__(self) -> None:
        self.began_ns = time.perf_counter_ns()
        self.phases_us: dict[str, int] = {}
        self.phase: Phase | None = None
        self.status: int | None = None
        self.address: str | None = None
        self.certificate: Certificate | None = None
        self.notes: list[str] = []
        self.answers: tuple[str, ...] = ()
        self.tls_version: str | None = None
        self.measures: tuple[Measure, ...] = ()
        self.connected_ns: int | None = None  # of the hop under way
        self.first_byte_ns: int | None = None  # of the hop under way
        self.last_byte_ns: int | None = None
        self.bytes = 0  # of the hop under way
        self.lost: BaseException | None = None  # why the hop's connection ended, where it did not end well
        self.excuse: Callable[[], str | None] = lambda: None  # why a timeout now would be ours, if it would
        self.finished = False  # the reply was read to its end: its latency counts

    def timing(self, phase: Phase) -> _Timing:
        """Time what runs inside; after an error the phase stays the one that failed."""
        return _Timing(self, phase)

    def add(self, phase: Phase, elapsed_ns: int) -> None:
        self.phases_us[phase] = self.phases_us.get(phase, 0) + elapsed_ns // 1000

    def begin_hop(self) -> None:
        """The next request of a chain of redirects."""
        self.connected_ns, self.first_byte_ns, self.bytes, self.lost = None, None, 0, None

    def connected(self) -> None:
        """The connection is there and the request goes out; from now on we wait for the first byte."""
        self.connected_ns, self.phase = time.perf_counter_ns(), "first_byte"

    def end_hop(self) -> None:
        """Book the time from the request to the first byte, and from there to now."""
        now_ns = time.perf_counter_ns()
        if self.connected_ns is not None:
            self.add("first_byte", (self.first_byte_ns or now_ns) - self.connected_ns)
        if self.first_byte_ns is not None:
            self.add("body", now_ns - self.first_byte_ns)

    def mark_bytes(self, count: int) -> None:
        self.last_byte_ns = time.perf_counter_ns()
        self.first_byte_ns = self.first_byte_ns or self.last_byte_ns
        self.bytes += count

    def judge_latency(self, most_ms: int | None) -> Outcome:
        """The attempt is through: up, or degraded where it took longer than wished."""
        self.finished = True
        took_ms = self.elapsed_ms
        if most_ms is not None and took_ms > most_ms:
            return Outcome("degraded", "slow", f"{took_ms} ms, more than {most_ms} ms")
        return UP

    def note(self, text: str) -> None:
        text = one_line(text)
        if text not in self.notes:
            self.notes.append(text)

    @property
    def elapsed_ms(self) -> int:
        return (time.perf_counter_ns() - self.began_ns) // 1_000_000

    @property
    def silent_ms(self) -> int:
        """Time since the last byte came, or since the attempt began."""
        return (time.perf_counter_ns() - (self.last_byte_ns or self.began_ns)) // 1_000_000
