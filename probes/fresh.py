"""aiohttp's client on roads of our own: a fresh, timed connection for every request, and what was seen of it."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from probes.attempt import Fault, Trace
from probes.confine import Confined
from probes.connect import ANY_WAY, Way, find_addresses, open_socket
from probes.dates import Dates
from probes.faults import tls_fault
from probes.framing import Framing
from probes.handshake import late_alert, shake_hands
from probes.resolver import Address, Resolver
from probes.target import Target
from probes.trust import Trust, read_certificate

NO_LIMIT_S = 3_600.0  # the attempt's own deadline ends it long before


class Client:
    """aiohttp's session, made by the first request of the running loop and shared: one of its own costs a check 30 us.

    It keeps nothing between requests: no connection, no cookie.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=FreshConnector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, ceil_threshold=1e9),  # one deadline, held outside
            )
            self._session._retry_connection = False  # else it asks again, unseen, where a server hangs up at once
        return self._session

    def close(self) -> None:
        if self._session is not None:
            self._session.detach()  # its connector holds nothing that could be closed


@dataclass(frozen=True, slots=True)
class Tools:
    """What all attempts of one prober share; `close()` when the last one has ended."""

    resolver: Resolver
    trust: Trust
    client: Client = field(default_factory=Client)
    commands: Confined = field(default_factory=Confined)
    dates: Dates | None = None  # a single attempt has no use for them

    def close(self) -> None:
        self.resolver.close()
        self.client.close()
        self.commands.close()


@dataclass(frozen=True, slots=True)
class Road:
    """How one attempt reaches its servers."""

    tools: Tools
    trace: Trace
    way: Way = ANY_WAY
    ca_file: str | None = None
    verified: bool = True
    client_pem: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        return self.tools.trust.context(ca_file=self.ca_file, verified=self.verified, client_pem=self.client_pem)

    async def open_socket(self, host: str, port: int) -> socket.socket:
        return await open_socket(host, port, resolver=self.tools.resolver, way=self.way, trace=self.trace)

    async def find_addresses(self, host: str) -> list[Address]:
        """For what has no connection."""
        return await find_addresses(host, 0, resolver=self.tools.resolver, way=self.way, trace=self.trace)

    async def why_refused(self, host: str, port: int) -> Fault:
        """Shake hands once more by ourselves: asyncio told only that the connection was reset."""
        again = replace(self, trace=Trace())  # finding the reason is no part of the attempt's times
        with await again.open_socket(host, port) as connection:
            try:
                await shake_hands(connection, self.context(), host)
            except Fault as fault:
                return fault
        return Fault("tls_handshake", "the server closed the connection during the handshake")

    async def silent_refusal(self, host: str, port: int) -> Fault | None:
        """The alert with which a server hung up that said nothing; None where there is none to be had."""
        again = replace(self, trace=Trace())
        try:
            connection = await again.open_socket(host, port)
        except Fault:
            return None
        with connection:
            try:
                await late_alert(connection, self.context(), host)
            except Fault as fault:
                return fault
        return None


def road_of(target: Target, tools: Tools, trace: Trace) -> Road:
    """The road to one endpoint."""
    way = Way(target.rule, target.ip_version, target.resolver)
    return Road(tools, trace, way, target.ca_file, target.verified, target.client_pem)


class Hop:
    """One request on a road: the task that makes it says so, and the connector makes its connection there."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.handler: ResponseHandler | None = None
        HOP.set(self)

    async def leave(self) -> None:
        """Cut the connection now: a closing handshake with a broken server could outlive the attempt.

        An aborted transport closes its socket in the next turn of the loop.
        """
        if self.handler is None or self.handler.transport is None:
            return  # there never was one, or aiohttp closed it behind the reply
        self.handler.transport.abort()
        await asyncio.sleep(0)


HOP: ContextVar[Hop] = ContextVar("hop")


class FreshConnector(aiohttp.BaseConnector):
    """One connection per request, never kept. `_create_connection` is where aiohttp's own connectors differ, too."""

    def __init__(self) -> None:
        super().__init__(force_close=True, limit=0)

    async def _create_connection(self, req: aiohttp.ClientRequest, traces: Any, timeout: Any) -> ResponseHandler:
        hop = HOP.get()
        host, port = (req.url.raw_host or "").rstrip("."), req.url.port or 80
        connection = await hop.road.open_socket(host, port)
        factory = functools.partial(Framing, self._loop, hop.road.trace, method=req.method)
        try:
            handler = await self._dress(connection, factory, host if req.url.scheme == "https" else None, hop.road)
        except BaseException:
            connection.close()
            raise
        if handler is None:
            raise await hop.road.why_refused(host, port)
        hop.handler = handler
        hop.road.trace.connected()
        return handler

    async def _dress(
        self, connection: socket.socket, factory: functools.partial[Framing], tls_host: str | None, road: Road
    ) -> Framing | None:
        """Hand the socket to asyncio, through a handshake where asked; None where that was reset without a reason."""
        if tls_host is None:
            _, handler = await self._loop.create_connection(factory, sock=connection)
            return handler
        with road.trace.timing("tls"):
            try:
                transport, handler = await self._loop.create_connection(
                    factory,
                    sock=connection,
                    ssl=road.context(),
                    server_hostname=tls_host,
                    ssl_handshake_timeout=NO_LIMIT_S,
                )
            except ssl.SSLError as error:
                fault = tls_fault(error)
                if fault.outcome.error == "tls_handshake":  # perhaps for want of a certificate: look at it again
                    return None
                raise fault from error
            except ConnectionError:
                return None
        seen = transport.get_extra_info("ssl_object")
        road.trace.tls_version = seen.version()
        road.trace.certificate = read_certificate(seen.getpeercert(binary_form=True))
        return handler
