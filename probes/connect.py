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
from probes.resolver import Address, Resolver

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


async def open_socket(host: str, port: int, *, resolver: Resolver, rule: AddressRule, trace: Trace) -> socket.socket:
    """A connected, non-blocking socket. Raises Fault; times the phases dns and tcp."""
    with trace.timing("dns"):
        addresses = await resolver.resolve(host, port, trace)
    if not addresses:
        raise Fault("dns_no_address", f"{host} has no address")
    rule.check(host, addresses)
    with trace.timing("tcp"):
        connected = await _first_to_connect(addresses)
    with contextlib.suppress(OSError):  # reset since: the next phase tells it
        trace.address = str(connected.getpeername()[0])
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
