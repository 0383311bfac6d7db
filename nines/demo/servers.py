"""Small real web servers on loopback whose behaviour is switched while they are being probed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Literal

from aiohttp import web

from nines.demo.extras import demo_package

Behaviour = Literal["well", "failing", "slow", "down"]

HOST = "127.0.0.1"
SLOW_S = 0.6  # twice the limit that the demo's config sets


class HeldPort:
    """A port of this machine that stays ours while nobody listens on it.

    The holder is bound and never listens: a connection is refused, another program is not given the port, and a
    listener with SO_REUSEADDR may take it at any time, in this process or in a child.
    """

    def __init__(self) -> None:
        self._holder = _bound_socket(0)
        self.number: int = self._holder.getsockname()[1]

    def listener(self) -> socket.socket:
        return _bound_socket(self.number)

    def close(self) -> None:
        self._holder.close()


def _bound_socket(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


class DemoServer:
    """One web server. `down` refuses connections, `failing` answers 500, `slow` answers 200 after 0.6 s."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._port = HeldPort()
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self.behaviour: Behaviour = "down"

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{HOST}:{self._port.number}/"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await self.behave("well")

    async def behave(self, behaviour: Behaviour) -> None:
        """From now on the server behaves so. Returns once the port is open, or closed for `down`."""
        self.behaviour = behaviour
        if behaviour == "down":
            await self._stop_listening()
        elif self._site is None:
            await self._listen()

    async def stop(self) -> None:
        await self._stop_listening()
        if self._runner:
            await self._runner.cleanup()
        self._port.close()

    async def _listen(self) -> None:
        assert self._runner is not None, "start() comes first"
        self._site = web.SockSite(self._runner, self._port.listener(), ssl_context=self._tls)
        await self._site.start()

    async def _stop_listening(self) -> None:
        if self._site:
            await self._site.stop()
            self._site = None

    async def _answer(self, request: web.Request) -> web.Response:
        if self.behaviour == "slow":
            await asyncio.sleep(SLOW_S)
        if self.behaviour == "failing":
            return web.Response(status=500, text="the sample database is away")
        return web.Response(text="sample: all is well")


def throwaway_tls(ca_file: Path) -> ssl.SSLContext:
    """A server context with a certificate of an authority made just now; its root is written to `ca_file`."""
    authority = demo_package("trustme").CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    authority.cert_pem.write_to_path(str(ca_file))
    return context
