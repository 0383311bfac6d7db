"""A fresh TCP connection: the name resolved, the addresses judged, tried in turn with a head start for each."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from probes.attempt import Fault, Trace
from probes.faults import connect_fault
from probes.names import Server, addresses_of
from probes.resolver import Address, Resolver, literal

HEAD_START_S = 0.3  # a dead address delays the next one by this much, instead of using up the attempt


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Which addresses an endpoint may be connected to; judged on every address, after DNS, on every redirect."""

    public_only: bool = False
    allowed: tuple[
        ipaddress.IPv4Network | ipaddress.IPv6Network, ...
    ] = ()  # private networks that are allowed all the same

    def check(self, host: str, addresses: Sequence[Address]) -> None:
        """Raise Fault (unknown: nothing was looked at) where one address is not allowed."""
        if not self.public_only:
            return
        for address in addresses:
            if not is_public(address.host) and not self._is_allowed(address.host):
                raise Fault("config_error", f"{host} is {address.host}: a private address is not allowed", "unknown")

    def _is_allowed(self, host: str) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(address.version == network.version and address in network for network in self.allowed)


ANY_ADDRESS = AddressRule()


def is_public(host: str) -> bool:
    """Whether an address belongs to the public internet; one that embeds an IPv4 address is judged by that."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if embedded is not None:
            return is_public(str(embedded))
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Way:
    """How names become addresses: which may be used, of which family, asked of which name server."""

    rule: AddressRule = ANY_ADDRESS
    ip_version: int | None = None
    server: Server | None = None  # None: as the system does it


ANY_WAY = Way()


async def find_addresses(host: str, port: int, *, resolver: Resolver, way: Way, trace: Trace) -> list[Address]:
    """The addresses that may be tried, in their order. Raises Fault; times the phase dns."""
    with trace.timing("dns"):
        found = await _looked_up(host, port, resolver, way, trace)
    if literal(host, port) is None:  # parked and blocked names are given 0.0.0.0, which would be this machine
        found = [
            address for address in found if not ipaddress.ip_address(address.host.partition("%")[0]).is_unspecified
        ]
    if not found:
        raise Fault("dns_no_address", f"{host} has no address")
    if way.ip_version is not None:
        family = socket.AF_INET if way.ip_version == 4 else socket.AF_INET6
        found = [address for address in found if address.family == family]
        if not found:
            raise Fault("dns_no_address", f"{host} has no IPv{way.ip_version} address")
    way.rule.check(host, found)
    return found


async def _looked_up(host: str, port: int, resolver: Resolver, way: Way, trace: Trace) -> list[Address]:
    if way.server is None or literal(host, port) is not None:
        return await resolver.resolve(host, port, trace)
    check_server(way.server, way.rule)
    told = await addresses_of(way.server, host, connect_to_server)
    return [address for one in told if (address := literal(one, port)) is not None]


def check_server(server: Server, rule: AddressRule) -> None:
    """Raise Fault where a name server stands at an address that is not allowed."""
    address = literal(*server)
    rule.check(server[0], [address] if address else [])


async def connect_to_server(server: Server) -> socket.socket:
    """A connection to a name server, for an answer that is too long for a datagram. Raises Fault."""
    address = literal(*server)
    if address is None:
        raise Fault("config_error", f"{server[0]} is no address of a name server", "unknown")
    return await _connect(address)


async def open_socket(
    host: str, port: int, *, resolver: Resolver, trace: Trace, rule: AddressRule = ANY_ADDRESS, way: Way | None = None
) -> socket.socket:
    """A connected, non-blocking socket. Raises Fault; times the phases dns and tcp."""
    addresses = await find_addresses(host, port, resolver=resolver, way=way or Way(rule), trace=trace)
    with trace.timing("tcp"):
        connected = await _first_to_connect(addresses)
    if len(addresses) == 1:
        trace.address = addresses[0].host
        return connected
    with contextlib.suppress(OSError):  # reset since: the next phase tells it
        trace.address = str(connected.getpeername()[0])
        if trace.address != addresses[0].host:
            trace.note(f"{addresses[0].host} did not connect, {trace.address} did")
    return connected


async def _first_to_connect(addresses: Sequence[Address]) -> socket.socket:
    """Try each address; the next one starts when this one fails or its head start is over. The first to answer wins."""
    if len(addresses) == 1:
        return await _connect(addresses[0])
    tasks: list[asyncio.Task[socket.socket]] = []
    try:
        for address in addresses:
            tasks.append(asyncio.create_task(_connect(address)))
            pending = [task for task in tasks if not task.done()]
            await asyncio.wait(pending, timeout=HEAD_START_S, return_when=asyncio.FIRST_COMPLETED)
            if winner := _winner(tasks):
                return winner
        while pending := [task for task in tasks if not task.done()]:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if winner := _winner(tasks):
                return winner
        raise _worst([task.exception() for task in tasks])
    finally:
        await _drop(tasks)


def _winner(tasks: list[asyncio.Task[socket.socket]]) -> socket.socket | None:
    for task in tasks:
        if task.done() and task.exception() is None:
            tasks.remove(task)
            return task.result()
    return None


async def _drop(tasks: Sequence[asyncio.Task[socket.socket]]) -> None:
    """End the losers and close what they opened."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()


def _worst(errors: Sequence[BaseException | None]) -> BaseException:
    """The error to tell when every address failed: the target's before ours, for then somebody did answer."""
    known = [error for error in errors if error is not None]
    theirs = [error for error in known if isinstance(error, Fault) and error.outcome.verdict == "down"]
    return (theirs or known)[0]


async def _connect(address: Address) -> socket.socket:
    try:
        unconnected = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:
        raise connect_fault(error) from error
    try:
        unconnected.setblocking(False)
        with contextlib.suppress(OSError):
            unconnected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(unconnected, address.sockaddr)
    except OSError as error:
        unconnected.close()
        raise connect_fault(error, address.sockaddr) from error
    except BaseException:
        unconnected.close()
        raise
    return unconnected
