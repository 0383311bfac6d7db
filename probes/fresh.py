"""A fresh, timed connection for every request, and what was seen of it."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from dataclasses import dataclass, field, replace

from yarl import URL

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


@dataclass(frozen=True, slots=True)
class Tools:
    """What all attempts of one prober share; `close()` when the last one has ended."""

    resolver: Resolver
    trust: Trust
    commands: Confined = field(default_factory=Confined)
    dates: Dates | None = None  # a single attempt has no use for them

    def close(self) -> None:
        self.resolver.close()
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

    async def connect(self, url: URL, method: str) -> Framing:
        """A connection of its own for one request, through a handshake where the scheme asks for one. Raises Fault."""
        host, port = (url.raw_host or "").rstrip("."), url.port or 80
        connection = await self.open_socket(host, port)
        loop = asyncio.get_running_loop()
        factory = functools.partial(Framing, loop, self.trace, method=method)
        try:
            if url.scheme == "https":
                handler = await self._shake_hands(factory, connection, host)
            else:
                _, handler = await loop.create_connection(factory, sock=connection)
        except BaseException:
            connection.close()
            raise
        if handler is None:
            raise await self.why_refused(host, port)
        self.trace.connected()
        return handler

    async def _shake_hands(
        self, factory: functools.partial[Framing], connection: socket.socket, host: str
    ) -> Framing | None:
        """None where the handshake was reset without a reason."""
        with self.trace.timing("tls"):
            try:
                transport, handler = await asyncio.get_running_loop().create_connection(
                    factory,
                    sock=connection,
                    ssl=self.context(),
                    server_hostname=host,
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
        self.trace.tls_version = seen.version()
        self.trace.certificate = read_certificate(seen.getpeercert(binary_form=True))
        return handler

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
