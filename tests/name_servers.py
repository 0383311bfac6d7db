"""A real name server on loopback, UDP and TCP on one port, that answers as a test says, rightly or wrongly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeAlias

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Reply: TypeAlias = dns.message.Message | bytes | None
Answering: TypeAlias = Callable[[dns.message.Message], Reply | Iterable[Reply]]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.asked += 1
        for reply in wires(self._answering(dns.message.from_wire(data))):
            self._transport.sendto(reply, address)  # type: ignore[attr-defined]


def wires(said: Reply | Iterable[Reply]) -> list[bytes]:
    replies = [said] if said is None or isinstance(said, bytes | dns.message.Message) else list(said)
    return [one if isinstance(one, bytes) else one.to_wire(max_size=65_535) for one in replies if one is not None]


@asynccontextmanager
async def name_server(answering: Answering, *, tcp: Answering | None = None) -> AsyncIterator[tuple[str, int]]:
    """Gives (address, port). Without `tcp` nobody listens there."""
    talking: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert tcp is not None
        talking.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            for wire in wires(tcp(dns.message.from_wire(await reader.readexactly(size)))):
                writer.write(len(wire).to_bytes(2, "big") + wire)
                await writer.drain()
        writer.close()

    transport, server = await _bound(answering, converse if tcp else None)
    port = transport.get_extra_info("sockname")[1]
    try:
        yield "127.0.0.1", port
    finally:
        transport.close()
        if server is not None:
            server.close()
        await asyncio.gather(*talking, return_exceptions=True)
        await asyncio.sleep(0.01)


async def _bound(
    answering: Answering, converse: Callable[..., Awaitable[None]] | None
) -> tuple[asyncio.DatagramTransport, asyncio.Server | None]:
    """Both on one port: where the TCP one is taken, another pair is tried."""
    loop = asyncio.get_running_loop()
    for _ in range(20):
        transport, _protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(answering), ("127.0.0.1", 0))
        if converse is None:
            return transport, None
        try:
            return transport, await asyncio.start_server(converse, "127.0.0.1", transport.get_extra_info("sockname")[1])
        except OSError:
            transport.close()
    raise OSError("no port is free for both UDP and TCP")


def records(*lines: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, flags: int = 0) -> Answering:
    """Answers every question with the lines (`name ttl type value`) of its type, and with every CNAME."""

    def answering(question: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(question, recursion_available=True)
        reply.set_rcode(rcode)
        reply.flags |= flags
        wanted = dns.rdatatype.to_text(question.question[0].rdtype)
        for line in lines:
            name, ttl, kind, value = line.split(" ", 3)
            if kind in (wanted, "CNAME"):
                found = dns.rrset.from_text(name, int(ttl), "IN", kind, value)
                kept = reply.get_rrset(reply.answer, found.name, found.rdclass, found.rdtype, create=True)
                kept.update(found)
        return reply

    return answering
