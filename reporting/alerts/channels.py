"""The channels of a config: each alert entry becomes a mail or a webhook channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from config.alert import Alert, Mail, Webhook
from config.secret import Secret
from reporting.alerts.channel import Channel
from reporting.alerts.mail import MailChannel
from reporting.alerts.webhook import WebhookChannel

Reveal = Callable[[Secret], str]


def channels_of(alerts: Mapping[str, Alert], reveal: Reveal) -> dict[str, Channel]:
    """Channel by id. `reveal` reads a secret; it is called at each sending, never here."""
    channels: dict[str, Channel] = {}
    for name, alert in alerts.items():
        if alert.mail:
            channels[name] = _mail(name, alert.mail, reveal)
        elif alert.webhook:
            channels[name] = _webhook(name, alert.webhook, reveal)
    return channels


def _mail(name: str, mail: Mail, reveal: Reveal) -> MailChannel:
    return MailChannel(
        id=name,
        host=mail.host,
        port=mail.port,
        sender=mail.sender,
        recipients=mail.to,
        tls=mail.tls,
        starttls=mail.starttls,
        username=_later(mail.username, reveal),
        password=_later(mail.password, reveal),
    )


def _webhook(name: str, webhook: Webhook, reveal: Reveal) -> WebhookChannel:
    return WebhookChannel(id=name, url=lambda: reveal(webhook.url), secret=_later(webhook.secret, reveal))


def _later(secret: Secret | None, reveal: Reveal) -> Callable[[], str] | None:
    return None if secret is None else lambda: reveal(secret)
