"""What one attempt needs to know of its endpoint: all resolved and typed, nothing left to decide at probe time."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

import regex
from yarl import URL

from config.answers import json_path
from config.endpoint import Endpoint
from config.kinds import Kind
from config.secret import Secret, SecretError
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


def target_of(endpoint: Endpoint, reveal: Callable[[Secret], str]) -> Target:
    """The endpoint as it is probed. A secret that cannot be read leaves a target that is `unknown`, and says why."""
    broken: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    client_pem: str | None = None
    try:
        headers = _headers(endpoint, reveal)
        client_pem = reveal(endpoint.client_certificate) if endpoint.client_certificate else None
    except SecretError as error:
        broken = str(error)
    return Target(
        id=endpoint.id,
        kind=endpoint.kind,
        url=URL(endpoint.url) if endpoint.kind not in ("exec", "heartbeat") else URL(),
        judged=endpoint.judge_method(),
        location=endpoint.location,
        request_method=endpoint.method,
        headers=headers,
        body=None if endpoint.body is None else endpoint.body.encode(),
        wanted=_wanted(endpoint),
        max_latency_ms=endpoint.max_latency_ms,
        follow_redirects=endpoint.follow_redirects,
        max_body_bytes=endpoint.max_body_bytes,
        ca_file=endpoint.ca_file,
        verified=endpoint.verify_tls,
        client_pem=client_pem,
        expires_in_days=endpoint.expires_in_days,
        min_tls="1.3" if endpoint.min_tls == "1.3" else "1.2",
        ip_version=int(endpoint.ip_version) if endpoint.ip_version else None,
        resolver=server_of(endpoint.resolver) if endpoint.resolver else None,
        send=bytes.fromhex(endpoint.send_hex) if endpoint.send_hex else (endpoint.send or "").encode(),
        expect=(endpoint.expect or "").encode(),
        question=_question(endpoint) if endpoint.kind == "dns" else None,
        command=endpoint.command,
        rhythm=_rhythm(endpoint) if endpoint.kind == "heartbeat" else None,
        door=Door(endpoint.heartbeat, endpoint.allow_get) if endpoint.heartbeat else None,
        contact=endpoint.contact,
        rule=AddressRule(public_only=endpoint.tenant, allowed=tuple(map(ip_network, endpoint.allow_private))),
        broken=broken,
    )


def _headers(endpoint: Endpoint, reveal: Callable[[Secret], str]) -> tuple[tuple[str, str], ...]:
    """As sent, the login included. Raises SecretError, also for a secret that cannot stand in a header."""
    headers = {name: reveal(value) for name, value in endpoint.headers.items()}
    if endpoint.bearer is not None:
        headers["Authorization"] = f"Bearer {reveal(endpoint.bearer)}"
    if endpoint.username is not None and endpoint.password is not None:
        login = f"{reveal(endpoint.username)}:{reveal(endpoint.password)}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    for name, value in headers.items():
        if any(character in value for character in "\r\n\0"):
            raise SecretError(f"what stands for header {name} holds a line break; a header is one line")
    return tuple(headers.items())


def _wanted(endpoint: Endpoint) -> Wanted:
    return Wanted(
        status=endpoint.status,
        contains=endpoint.contains,
        not_contains=endpoint.not_contains,
        matches=tuple(map(regex.compile, endpoint.matches)),
        not_matches=tuple(map(regex.compile, endpoint.not_matches)),
        json=tuple((path, json_path(path), value) for path, value in endpoint.json_values.items()),
        headers=tuple(endpoint.answer_headers.items()),
    )


def _question(endpoint: Endpoint) -> Question:
    return Question(endpoint.asked_name, endpoint.record, endpoint.answers, endpoint.rcode)


def _rhythm(endpoint: Endpoint) -> Rhythm:
    return Rhythm(endpoint.interval_ms, endpoint.patience_ms, endpoint.max_runtime_ms)


def server_of(text: str) -> tuple[str, int]:
    """`127.0.0.1:5353`, `[::1]:53` or `9.9.9.9` as host and port."""
    parts = urlsplit(f"dns://{text}")
    return str(ip_address(parts.hostname or "")), parts.port or DNS_PORT
