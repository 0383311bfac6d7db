"""The mail channel: one message per alert by SMTP, with an id that is the same at every attempt."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from reporting.alerts.channel import TIMEOUT_S, NotDelivered, without_secrets
from reporting.alerts.message import Alert, subject, text

log = logging.getLogger("nines.alerts")


@dataclass(frozen=True, slots=True)
class MailChannel:
    """SMTP. The secrets are asked at each sending, so that a rotated secret needs no restart."""

    id: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    tls: bool = False  # from the first byte
    starttls: bool = False  # after the greeting; without it the mail fails
    username: Callable[[], str] | None = None
    password: Callable[[], str] | None = None
    trust: ssl.SSLContext | None = None  # None: what the system trusts
    timeout_s: float = TIMEOUT_S

    async def send(self, alert: Alert, *, ledger_id: str, at_ms: int) -> None:
        """Hand the message to the server. Raises NotDelivered where it took it for nobody.

        One refused recipient of several is logged: sending again would reach the others twice.
        """
        message = mail_of(alert, self, ledger_id=ledger_id, at_ms=at_ms)
        username = self.username() if self.username else None
        password = self.password() if self.password else None
        try:
            refused, _ = await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=username,
                password=password,
                use_tls=self.tls,
                start_tls=self.starttls,
                tls_context=self.trust,
                timeout=self.timeout_s,
                local_hostname=socket.gethostname(),  # given: looking it up could wait for a name server
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise NotDelivered(f"mail by {self.host}:{self.port}: {_reason(error, username, password)}") from None
        if refused:
            log.warning("alerts.%s: %s:%d refused %s", self.id, self.host, self.port, ", ".join(sorted(refused)))


def mail_of(alert: Alert, channel: MailChannel, *, ledger_id: str, at_ms: int) -> EmailMessage:
    """The message. Both mails of one outage share a reference, so that mail programs show them as one thread."""
    domain = f"{ledger_id}.nines.invalid"
    mail = EmailMessage()
    mail["Subject"] = subject(alert)
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Date"] = format_datetime(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms))
    mail["Message-ID"] = f"<{alert.id}.{channel.id}@{domain}>"
    if alert.outage:
        mail["References"] = f"<{alert.outage}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(alert))
    return mail


def _reason(error: Exception, *secrets: str | None) -> str:
    return without_secrets(str(error) or type(error).__name__, *secrets)
