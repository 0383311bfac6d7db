"""A mail server on loopback that delivers nothing: it keeps each message and hands it to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any

from nines.demo.extras import demo_package

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it came in. `path` is where it was written."""

    subject: str
    sender: str
    recipients: tuple[str, ...]
    text: str
    path: Path


class Mailbox:
    """The sink. `mails` holds what came in, oldest first; `on_mail` is called with each."""

    def __init__(self, folder: Path, on_mail: Callable[[Mail], None] = lambda mail: None) -> None:
        self._folder = folder
        self._on_mail = on_mail
        self._server: asyncio.Server | None = None
        self.mails: list[Mail] = []

    @property
    def port(self) -> int:
        assert self._server is not None, "start() comes first"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        smtp = demo_package("aiosmtpd.smtp").SMTP
        self._folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        # The host name is given: looking up our own could wait for a name server.
        self._server = await loop.create_server(lambda: smtp(self, hostname="localhost", loop=loop), HOST, 0)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by the SMTP protocol for each message (the name is its own)."""
        mail = self._keep(envelope.content, envelope.mail_from, tuple(envelope.rcpt_tos))
        self.mails.append(mail)
        self._on_mail(mail)
        return "250 kept"

    def _keep(self, content: bytes, sender: str, recipients: tuple[str, ...]) -> Mail:
        path = self._folder / f"mail-{len(self.mails) + 1}.eml"
        path.write_bytes(content)
        message = message_from_bytes(content, _class=EmailMessage, policy=modern)
        return Mail(
            subject=str(message.get("Subject", "")),
            sender=sender,
            recipients=recipients,
            text=_plain_text(message),
            path=path,
        )


def _plain_text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain",))
    return str(body.get_content()).strip() if body else ""
