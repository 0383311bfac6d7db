"""The bytes of one request of HTTP/1.1: what was asked for, and the least that a server wants to know beside it."""

from __future__ import annotations

import re

from multidict import CIMultiDict
from yarl import URL

from probes.faults import config_fault

BODILESS = ("GET", "HEAD", "OPTIONS", "TRACE")  # a request without a body says so, but of these nobody expects one
_BREAK = re.compile("[\r\n\0]")


def request_bytes(method: str, url: URL, headers: CIMultiDict[str], body: bytes | None) -> bytes:
    """Head and body. Raises Fault for a header that would end its line: what follows would be another request."""
    told = headers.copy()
    told.setdefault("Host", url.host_port_subcomponent or "")
    told.setdefault("Accept", "*/*")
    told.setdefault("Connection", "close")
    if body is not None:
        told.setdefault("Content-Type", "application/octet-stream")
    if body is not None or method not in BODILESS:
        told.setdefault("Content-Length", str(len(body or b"")))
    for name, value in told.items():
        if _BREAK.search(name) or _BREAK.search(value):
            raise config_fault(f"the header {name!r} holds a line break")
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join((*lines, "\r\n")).encode() + (body or b"")
