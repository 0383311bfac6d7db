"""One tcp attempt: the port accepts a connection, and takes longer than wished or not."""

from __future__ import annotations

from probes.attempt import UP, Outcome, Trace
from probes.fresh import Road, Tools
from probes.target import Target


async def check_tcp(target: Target, tools: Tools, trace: Trace) -> Outcome:
    """Connect and close. Raises Fault."""
    road = Road(tools, trace, target.rule)
    (await road.open_socket(target.host, target.port)).close()
    trace.finished = True
    if target.max_latency_ms is not None and trace.elapsed_ms > target.max_latency_ms:
        return Outcome("degraded", "slow", f"{trace.elapsed_ms} ms, more than {target.max_latency_ms} ms")
    return UP
