"""What one attempt needs to know of its endpoint: all resolved and typed, nothing left to decide at probe time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

from yarl import URL

from config.endpoint import Endpoint
from config.secret import Secret, SecretError
from probes.connect import ANY_ADDRESS, AddressRule
from sla.judge import Method

Kind = Literal["http", "tcp", "certificate"]


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint, ready to be probed. Header values may be secret: they are sent, never logged."""

    id: str
    kind: Kind
    url: URL
    judged: Method
    location: str = "local"
    request_method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    status: frozenset[int] = frozenset(range(200, 300))
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    max_latency_ms: int | None = None
    follow_redirects: int = 5
    max_body_bytes: int = 4_000_000
    ca_file: str | None = None
    verified: bool = True
    expires_in_days: int = 14
    rule: AddressRule = ANY_ADDRESS
    broken: str | None = None  # why it cannot be probed at all (a secret that is not there)

    @property
    def host(self) -> str:
        return (self.url.raw_host or "").rstrip(".")

    @property
    def port(self) -> int:
        default = 443 if self.kind == "certificate" else 0
        return self.url.explicit_port or self.url.port or default

    @property
    def timeout_ms(self) -> int:
        return self.judged.timeout_ms


def target_of(endpoint: Endpoint, reveal: Callable[[Secret], str]) -> Target:
    """The endpoint as it is probed. A secret that cannot be read leaves a target that is `unknown`, and says why."""
    broken, headers = None, {}
    try:
        headers = {name: reveal(value) for name, value in endpoint.headers.items()}
    except SecretError as error:
        broken = str(error)
    return Target(
        id=endpoint.id,
        kind=endpoint.kind,
        url=URL(endpoint.url),
        judged=endpoint.judge_method(),
        location=endpoint.location,
        request_method=endpoint.method,
        headers=tuple(headers.items()),
        body=None if endpoint.body is None else endpoint.body.encode(),
        status=endpoint.status,
        contains=endpoint.contains,
        not_contains=endpoint.not_contains,
        max_latency_ms=endpoint.max_latency_ms,
        follow_redirects=endpoint.follow_redirects,
        max_body_bytes=endpoint.max_body_bytes,
        ca_file=endpoint.ca_file,
        verified=endpoint.verify_tls,
        expires_in_days=endpoint.expires_in_days,
        rule=AddressRule(public_only=endpoint.tenant, allowed=tuple(map(ip_network, endpoint.allow_private))),
        broken=broken,
    )
