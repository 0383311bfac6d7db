"""Real receivers of alerts on loopback: a mail server and a web server that answer as they are told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class MailServer:
    """Takes every mail, or answers DATA with `refusal`; `refused` addresses are turned away one by one."""

    port: int = 0
    refusal: str | None = None
    refused: tuple[str, ...] = ()
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=modern))
        return "250 kept"


@asynccontextmanager
async def mail_server(
    *, password: str | None = None, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[MailServer]:
    """With a `password` the server takes it and no other; `starttls` it offers, `tls` it speaks from the first byte."""
    kept = MailServer()
    loop = asyncio.get_running_loop()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=password is not None and data.password.decode() == password, handled=False)

    def protocol() -> SMTP:
        wanted = {"authenticator": authenticate, "auth_require_tls": False} if password else {}
        return SMTP(kept, hostname="localhost", loop=loop, tls_context=starttls, **wanted)

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        await server.wait_closed()


@dataclass
class HookServer:
    """Answers each POST with the next of `answers`, then 204; keeps what came."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 204, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def hook_server() -> AsyncIterator[HookServer]:
    hook = HookServer()
    app = web.Application()
    app.router.add_post("/hook/{token}", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/token-in-the-address"
    try:
        yield hook
    finally:
        await runner.cleanup()


def closed_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
