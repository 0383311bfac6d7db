"""The kinds of checks: which URL means which, what such a URL must hold, and which keys are for which kind."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from config import units

Kind = Literal["http", "tcp", "certificate", "dns", "icmp", "exec", "heartbeat"]
KINDS: dict[str, Kind] = {
    "http": "http",
    "https": "http",
    "tcp": "tcp",
    "tls": "certificate",
    "dns": "dns",
    "icmp": "icmp",
    "exec": "exec",  # written by nines from `command`, never by hand
    "heartbeat": "heartbeat",  # likewise, of an endpoint with a `heartbeat`
}
PORTS = {"http": 80, "https": 443, "tls": 443, "dns": 53, "icmp": 0, "exec": 0, "heartbeat": 0}
_EXAMPLE = (
    "write e.g. https://example.org/health, tcp://db.example.org:5432, tls://example.org:443, "
    "dns://9.9.9.9/example.org or icmp://example.org"
)
_OURS = ("exec", "heartbeat")  # schemes that stand for other keys
_HTTP: tuple[Kind, ...] = ("http",)
_NETWORK: tuple[Kind, ...] = ("http", "tcp", "certificate", "icmp")
FOR_KINDS: dict[str, tuple[Kind, ...]] = {  # field of an endpoint -> the kinds that read it; not listed: all
    **dict.fromkeys(("method", "headers", "username", "password", "bearer", "body", "status"), _HTTP),
    **dict.fromkeys(("contains", "not_contains", "matches", "not_matches", "json_values", "answer_headers"), _HTTP),
    **dict.fromkeys(("follow_redirects", "max_body_bytes"), _HTTP),
    **dict.fromkeys(("ca_file", "verify_tls", "client_certificate"), ("http", "certificate")),
    **dict.fromkeys(("ip_version", "resolver"), _NETWORK),
    **dict.fromkeys(("send", "send_hex", "expect"), ("tcp",)),
    **dict.fromkeys(("expires_in_days", "min_tls"), ("certificate",)),
    **dict.fromkeys(("record", "answers", "rcode"), ("dns",)),
    "max_latency_ms": (*_NETWORK, "dns"),
    "command": ("exec",),
    **dict.fromkeys(("heartbeat", "grace_ms", "max_runtime_ms", "allow_get"), ("heartbeat",)),
    **dict.fromkeys(("timeout_ms", "retry_every_ms"), (*_NETWORK, "dns", "exec")),
}


def url_text(value: object) -> str:
    """A URL of a kind that is known, with a host that can exist and no credentials in it."""
    text = units.text_of(value)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no URL ({error}); {_EXAMPLE}") from None
    if parts.scheme not in KINDS or not (parts.netloc or parts.scheme in ("dns", *_OURS)):
        raise ValueError(f"{text!r} is no URL that can be checked; {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password; write a header Authorization: ${NINES_SECRET_NAME}")
    if parts.scheme in _OURS:
        return text
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(f"{text!r} holds a space or a control character; write %20 for a space")
    _check_place(text, parts, port)
    return text


def _check_place(text: str, parts: SplitResult, port: int | None) -> None:
    """Host, port and path, as the kind wants them."""
    if parts.scheme == "dns":
        _check_question(text, parts)
    if parts.netloc:
        _check_host(parts.hostname or "")
    if port == 0 or (parts.scheme == "tcp" and port is None):
        raise ValueError(f"{text!r} names no port; write e.g. tcp://{parts.hostname}:5432")
    if parts.scheme == "icmp" and (port is not None or parts.path.strip("/")):
        raise ValueError(f"{text!r} holds more than a host; write e.g. icmp://{parts.hostname}")


def _check_question(text: str, parts: SplitResult) -> None:
    """`dns://SERVER/NAME`: a name to ask for, and a server by address, so that asking needs no look-up of its own."""
    name = asked_name(parts)
    labels = name.removesuffix(".").split(".")
    if not all(re.fullmatch(r"[A-Za-z0-9_*-]{1,63}", label) for label in labels) or len(name) > 254:
        raise ValueError(f"{text!r} names nothing to ask for; write e.g. dns://9.9.9.9/example.org")
    if parts.netloc and not is_address(parts.hostname or ""):
        raise ValueError(f"{text!r} names a server that is no address; write e.g. dns://9.9.9.9/{name}")


def asked_name(parts: SplitResult) -> str:
    """The name in a dns URL, in its ASCII form."""
    name = unquote(parts.path).removeprefix("/")
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def host_name(text: str) -> str:
    """A host by name or address. Raises ValueError for one that cannot exist."""
    _check_host(text)
    return text


def _check_host(host: str) -> None:
    if is_address(host):
        return
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    labels = ascii_host.removesuffix(".").split(".")
    good = all(re.fullmatch(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", label) for label in labels)
    if not good or len(ascii_host) > 253 or ":" in host:
        raise ValueError(f"{host!r} is no host name; {_EXAMPLE}")


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def server_address(value: object) -> str:
    """A name server: `9.9.9.9`, `127.0.0.1:5353`, `[2620:fe::fe]:53`."""
    text = units.text_of(value)
    try:
        parts = urlsplit(f"dns://{text}")
        good = is_address(parts.hostname or "") and parts.port != 0 and not parts.path and parts.username is None
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{text!r} is no name server; write an address, e.g. 9.9.9.9 or 127.0.0.1:5353")
    return text
