"""What a channel is: it sends one alert or says in one clean line why it could not."""

from __future__ import annotations

from typing import Protocol

from reporting.alerts.message import Alert
from reporting.wording import plain

TIMEOUT_S = 15.0


class NotDelivered(Exception):
    """The receiver did not take the alert. The text names host and reason and never holds a secret."""


class Channel(Protocol):
    """One way to tell people or programs."""

    @property
    def id(self) -> str: ...

    async def send(self, alert: Alert, *, ledger_id: str, at_ms: int) -> None:
        """Deliver, once. Raises NotDelivered."""


def without_secrets(words: str, *secrets: str | None) -> str:
    """Foreign words on one line, of bearable length, with every secret blotted out."""
    for secret in secrets:
        if secret:
            words = words.replace(secret, "***")
    return plain(" ".join(words.split()))[:300]
