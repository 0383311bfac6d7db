"""The servers of the crash test in a process of their own, which keeps its own log of what it answered.

`python torture_server.py SEED EACH_S EVERY_2_S EVERY_5_S LASTING_S LOG` prints its port and its start, and ends when
its standard input does. A line of the log is `endpoint received_ms answer answered_ms`, written before anything else
happens; answer 0 is a connection closed without one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from torture_plan import DROPPED, GOOD, Load, Watched, watched

REPLIES = {
    GOOD: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    503: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
}


@dataclass(frozen=True, slots=True)
class Served:
    """One request as the server saw it."""

    endpoint: str
    received_ms: int
    answer: int
    answered_ms: int

    @property
    def good(self) -> bool:
        return self.answer == GOOD


class Servers:
    """The process, as the harness holds it."""

    def __init__(self, seed: int, load: Load, *, lasting_s: int, log: Path) -> None:
        self.log = log
        sizes = (load.each_s, load.every_2_s, load.every_5_s)
        words = [str(word) for word in (seed, *sizes, lasting_s, log)]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def close(self) -> None:
        self._process.communicate()


def served(log: Path) -> dict[str, list[Served]]:
    """The log by endpoint, in the order of the requests."""
    found: dict[str, list[Served]] = {}
    for line in log.read_text().splitlines():
        endpoint, *numbers = line.split()
        received_ms, answer, answered_ms = map(int, numbers)
        found.setdefault(endpoint, []).append(Served(endpoint, received_ms, answer, answered_ms))
    for requests in found.values():
        requests.sort(key=lambda one: one.received_ms)
    return found


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class _Server:
    def __init__(self, endpoints: dict[str, Watched], log: int) -> None:
        self._endpoints, self._log = endpoints, log
        self._start_ms = now_ms()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await self._reply(head.split(b" ", 2)[1][1:].decode(), writer)
        writer.close()

    async def _reply(self, endpoint: str, writer: asyncio.StreamWriter) -> None:
        received_ms = now_ms()
        answer = self._endpoints[endpoint].answer(received_ms - self._start_ms)
        if answer == DROPPED:
            writer.transport.abort()
        else:
            writer.write(REPLIES[answer])
        os.write(self._log, f"{endpoint} {received_ms} {answer} {now_ms()}\n".encode())
        await writer.drain()


async def _serve(endpoints: dict[str, Watched], log: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    server = await asyncio.start_server(_Server(endpoints, log).talk, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()
    server.close()


def main() -> None:
    seed, each_s, every_2_s, every_5_s, lasting_s = map(int, sys.argv[1:6])
    log = os.open(sys.argv[6], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    load = Load(each_s, every_2_s, every_5_s)
    asyncio.run(_serve(watched(seed, load, lasting_s=lasting_s), log))


if __name__ == "__main__":
    main()
