"""One tls attempt: the handshake succeeds, the chain is trusted, the name fits, and the end is not near."""

from __future__ import annotations

from dataclasses import replace

from probes.attempt import UP, Certificate, Fault, Outcome, Trace
from probes.fresh import Road, Tools, road_of
from probes.handshake import shake_hands
from probes.target import Target
from probes.trust import read_certificate

DAY_MS = 86_400_000


async def check_certificate(target: Target, tools: Tools, trace: Trace, *, at_ms: int) -> Outcome:
    """Shake hands as a client would; degraded within `expires_in_days` of the end. Revocation is not checked."""
    road = road_of(target, tools, trace)
    try:
        trace.certificate = await _shown(road, target)
    except Fault as fault:
        if fault.outcome.error in ("tls_expired", "tls_not_yet_valid", "tls_hostname"):
            trace.certificate = await _shown_to_anyone(road, target)
            raise _placed(fault, trace.certificate, at_ms) from fault
        raise
    slow = trace.judge_latency(target.max_latency_ms)
    bad = _judge(trace.certificate, target, at_ms)
    return slow if bad is UP else bad


async def _shown(road: Road, target: Target) -> Certificate | None:
    context = road.context()
    with await road.open_socket(target.host, target.port) as connection, road.trace.timing("tls"):
        shaken = await shake_hands(connection, context, target.host)
    road.trace.tls_version = shaken.version
    if target.min_tls == "1.3" and shaken.version != "TLSv1.3":
        raise Fault("tls_version", f"{shaken.version} is older than TLS {target.min_tls}")
    return read_certificate(shaken.certificate)


async def _shown_to_anyone(road: Road, target: Target) -> Certificate | None:
    """The certificate that was refused, by a second handshake without verification, so that its dates can be told."""
    unverified = Road(road.tools, Trace(), road.way, None, verified=False, client_pem=road.client_pem)
    try:
        return await _shown(unverified, replace(target, min_tls="1.2"))
    except Fault:
        return None


def _placed(fault: Fault, leaf: Certificate | None, at_ms: int) -> Fault:
    """The same fault, and at which depth of the chain an end has passed."""
    if fault.outcome.error != "tls_expired" or leaf is None or leaf.not_after_ms <= at_ms:
        return fault
    return Fault("tls_expired", "the server's own certificate is good, but one above it in the chain has expired")


def _judge(certificate: Certificate | None, target: Target, at_ms: int) -> Outcome:
    if certificate is None:
        return Outcome("down", "tls_handshake", "the server showed no certificate that can be read")
    left_ms = certificate.not_after_ms - at_ms
    if left_ms <= 0:
        return Outcome("down", "tls_expired", "the certificate has expired")
    if left_ms < target.expires_in_days * DAY_MS:
        return Outcome("degraded", "tls_expires_soon", f"the certificate ends in {left_ms // DAY_MS} days")
    if certificate.weakness is not None:
        return Outcome("degraded", "tls_weak", certificate.weakness)
    return UP
