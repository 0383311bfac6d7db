"""Questions to one name server of our choice: over UDP, again after a silence, over TCP where the answer is cut.

Used by dns checks and by endpoints with a `resolver` of their own; other names go the system's way (`resolver`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from probes.attempt import Fault
from probes.faults import connect_fault

AGAIN_S = 1.0  # a datagram may be lost: ask again after so much silence, and after twice as much
PAYLOAD = 1_232  # what a datagram of an answer may hold without being cut on its way
MAX_CHAIN = 16
Server: TypeAlias = tuple[str, int]
Connect: TypeAlias = Callable[[Server], Awaitable[socket.socket]]  # how an answer is fetched over TCP

REFUSALS = {
    dns.rcode.NXDOMAIN: ("dns_nxdomain", "does not exist"),
    dns.rcode.SERVFAIL: ("dns_servfail", "the name server failed (SERVFAIL)"),
    dns.rcode.REFUSED: ("dns_servfail", "the name server refused (REFUSED)"),
    dns.rcode.FORMERR: ("dns_servfail", "the name server did not understand the question (FORMERR)"),
    dns.rcode.NOTIMP: ("dns_servfail", "the name server does not do this (NOTIMP)"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to one question: its rcode, and the records at the end of the aliases, as text."""

    rcode: str
    records: tuple[str, ...]
    alias: str | None = None  # where the aliases lead, of which the server told no record
    truncated_first: bool = False  # the datagram was cut and the answer came over TCP


async def ask(server: Server, name: str, record: str, connect: Connect) -> Answer:
    """One question, answered. Raises Fault; the caller holds the deadline."""
    question = _question(name, record)
    reply, cut = await _over_udp(server, question), False
    if reply.flags & dns.flags.TC:
        reply, cut = await _over_tcp(server, question, connect), True
    records, alias = _records(reply, record)
    return Answer(dns.rcode.to_text(reply.rcode()), records, alias, cut)


async def addresses_of(server: Server, host: str, connect: Connect) -> tuple[str, ...]:
    """The addresses of a host as one name server tells them, IPv4 first. Raises Fault, in classes of names only."""
    told = await asyncio.gather(
        *(_followed(server, host, record, connect) for record in ("A", "AAAA")), return_exceptions=True
    )
    found = tuple(address for one in told if not isinstance(one, BaseException) for address in one)
    errors = [one for one in told if isinstance(one, BaseException)]
    if errors and not found:
        raise _of_names(errors[0])
    return found


async def _followed(server: Server, host: str, record: str, connect: Connect) -> tuple[str, ...]:
    """The records at the end of the aliases, also of a server that tells one alias at a time."""
    name: str | None = host
    for _ in range(MAX_CHAIN):
        answer = await ask(server, name or host, record, connect)
        fault = fault_of(answer, host)
        if fault is not None:
            raise fault
        if answer.alias is None:
            return answer.records
        name = answer.alias
    raise Fault("dns_cname_loop", f"{host} leads through aliases without an end")


def _of_names(error: BaseException) -> BaseException:
    """What kept a name server from answering is a fault of names: its refusal is not the target's."""
    if not isinstance(error, Fault) or not (error.outcome.error or "").startswith("connect_"):
        return error
    return Fault("dns_servfail", error.outcome.detail or "", error.outcome.verdict)


def fault_of(answer: Answer, name: str) -> Fault | None:
    """What an answer without what was asked for means; None for a good one."""
    refused = REFUSALS.get(dns.rcode.from_text(answer.rcode))
    if refused is not None:
        return Fault(refused[0], f"{name}: {refused[1]}" if refused[0] == "dns_servfail" else f"{name} {refused[1]}")
    if answer.rcode != "NOERROR":
        return Fault("dns_servfail", f"{name}: the name server answered {answer.rcode}")
    return None


def _question(name: str, record: str) -> dns.message.QueryMessage:
    try:
        return dns.message.make_query(name, record, use_edns=0, payload=PAYLOAD)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise Fault("dns_bad_name", f"{name!r} is no valid name: {error}") from error


async def _over_udp(server: Server, question: dns.message.Message) -> dns.message.Message:
    """The first answer that fits the question; what does not fit it is not ours and is not looked at."""
    loop = asyncio.get_running_loop()
    patience_s = AGAIN_S
    with _datagrams(server) as connection:
        try:
            while True:
                await loop.sock_sendall(connection, question.to_wire())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience_s):
                        return await _fitting(connection, question)
                patience_s *= 2
        except OSError as error:
            raise _unreachable(error, server) from error


async def _fitting(connection: socket.socket, question: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    while True:
        data = await loop.sock_recv(connection, 65_535)
        with contextlib.suppress(dns.exception.DNSException):
            reply = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
            if question.is_response(reply):
                return reply


def _datagrams(server: Server) -> socket.socket:
    """A datagram socket that hears this server only. Raises Fault."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    try:
        connection = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise connect_fault(error) from error
    try:
        connection.setblocking(False)
        connection.connect(server)
    except OSError as error:
        connection.close()
        raise _unreachable(error, server) from error
    return connection


async def _over_tcp(server: Server, question: dns.message.Message, connect: Connect) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    try:
        opened = await connect(server)
    except Fault as fault:
        raise Fault("dns_servfail", f"cut over UDP, and over TCP: {fault.outcome.detail}") from fault
    with opened as connection:
        wire = question.to_wire()
        try:
            await loop.sock_sendall(connection, len(wire).to_bytes(2, "big") + wire)
            size = int.from_bytes(await _exactly(connection, 2), "big")
            reply = dns.message.from_wire(await _exactly(connection, size), ignore_trailing=True)
        except OSError as error:
            raise _unreachable(error, server) from error
        except dns.exception.DNSException as error:
            raise Fault("dns_servfail", f"the answer of {server[0]} over TCP cannot be read") from error
    if not question.is_response(reply):
        raise Fault("dns_servfail", f"the answer of {server[0]} over TCP is to another question")
    return reply


async def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = await asyncio.get_running_loop().sock_recv(connection, count - len(data))
        if not part:
            raise Fault("dns_servfail", "the name server closed the connection before its answer was whole")
        data += part
    return data


def _unreachable(error: OSError, server: Server) -> Fault:
    """A name server that cannot be talked to, in the words of its own."""
    found = connect_fault(error, server).outcome
    return Fault(found.error or "", f"name server {server[0]}: {found.detail}", found.verdict)


def _records(reply: dns.message.Message, record: str) -> tuple[tuple[str, ...], str | None]:
    """The records at the end of the chain of aliases, or where it leads. Raises Fault for a chain without an end."""
    if not reply.question:
        return (), None
    name, wanted = reply.question[0].name, dns.rdatatype.from_text(record)
    for _ in range(MAX_CHAIN + 1):
        found = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, wanted)
        if found is not None:
            return tuple(sorted(item.to_text() for item in found)), None
        alias = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if alias is None:
            return (), None if name == reply.question[0].name else name.to_text()
        name = alias[0].target
    raise Fault("dns_cname_loop", f"{reply.question[0].name} leads through aliases without an end")
