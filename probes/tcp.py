"""One tcp attempt: the port accepts a connection and, where asked for, says the right thing in time."""

from __future__ import annotations

import asyncio
import socket

from probes.attempt import Fault, Outcome, Trace
from probes.faults import connect_fault
from probes.fresh import Tools, road_of
from probes.target import Target

MAX_ANSWER = 65_536


async def check_tcp(target: Target, tools: Tools, trace: Trace) -> Outcome:
    """Connect, send and hear what was agreed, close. Raises Fault."""
    with await road_of(target, tools, trace).open_socket(target.host, target.port) as connection:
        if target.send or target.expect:
            await _converse(connection, target, trace)
    return trace.judge_latency(target.max_latency_ms)


async def _converse(connection: socket.socket, target: Target, trace: Trace) -> None:
    """Send, then read until what is expected has come, in however many pieces."""
    trace.connected()
    try:
        await asyncio.get_running_loop().sock_sendall(connection, target.send)
        if target.expect:
            await _hear(connection, target.expect, trace)
    except OSError as error:
        raise connect_fault(error) from error
    finally:
        trace.end_hop()


async def _hear(connection: socket.socket, expected: bytes, trace: Trace) -> None:
    heard = b""
    while expected not in heard:
        part = await asyncio.get_running_loop().sock_recv(connection, MAX_ANSWER)
        if not part:
            raise Fault(
                "content_mismatch", f"{_shown(expected)} did not come; the server said {_shown(heard)} and closed"
            )
        trace.mark_bytes(len(part))
        trace.phase = "body"
        heard += part
        if len(heard) > MAX_ANSWER:
            raise Fault("content_mismatch", f"{_shown(expected)} is not in the first {MAX_ANSWER} bytes")


def _shown(data: bytes) -> str:
    """Bytes for people, the first of them."""
    return repr(data[:60].decode("utf-8", errors="backslashreplace")) if data else "nothing"
