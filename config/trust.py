"""What a file may ask for, by where it stands: the main file, its fragments, a tenant's fragments."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from config.files import Fragment, Merged
from config.problems import KeyPath, Problem, path_text

MAIN_ONLY = ("include", "secrets_dir", "allow_private", "exec_allowed", "journal")
TENANT_SECTIONS = ("version", "endpoints", "services")
_TENANT_SECRETS = ("headers", "username", "password", "bearer", "client_certificate")
_SECRET_FIELDS = (
    ("endpoints", "*", "headers", "*"),
    ("endpoints", "*", "username"),
    ("endpoints", "*", "password"),
    ("endpoints", "*", "bearer"),
    ("endpoints", "*", "client_certificate"),
    ("alerts", "*", "mail", "username"),
    ("alerts", "*", "mail", "password"),
    ("alerts", "*", "webhook", "url"),
    ("alerts", "*", "webhook", "secret"),
)


def refused(merged: Merged) -> list[Problem]:
    """Everything that stands in a file which may not say it."""
    problems: list[Problem] = []
    networks = _networks(merged.value)
    for fragment in merged.fragments:
        if isinstance(fragment.source.value, dict):
            problems += _open_main_file(fragment) if fragment.main else _main_only(fragment)
            problems += _misplaced_secrets(fragment)
            problems += _tenant(fragment, networks) if fragment.tenant else []
    return problems


def _keys(fragment: Fragment) -> dict[str, Any]:
    value = fragment.source.value
    return value if isinstance(value, dict) else {}


def _at(fragment: Fragment, path: KeyPath, message: str) -> Problem:
    line = next(
        (fragment.source.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in fragment.source.lines), 1
    )
    return Problem(fragment.source.file, line, path_text(path), message)


def _open_main_file(fragment: Fragment) -> list[Problem]:
    """Who can write the main file can use its powers, so a file that uses them must be its owner's alone to write."""
    if not fragment.mode & (stat.S_IWGRP | stat.S_IWOTH):
        return []
    used = [key for key in MAIN_ONLY if key in _keys(fragment)]
    message = f"others may write this file, so it cannot grant this; run chmod go-w {fragment.source.file}"
    return [_at(fragment, (key,), message) for key in used]


def _main_only(fragment: Fragment) -> list[Problem]:
    return [
        _at(fragment, (key,), "stands in the main file only; move it there")
        for key in MAIN_ONLY
        if key in _keys(fragment)
    ]


def _misplaced_secrets(fragment: Fragment) -> list[Problem]:
    message = (
        "a secret is read in secret fields only: headers, username, password, bearer, client_certificate, "
        "secret and a webhook's url"
    )
    return [
        _at(fragment, path, message)
        for path, text in _scalars(_keys(fragment), ())
        if "${NINES_SECRET_" in text and not _is_secret_field(path)
    ]


def _is_secret_field(path: KeyPath) -> bool:
    return any(
        len(path) == len(field) and all(want in ("*", part) for want, part in zip(field, path, strict=True))
        for field in _SECRET_FIELDS
    )


def _scalars(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from _scalars(part, (*path, key))


def _tenant(fragment: Fragment, networks: list[Any]) -> list[Problem]:
    keys = _keys(fragment)
    foreign = [key for key in keys if key not in TENANT_SECTIONS and key not in MAIN_ONLY]
    problems = [_at(fragment, (key,), "a tenant's file holds endpoints and services only; move it") for key in foreign]
    endpoints = keys.get("endpoints")
    for name, endpoint in endpoints.items() if isinstance(endpoints, dict) else ():
        if isinstance(endpoint, dict):
            problems += _tenant_endpoint(fragment, name, endpoint, networks)
    return problems


def _tenant_endpoint(fragment: Fragment, name: str, endpoint: dict[str, Any], networks: list[Any]) -> list[Problem]:
    at: KeyPath = ("endpoints", name)
    problems = []
    if "ca_file" in endpoint:
        problems.append(_at(fragment, (*at, "ca_file"), "a tenant's file reads no other file; leave it out"))
    if "command" in endpoint:
        problems.append(_at(fragment, (*at, "command"), "a tenant's file runs no program; leave it out"))
    for key in _TENANT_SECRETS:
        for path, text in _scalars(endpoint.get(key), (*at, key)):
            if text.startswith("file:") or "${" in text:
                left = "the header" if key == "headers" else "it"
                problems.append(_at(fragment, path, f"a tenant's file reads no secrets; leave {left} out"))
    if _is_private(f"dns://{endpoint.get('resolver')}", networks):
        problems.append(_at(fragment, (*at, "resolver"), "a tenant's file names no private address; name a public one"))
    if _is_private(endpoint.get("url"), networks):
        problems.append(
            _at(
                fragment,
                (*at, "url"),
                "a tenant's file names no private address; name a public host, or ask for allow_private",
            )
        )
    return problems


def _is_private(url: Any, networks: list[Any]) -> bool:
    """Whether the URL names a private address outright; what names resolve to is judged when connecting."""
    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            host = "127.0.0.1"
        address = ip_address(host)
    except (ValueError, AttributeError, TypeError):
        return False
    return not address.is_global and not any(address in network for network in networks)


def _networks(value: dict[str, Any] | None) -> list[Any]:
    """The networks that tenants may reach; a malformed one is reported with the other top-level keys."""
    written = (value or {}).get("allow_private")
    if written == "true":
        return [ip_network("0.0.0.0/0"), ip_network("::/0")]
    found = []
    for item in written if isinstance(written, list) else [written]:
        try:
            found.append(ip_network(str(item)))
        except ValueError:
            continue
    return found
