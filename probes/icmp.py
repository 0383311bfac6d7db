"""One icmp attempt: an echo request, asked again twice where it stays unanswered.

The kernel lets anybody ping where `net.ipv4.ping_group_range` says so, else it takes CAP_NET_RAW; without either the
attempt is unknown and says how to grant it. On plain sockets, for the libraries measure time by the wall clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

from probes.attempt import Fault, Outcome, Trace, prober_fault
from probes.faults import connect_fault
from probes.fresh import Tools, road_of
from probes.resolver import Address
from probes.target import Target

TRIES = 3
PAYLOAD_BYTES = 32
REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
NOT_ALLOWED = (
    "this process may not ping; let its group do it (sysctl net.ipv4.ping_group_range='0 2147483647'), "
    "or give the service AmbientCapabilities=CAP_NET_RAW"
)


async def check_icmp(target: Target, tools: Tools, trace: Trace) -> Outcome:
    """Up with the first answer; requests that were lost before it are a note. Raises Fault."""
    addresses = await road_of(target, tools, trace).find_addresses(target.host)
    trace.address = addresses[0].host
    with echo_socket(addresses[0]) as connection, trace.timing("echo"):
        lost = await _ping(connection, addresses[0], wait_s=target.timeout_ms / 1000 / TRIES)
    if lost == TRIES:
        raise Fault("timeout_first_byte", f"no answer to {TRIES} echo requests")
    if lost:
        trace.note(f"{lost} of {lost + 1} echo requests stayed unanswered")
    return trace.judge_latency(target.max_latency_ms)


def echo_socket(address: Address) -> socket.socket:
    """A connected socket for echo requests, with the least rights that do. Raises Fault."""
    protocol = socket.IPPROTO_ICMP if address.family == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            made = socket.socket(address.family, kind, protocol)
        except PermissionError:
            continue
        except OSError as error:
            raise connect_fault(error) from error
        try:
            made.setblocking(False)
            made.connect(address.sockaddr)
        except OSError as error:
            made.close()
            raise connect_fault(error, address.sockaddr) from error
        return made
    raise prober_fault(NOT_ALLOWED)


async def _ping(connection: socket.socket, address: Address, *, wait_s: float) -> int:
    """How many requests were lost until one was answered; all of them if none was."""
    identity, secret = os.urandom(2), os.urandom(PAYLOAD_BYTES)
    for number in range(TRIES):
        request = echo_request(address.family, identity, number, secret)
        try:
            await asyncio.get_running_loop().sock_sendall(connection, request)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s * 0.95):  # the last wait ends before the attempt's own deadline
                    await _answered(connection, address.family, secret)
                    return number
        except OSError as error:
            raise connect_fault(error, address.sockaddr) from error
    return TRIES


async def _answered(connection: socket.socket, family: socket.AddressFamily, secret: bytes) -> None:
    """Wait for an answer to us; a raw socket hears those to everybody else, and our own requests on loopback."""
    while not is_answer(await asyncio.get_running_loop().sock_recv(connection, 2_048), family, secret):
        continue


def echo_request(family: socket.AddressFamily, identity: bytes, number: int, secret: bytes) -> bytes:
    """A request as it goes out; of IPv6 the kernel makes the checksum."""
    rest = identity + number.to_bytes(2, "big") + secret
    start = bytes((REQUEST[family], 0))
    check = checksum(start + b"\0\0" + rest) if family == socket.AF_INET else 0
    return start + check.to_bytes(2, "big") + rest


def is_answer(packet: bytes, family: socket.AddressFamily, secret: bytes) -> bool:
    """Whether a packet answers a request of ours; raw IPv4 sockets give it with its IP header."""
    if family == socket.AF_INET and packet[:1] and packet[0] >> 4 == 4:
        packet = packet[(packet[0] & 0x0F) * 4 :]
    return packet[:2] == bytes((REPLY[family], 0)) and packet[8:] == secret


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
