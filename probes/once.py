"""One attempt from its start to its value: the deadline, and a verdict whatever comes out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from probes.attempt import Attempt, Fault, Outcome, Trace, one_line
from probes.certificate import check_certificate
from probes.command import check_command
from probes.dns import check_dns
from probes.faults import overdue, unforeseen
from probes.fresh import Tools
from probes.http import check_http
from probes.icmp import check_icmp
from probes.target import Target
from probes.tcp import check_tcp

Clock = Callable[[], int]
CHECKS: dict[str, Callable[[Target, Tools, Trace], Awaitable[Outcome]]] = {
    "http": check_http,
    "tcp": check_tcp,
    "dns": check_dns,
    "icmp": check_icmp,
    "exec": check_command,
}


async def attempt(target: Target, tools: Tools, *, at_ms: int, waited_us: int = 0) -> Attempt:
    """Probe once. Never raises but for its own cancellation."""
    trace = Trace()
    outcome = await _outcome(target, tools, trace, at_ms)
    return Attempt(
        endpoint=target.id,
        at_ms=at_ms,
        verdict=outcome.verdict,
        error=outcome.error,
        detail=None if outcome.detail is None else one_line(outcome.detail),
        latency_ms=trace.elapsed_ms if trace.finished else None,
        phases_us=trace.phases_us,
        waited_us=waited_us,
        status=trace.status,
        address=trace.address,
        certificate=trace.certificate,
        notes=tuple(trace.notes),
        answers=trace.answers,
        tls_version=trace.tls_version,
        measures=trace.measures,
    )


async def _outcome(target: Target, tools: Tools, trace: Trace, at_ms: int) -> Outcome:
    if target.broken is not None:
        return Outcome("unknown", "config_error", target.broken)
    try:
        async with asyncio.timeout(target.timeout_ms / 1000):
            return await _kind(target, tools, trace, at_ms)
    except TimeoutError:
        return overdue(trace, target.timeout_ms)
    except Fault as fault:
        return fault.outcome
    except Exception as error:
        return unforeseen(error)


def _kind(target: Target, tools: Tools, trace: Trace, at_ms: int) -> Awaitable[Outcome]:
    if target.kind == "certificate":
        return check_certificate(target, tools, trace, at_ms=at_ms)
    return CHECKS[target.kind](target, tools, trace)
