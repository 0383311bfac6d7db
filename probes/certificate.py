"""One certificate attempt: the chain is trusted, the name fits, and the end is not near."""

from __future__ import annotations

from probes.attempt import UP, Certificate, Fault, Outcome, Trace
from probes.fresh import Road, Tools
from probes.handshake import shake_hands
from probes.target import Target
from probes.trust import read_certificate

DAY_MS = 86_400_000


async def check_certificate(target: Target, tools: Tools, trace: Trace, *, at_ms: int) -> Outcome:
    """Shake hands as a client would; degraded within `expires_in_days` of the end. Revocation is not checked."""
    road = Road(tools, trace, target.rule, target.ca_file, target.verified)
    try:
        trace.certificate = await _shown(road, target)
    except Fault as fault:
        if fault.outcome.error in ("tls_expired", "tls_not_yet_valid", "tls_hostname"):
            trace.certificate = await _shown_to_anyone(road, target)
        raise
    trace.finished = True
    return _judge(trace.certificate, target, at_ms)


async def _shown(road: Road, target: Target) -> Certificate | None:
    with await road.open_socket(target.host, target.port) as connection, road.trace.timing("tls"):
        shaken = await shake_hands(connection, road.context(), target.host)
    return read_certificate(shaken.certificate)


async def _shown_to_anyone(road: Road, target: Target) -> Certificate | None:
    """The certificate that was refused, by a second handshake without verification, so that its dates can be told."""
    unverified = Road(road.tools, Trace(), road.rule, None, verified=False)
    try:
        return await _shown(unverified, target)
    except Fault:
        return None


def _judge(certificate: Certificate | None, target: Target, at_ms: int) -> Outcome:
    if certificate is None:
        return Outcome("down", "tls_handshake", "the server showed no certificate that can be read")
    left_ms = certificate.not_after_ms - at_ms
    if left_ms <= 0:
        return Outcome("down", "tls_expired", "the certificate has expired")
    if left_ms < target.expires_in_days * DAY_MS:
        return Outcome("degraded", "tls_expires_soon", f"the certificate ends in {left_ms // DAY_MS} days")
    return UP
