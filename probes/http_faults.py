"""What aiohttp could not make sense of, as a class of the fault catalogue."""

from __future__ import annotations

import re
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from probes.attempt import Fault, Trace
from probes.faults import tls_fault

_QUOTED = re.compile(r"[:'\"\n]")  # behind it stands what the server sent, which may be anybody's: it is not kept


Raised = aiohttp.ClientError | HttpProcessingError | ConnectionError


def http_fault(error: Raised, trace: Trace) -> Fault:
    """The class of a request that raised. The connection's own end (`trace.lost`) tells more than aiohttp does."""
    if isinstance(trace.lost, ssl.SSLError):
        return tls_fault(trace.lost)
    causes = _chain(error)
    for cause in causes:
        if isinstance(cause, Fault):
            return cause
        if isinstance(cause, ssl.SSLError):
            return tls_fault(cause)
        if isinstance(cause, LineTooLong):
            return Fault("http_too_large", "a header is too long")
    if isinstance(trace.lost, ConnectionError) or any(isinstance(cause, ConnectionError) for cause in causes):
        return Fault("http_reset", "the server reset the connection")
    return _ended_early(error, trace) or _malformed(error)


def _ended_early(error: Raised, trace: Trace) -> Fault | None:
    if isinstance(error, aiohttp.ClientPayloadError):
        return Fault("http_truncated", "the connection ended before the body did")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        if trace.bytes:
            return Fault("http_truncated", "the server closed the connection within the headers")
        return Fault("http_empty", "the server closed the connection without an answer")
    return None


def _malformed(error: Raised) -> Fault:
    message = error.message if isinstance(error, HttpProcessingError) else str(error)
    if "Too many headers" in message:
        return Fault("http_too_large", "too many headers")
    said = _QUOTED.split(message, maxsplit=1)[0].strip() or type(error).__name__
    return Fault("http_protocol", f"the answer is malformed: {said[:120]}")


def _chain(error: BaseException | None) -> list[BaseException]:
    """The exception and what led to it, innermost last."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
