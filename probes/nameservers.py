"""Whether our own name servers answer at all: asked for the root's servers, which every working one knows.

A look-up that failed says as much about the server asked as about the name. No answer, or SERVFAIL for the root
itself, means that our resolver is dead and the failure ours.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")
TIMEOUT_S = 2.0
_SERVFAIL = 2
PORT = 53


def configured(resolv_conf: Path = RESOLV_CONF) -> tuple[tuple[str, int], ...]:
    """The name servers of this machine; what is missing or cannot be read names none."""
    try:
        lines = resolv_conf.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    return tuple((parts[1], PORT) for parts in words if len(parts) > 1 and parts[0] == "nameserver")


async def any_answers(servers: Sequence[tuple[str, int]]) -> bool:
    """Whether one of them answers in time, and not with SERVFAIL. True where none is known: then nobody can say."""
    if not servers:
        return True
    asked = [asyncio.create_task(_answers(server)) for server in servers]
    try:
        for answer in asyncio.as_completed(asked):
            if await answer:
                return True
        return False
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _answers(server: tuple[str, int]) -> bool:
    loop = asyncio.get_running_loop()
    id = secrets.token_bytes(2)
    query = id + bytes.fromhex("0100 0001 0000 0000 0000 00 0002 0001")  # one question: the name servers of "."
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            connection.setblocking(False)
            async with asyncio.timeout(TIMEOUT_S):
                await loop.sock_connect(connection, server)
                await loop.sock_sendall(connection, query)
                while True:
                    answer = await loop.sock_recv(connection, 4_096)
                    if answer[:2] == id and len(answer) >= 12:
                        return answer[3] & 15 != _SERVFAIL
    except (OSError, TimeoutError):  # also where no descriptor is free to ask with
        return False
