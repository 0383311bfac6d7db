"""The webhook channel: a signed POST of `nines/alert/1`.

`X-Nines-Timestamp` is the sending time in seconds; `X-Nines-Signature` is `sha256=` and the hex HMAC-SHA256, by the
shared secret, of the timestamp, a dot and the body. A receiver checks the signature, refuses a timestamp older than
five minutes and drops an `X-Nines-Id` it has seen: an alert may come twice, never with another id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from reporting.alerts.channel import TIMEOUT_S, NotDelivered, without_secrets
from reporting.alerts.message import Alert, as_data


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """One receiver. The address may itself be a secret, so errors name its host alone."""

    id: str
    url: Callable[[], str]
    secret: Callable[[], str] | None = None
    timeout_s: float = TIMEOUT_S

    async def send(self, alert: Alert, *, ledger_id: str, at_ms: int) -> None:
        """POST it; any 2xx is taken as delivered, redirects are not followed. Raises NotDelivered."""
        address = self.url()
        secret = self.secret() if self.secret else None
        body = json.dumps(as_data(alert, ledger_id=ledger_id), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "nines", "X-Nines-Id": f"{alert.id}.{self.id}"}
        headers |= signature_headers(body, secret=secret, at_ms=at_ms)
        try:
            status = await self._post(address, body, headers)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            reason = without_secrets(_words(error), address, secret)
            raise NotDelivered(f"webhook at {_place(address)}: {reason}") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"webhook at {_place(address)}: answered {status}, expected 200 to 299")

    async def _post(self, address: str, body: bytes, headers: dict[str, str]) -> int:
        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(address, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return response.status


def signature_headers(body: bytes, *, secret: str | None, at_ms: int) -> dict[str, str]:
    """The timestamp, and the signature where a secret is agreed."""
    timestamp = str(at_ms // 1000)
    headers = {"X-Nines-Timestamp": timestamp}
    if secret:
        digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers["X-Nines-Signature"] = f"sha256={digest}"
    return headers


def _place(address: str) -> str:
    try:
        url = urlsplit(address)
        return f"{url.hostname}:{url.port}" if url.port else url.hostname or "an address without a host"
    except ValueError:
        return "an address that cannot be read"


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or error.os_error}"
    return type(error).__name__
