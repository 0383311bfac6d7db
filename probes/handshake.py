"""A TLS handshake over a plain socket, driven by ourselves, so that every alert keeps its reason.

asyncio reports a refused handshake as a bare connection reset; here the server's alert is read before the reset.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass

from probes.attempt import Fault
from probes.faults import tls_fault

CHUNK = 65_536
KEPT = 65_536  # of what the server said in the clear
HANDSHAKE, CERTIFICATE_REQUEST = 22, 13
TAIL_S = 0.5  # how long to wait for an alert that TLS 1.3 sends after the handshake


@dataclass(frozen=True, slots=True)
class Shaken:
    """A finished handshake: the peer's certificate (DER) and the protocol version."""

    certificate: bytes | None
    version: str | None


class _Wire:
    """An SSLObject and the socket it talks over."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, server_name: str) -> None:
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_name)
        self.heard = b""  # the start of what the server said

    async def send(self) -> None:
        """Send what OpenSSL wants sent. A peer that already closed is noticed on reading, with its reason."""
        if data := self.outgoing.read():
            try:
                await asyncio.get_running_loop().sock_sendall(self.connection, data)
            except OSError:
                return

    async def receive(self) -> None:
        try:
            data = await asyncio.get_running_loop().sock_recv(self.connection, CHUNK)
        except ConnectionError:
            data = b""
        if data:
            self.heard += data[: KEPT - len(self.heard)]
            self.incoming.write(data)
        else:
            self.incoming.write_eof()


async def shake_hands(connection: socket.socket, context: ssl.SSLContext, server_name: str) -> Shaken:
    """Handshake to the end. Raises Fault with the true reason; the caller closes the socket and holds the deadline."""
    wire = _Wire(connection, context, server_name)
    try:
        await _handshake(wire)
    except ssl.SSLError as error:
        await wire.send()  # our alert: why we did not accept the certificate
        fault = tls_fault(error)
        if fault.outcome.error == "tls_handshake" and asked_for_certificate(wire.heard):
            raise Fault("tls_client_cert", "the server asks for a client certificate") from error
        raise fault from error
    return Shaken(wire.tls.getpeercert(binary_form=True), wire.tls.version())


async def _handshake(wire: _Wire) -> None:
    while True:
        try:
            wire.tls.do_handshake()
        except ssl.SSLWantReadError:
            await wire.send()
            await wire.receive()
        else:
            await wire.send()
            return


async def late_alert(connection: socket.socket, context: ssl.SSLContext, server_name: str) -> None:
    """Shake hands and listen for a moment: raises Fault where the server sends an alert after all.

    TLS 1.3 tells "certificate required" only when the handshake has already succeeded for the client.
    """
    wire = _Wire(connection, context, server_name)
    try:
        await _handshake(wire)
        async with asyncio.timeout(TAIL_S):
            while True:
                await _read_some(wire)
    except ssl.SSLError as error:
        if not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            raise tls_fault(error) from error
    except TimeoutError:
        return


async def _read_some(wire: _Wire) -> None:
    try:
        wire.tls.read(CHUNK)
    except ssl.SSLWantReadError:
        await wire.receive()


def asked_for_certificate(heard: bytes) -> bool:
    """Whether a server asked for our certificate. Until TLS 1.2 it does so in the clear, and refuses with no reason."""
    messages, at = b"", 0
    while at + 5 <= len(heard) and heard[at] == HANDSHAKE:
        size = int.from_bytes(heard[at + 3 : at + 5], "big")
        messages += heard[at + 5 : at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(messages):
        if messages[at] == CERTIFICATE_REQUEST:
            return True
        at += 4 + int.from_bytes(messages[at + 1 : at + 4], "big")
    return False
