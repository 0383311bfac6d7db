"""What an exception means: the error classes of the fault catalogue, and whether the fault is the target's or ours."""

from __future__ import annotations

import errno
import re
import socket
import ssl

from probes.attempt import Attempt, Fault, Outcome, Trace, prober_fault

OURS = {  # the prober is out of something, or not allowed to look
    errno.EMFILE: ("prober_descriptors", "no file descriptor is free"),
    errno.ENFILE: ("prober_descriptors", "the system has no file descriptor free"),
    errno.EADDRNOTAVAIL: ("prober_ports", "no local port is free"),
    errno.ENOBUFS: ("prober_error", "the system has no buffer free"),
    errno.ENOMEM: ("prober_error", "out of memory"),
    errno.EPERM: ("prober_error", "a local rule forbids the connection"),
    errno.EACCES: ("prober_error", "a local rule forbids the connection"),
    errno.EAFNOSUPPORT: ("prober_error", "this machine does not speak the address family"),
}
NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)  # what the kernel says that knows no way there
NO_ROUTE_WORDS = re.compile("this machine has no IPv[46] route")
TROUBLES = {"prober_error": "trouble", "prober_descriptors": "descriptors", "prober_ports": "ports"}
CONNECT = {
    errno.ECONNREFUSED: ("connect_refused", "connection refused"),
    errno.ETIMEDOUT: ("connect_timeout", "no answer to the connection request"),
    errno.EHOSTUNREACH: ("connect_unreachable", "host unreachable"),
    errno.ENETUNREACH: ("connect_unreachable", "network unreachable"),
    errno.EHOSTDOWN: ("connect_unreachable", "host down"),
    errno.ECONNRESET: ("connect_reset", "connection reset"),
    errno.EPIPE: ("connect_reset", "connection closed"),
    errno.ECONNABORTED: ("connect_reset", "connection aborted"),
}
VERIFY = {  # OpenSSL's verify codes
    9: ("tls_not_yet_valid", "the certificate is not valid yet"),
    10: ("tls_expired", "the certificate has expired"),
    18: ("tls_self_signed", "the certificate is signed by itself"),
    19: ("tls_untrusted_root", "the chain ends in a root that is not trusted"),
    20: ("tls_incomplete_chain", "the chain does not lead to a trusted root: an intermediate certificate is missing"),
    21: ("tls_incomplete_chain", "the chain does not lead to a trusted root: an intermediate certificate is missing"),
    23: ("tls_revoked", "the certificate is revoked"),
    26: ("tls_purpose", "the certificate is not meant for a server"),
    62: ("tls_hostname", "the certificate is for another name"),
    64: ("tls_hostname", "the certificate is not for this IP address"),
    66: ("tls_weak", "the certificate's key is too weak"),
    67: ("tls_weak", "a key in the chain is too weak"),
    68: ("tls_weak", "a signature in the chain is too weak"),
}
REASONS = (  # (part of OpenSSL's reason, class, sentence); the first that fits
    ("CERTIFICATE_REQUIRED", "tls_client_cert", "the server asks for a client certificate"),
    ("ALERT_BAD_CERTIFICATE", "tls_client_cert", "the server did not accept our certificate"),
    ("TOO_SMALL", "tls_weak", "the server's key is too weak"),
    ("TOO_WEAK", "tls_weak", "a signature is too weak"),
    ("PROTOCOL_VERSION", "tls_version", "no TLS version in common"),
    ("UNSUPPORTED_PROTOCOL", "tls_version", "no TLS version in common"),
    ("VERSION_TOO_LOW", "tls_version", "no TLS version in common"),
    ("WRONG_VERSION_NUMBER", "tls_not_tls", "the answer is not TLS"),
    ("HTTP_REQUEST", "tls_not_tls", "the answer is not TLS"),
    ("UNKNOWN_PROTOCOL", "tls_not_tls", "the answer is not TLS"),
    ("PACKET_LENGTH_TOO_LONG", "tls_not_tls", "the answer is not TLS"),
    ("RECORD_LAYER_FAILURE", "tls_not_tls", "the answer is not TLS"),
)


def tls_fault(error: ssl.SSLError) -> Fault:
    """The class of a failed handshake, by verify code or by OpenSSL's reason."""
    if isinstance(error, ssl.SSLCertVerificationError):
        found = VERIFY.get(error.verify_code)
        return Fault(*found) if found else Fault("tls_handshake", error.verify_message)
    reason = error.reason or ""
    for part, name, sentence in REASONS:
        if part in reason:
            return Fault(name, sentence)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Fault("tls_handshake", "the server closed the connection during the handshake")
    return Fault("tls_handshake", f"handshake failed: {reason.lower().replace('_', ' ') or error}")


def connect_fault(error: OSError, address: tuple[object, ...] | None = None) -> Fault:
    """The class of a connection that was not made. Without a route of our own it is our fault."""
    if error.errno in NO_ROUTE and address is not None and not _has_route(address):
        family = "IPv6" if ":" in str(address[0]) else "IPv4"
        return Fault("connect_unreachable", f"this machine has no {family} route to {address[0]}", "unknown")
    ours = fault_of_ours(error)
    if ours is not None:
        return ours
    name, sentence = CONNECT.get(error.errno or 0, ("connect_reset", error.strerror or str(error)))
    return Fault(name, sentence)


def fault_of_ours(error: OSError) -> Fault | None:
    """What the system refused us; None where that is not what the error says."""
    found = OURS.get(error.errno or 0)
    return None if found is None else Fault(*found, "unknown")


def trouble_of(found: Attempt) -> tuple[str, str] | None:
    """(kind of notice, sentence) for operations, where an attempt failed for want of something of ours."""
    if found.verdict != "unknown" or found.error is None:
        return None
    detail = found.detail or "the prober could not look"
    if found.error in TROUBLES:
        return TROUBLES[found.error], detail
    if found.error in ("connect_unreachable", "dns_servfail") and (said := NO_ROUTE_WORDS.search(detail)):
        return "no_route", said[0]  # the same for every address, so that it is told once
    return None


def config_fault(detail: str) -> Fault:
    """The endpoint cannot be checked as it is configured: unknown, and no downtime."""
    return Fault("config_error", detail, "unknown")


def _has_route(address: tuple[object, ...]) -> bool:
    """Whether the kernel would send a datagram there; connecting a UDP socket asks it without sending one."""
    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
    except OSError as error:
        return error.errno not in NO_ROUTE
    return True


def unforeseen(error: Exception) -> Outcome:
    """Anything else that came out of an attempt: what the system refused us, or a mistake of ours. Never downtime."""
    if isinstance(error, OSError) and (ours := fault_of_ours(error)) is not None:
        return ours.outcome
    return prober_fault(f"{type(error).__name__}: {error}"[:300]).outcome


def overdue(trace: Trace, timeout_ms: int) -> Outcome:
    """What running out of time means, by the phase that was under way."""
    excuse = trace.excuse()
    if excuse is not None:
        return prober_fault(excuse).outcome
    limit = f"{timeout_ms / 1000:g} s"
    if trace.phase == "dns":
        return Outcome("down", "dns_timeout", f"the name was not resolved within {limit}")
    if trace.phase == "query":
        return Outcome("down", "dns_timeout", f"the name server gave no answer within {limit}")
    if trace.phase == "tcp":
        return Outcome("down", "connect_timeout", f"no connection within {limit}")
    if trace.phase == "first_byte" and trace.silent_ms >= timeout_ms // 2:
        return Outcome("down", "timeout_first_byte", f"connected, but no answer within {limit}")
    return Outcome("down", "timeout_total", f"not finished within {limit} (phase {trace.phase})")
