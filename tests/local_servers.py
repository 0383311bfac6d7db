"""Small real servers on loopback for the probe tests: raw replies, misbehaving sockets, TLS of every sort."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import trustme
from yarl import URL

from config.kinds import KINDS
from probes.attempt import Attempt, Fault
from probes.confine import Confined
from probes.fresh import Tools
from probes.once import attempt
from probes.resolver import Resolver
from probes.target import Target, Wanted
from probes.taxonomy import CLASSES
from probes.trust import Trust
from sla.judge import Method

WANTED = ("status", "contains", "not_contains", "matches", "not_matches", "json")
TRUST = Trust()  # holds contexts only, which take long to make
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback whose every connection is `talk`; gives its port. Ends with all its connections."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await asyncio.sleep(0.01)  # aborted transports close their sockets on the next turns of the loop


def saying(*parts: bytes, pause_s: float = 0.0, hold: bool = False, reset: bool = False) -> Talk:
    """Read a request, send the parts with a pause between them, then close, hold on, or reset."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if hold:
            await asyncio.sleep(30)
        if reset:
            await reset_now(writer)
        else:
            writer.close()
            await writer.wait_closed()

    return talk


async def reset_now(writer: asyncio.StreamWriter) -> None:
    """Close with a RST."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await asyncio.sleep(0.02)
    writer.transport.abort()


def ok(body: bytes = b"hello", *, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), headers, body)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port whose connection requests are dropped: the queue of a listener that accepts nobody is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


NOTHING_THERE = Path("/srv/none/such")


@contextmanager
def tools(**more: Any) -> Iterator[Tools]:
    shared = Tools(Resolver(), TRUST, **more)
    try:
        yield shared
    finally:
        shared.close()


@asynccontextmanager
async def ended_by(limit_s: float) -> AsyncIterator[None]:
    """Fails for what takes longer. Time in which the machine gave us no processor is not counted; our own work is."""
    late_s = 0.0

    async def tick() -> None:
        nonlocal late_s
        while True:
            asleep_s = time.monotonic()
            await asyncio.sleep(0.02)
            late_s += max(0.0, time.monotonic() - asleep_s - 0.03)

    ticking = asyncio.create_task(tick())
    began_s, worked_s = time.monotonic(), time.process_time()
    yield
    took_s, worked_s = time.monotonic() - began_s, time.process_time() - worked_s
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    assert took_s < limit_s + max(0.0, late_s - worked_s), "the attempt went on after its deadline"


async def probe(url: str, **settings: object) -> Attempt:
    """One attempt at `url`; `timeout_ms` is 2 s unless said otherwise."""
    timeout_ms = settings.pop("timeout_ms", 2_000)
    assert isinstance(timeout_ms, int)
    at_ms = settings.pop("at_ms", None) or int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    wanted = {name: settings.pop(name) for name in WANTED if name in settings}
    wanted |= {"headers": settings.pop("answer_headers")} if "answer_headers" in settings else {}
    parsed = URL(url)
    target = Target(
        "it",
        KINDS[parsed.scheme],
        parsed,
        Method(60_000, timeout_ms),
        wanted=Wanted(**wanted),  # type: ignore[arg-type]
        **settings,  # type: ignore[arg-type]
    )
    if parsed.scheme in ("https", "tls"):
        with contextlib.suppress(Fault):  # made once per setting, and no part of what an attempt takes
            TRUST.context(ca_file=target.ca_file, verified=target.verified, client_pem=target.client_pem)
    async with ended_by(timeout_ms / 1000 + 0.5):
        with tools() as shared:
            found = await attempt(target, shared, at_ms=at_ms)  # type: ignore[arg-type]
    assert found.error is None or found.error in CLASSES
    return found


async def run_command(*command: str, timeout_ms: int = 4_000, hidden: Path = NOTHING_THERE) -> Attempt:
    """One attempt by a command, confined as the daemon's are where the kernel can."""
    target = Target("it", "exec", URL(), Method(60_000, timeout_ms), command=command)
    async with ended_by(timeout_ms / 1000 + 0.5):
        with tools(commands=Confined([hidden])) as shared:
            found = await attempt(target, shared, at_ms=0)
    return found


def server_context(certificate: trustme.LeafCert, **settings: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


@contextmanager
def blocking_tls(context: ssl.SSLContext, *, answer: bytes | None = None, goodbye: bool = False) -> Iterator[int]:
    """A TLS server in a thread: unlike asyncio's it sends its alert before it closes, and its goodbye as it is told."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with raw, contextlib.suppress(OSError, ssl.SSLError):
                raw.settimeout(2)
                with context.wrap_socket(raw, server_side=True) as dressed:
                    dressed.recv(65_536)
                    dressed.sendall(answer or ok())
                    if goodbye:
                        dressed.unwrap()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
