"""An endpoint of the config as the target that is probed: secrets revealed, text typed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network
from typing import TypeVar
from urllib.parse import urlsplit

import regex
from yarl import URL

from config.answers import json_path
from config.endpoint import Endpoint
from config.secret import Secret, SecretError
from probes.connect import AddressRule
from probes.heartbeat import Door, Rhythm
from probes.target import DNS_PORT, Question, Target, Wanted

Part = TypeVar("Part")


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
        judged=_one(endpoint.judge_method()),
        location=endpoint.location,
        request_method=endpoint.method,
        headers=headers,
        body=None if endpoint.body is None else endpoint.body.encode(),
        wanted=_one(_wanted(endpoint)),
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
        rule=_one(AddressRule(public_only=endpoint.tenant, allowed=tuple(map(ip_network, endpoint.allow_private)))),
        broken=broken,
    )


@cache
def _one(part: Part) -> Part:
    """One object for all that are equal: thousands of endpoints differ in little else than their address."""
    return part


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
