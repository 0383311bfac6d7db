"""What one attempt needs to know of its endpoint: all resolved and typed, nothing left to decide at probe time.

The prober keeps thousands of these for months and knows no config: `probes.endpoint` makes them, elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import regex
from yarl import URL

from config.kinds import Kind
from probes.connect import ANY_ADDRESS, AddressRule
from probes.heartbeat import Door, Rhythm
from sla.judge import Method

DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the answer to an http request must say."""

    status: frozenset[int] = frozenset(range(200, 300))
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    matches: tuple[regex.Pattern[str], ...] = ()
    not_matches: tuple[regex.Pattern[str], ...] = ()
    json: tuple[tuple[str, tuple[str | int, ...], str], ...] = ()  # path as written, its steps, the value as text
    headers: tuple[tuple[str, str], ...] = ()  # name, text that it holds

    @property
    def reads_body(self) -> bool:
        return any((self.contains, self.not_contains, self.matches, self.not_matches, self.json))


@dataclass(frozen=True, slots=True)
class Question:
    """What a dns check asks, and the answer that is good."""

    name: str
    record: str = "A"
    answers: tuple[str, ...] = ()
    rcode: str = "NOERROR"


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint, ready to be probed. What may be secret is sent, never logged: it is left out of the repr."""

    id: str
    kind: Kind
    url: URL
    judged: Method
    location: str = "local"
    request_method: str = "GET"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    wanted: Wanted = Wanted()
    max_latency_ms: int | None = None
    follow_redirects: int = 5
    max_body_bytes: int = 4_000_000
    ca_file: str | None = None
    verified: bool = True
    client_pem: str | None = field(default=None, repr=False)
    expires_in_days: int = 14
    min_tls: Literal["1.2", "1.3"] = "1.2"
    ip_version: int | None = None
    resolver: tuple[str, int] | None = None  # a name server of its own
    send: bytes = b""
    expect: bytes = b""
    question: Question | None = None
    command: tuple[str, ...] = ()
    rhythm: Rhythm | None = None  # of a heartbeat
    door: Door | None = None  # likewise
    contact: str | None = None
    rule: AddressRule = ANY_ADDRESS
    broken: str | None = None  # why it cannot be probed at all (a secret that is not there)

    @property
    def heard_of(self) -> bool:
        """Whether it tells of itself; all else is asked."""
        return self.kind == "heartbeat"

    @property
    def host(self) -> str:
        return (self.url.raw_host or "").rstrip(".")

    @property
    def port(self) -> int:
        default = {"certificate": 443, "dns": DNS_PORT}.get(self.kind, 0)
        return self.url.explicit_port or self.url.port or default

    @property
    def timeout_ms(self) -> int:
        return self.judged.timeout_ms
