"""Mail and webhook against real receivers: what arrives, and what is said when nothing does."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from typing import Any

import pytest
import trustme
from reporting_boards import berlin
from reporting_receivers import closed_port, hook_server, mail_server

from reporting.alerts.channel import NotDelivered
from reporting.alerts.mail import MailChannel
from reporting.alerts.message import Affected, Alert, subject, text, trial
from reporting.alerts.webhook import WebhookChannel

LEDGER = "0123456789abcdef"
NOW = berlin(23, "12:15:00")


def opened(**more: Any) -> Alert:
    given: dict[str, Any] = {
        "id": "E-00001", "happening": "opened", "endpoint": "tracking", "name": "Tracking API", "tz": "Europe/Berlin",
        "outage": "O-7K3F2", "from_ms": berlin(23, "12:14:28"), "last_good_ms": berlin(23, "12:13:28"),
        "confirmed_ms": berlin(23, "12:14:48"), "error": "answered 503, expected 200 to 299", "failed_checks": 2,
        "affects": (Affected("Tracking", "Sample Client", "sample-api", "99.9"), Affected("Portal")),
    }  # fmt: skip
    return Alert(**{**given, **more})


def closed(**more: Any) -> Alert:
    return opened(happening="closed", id="E-00002", to_ms=berlin(23, "12:25:58"), end_reason="recovered", **more)


def mail_channel(port: int, **more: Any) -> MailChannel:
    given: dict[str, Any] = {
        "id": "ops", "host": "127.0.0.1", "port": port, "sender": "nines@example.org",
        "recipients": ("operations@example.org", "second@example.org"), "timeout_s": 5.0,
    }  # fmt: skip
    return MailChannel(**{**given, **more})


def hook_channel(url: str, **more: Any) -> WebhookChannel:
    return WebhookChannel(id="hook", url=lambda: url, **more)


@pytest.mark.parametrize(
    ("alert", "line"),
    [
        (opened(), "Down: Tracking API since 12:14:28 CET"),
        (opened(kind="degraded"), "Degraded: Tracking API since 12:14:28 CET"),
        (closed(), "Up again: Tracking API, down for 11 min 30 s"),
        (closed(kind="degraded"), "No longer degraded: Tracking API, degraded for 11 min 30 s"),
        (closed(name="a\r\nBcc: x@example.org"), "Up again: a  Bcc: x@example.org, down for 11 min 30 s"),
        (trial(id="E-00003", tz="UTC"), "nines: test of this alert channel"),
    ],
)
def test_the_subject_says_the_state_first(alert: Alert, line: str) -> None:
    assert subject(alert) == line


def test_an_end_that_nobody_saw_is_not_called_up_again() -> None:
    alert = opened(happening="closed", to_ms=berlin(23, "12:25:58"), end_reason="unobserved")
    assert subject(alert).startswith("No longer measured: Tracking API")
    assert "Its recovery was not seen: time after that is not known." in text(alert)


def test_the_text_says_what_happened_what_proves_it_and_whom_it_hits() -> None:
    assert text(opened()) == (
        "Tracking API is down since Mon 23 Nov 2026 12:14:28 CET.\n\n"
        "What failed: answered 503, expected 200 to 299\nFailed checks: 2\nLast good check: 12:13:28 CET\n"
        "Confirmed: 12:14:48 CET\n\nPart of: Tracking for Sample Client, 99.9 % promised\nPart of: Portal\n\n"
        "Outage O-7K3F2, endpoint tracking.\n"
    )
    assert text(closed()).startswith(
        "Tracking API is up again. It was down for 11 min 30 s, from Mon 23 Nov 2026 12:14:28 CET to "
    )


async def test_mail_arrives_and_both_mails_of_an_outage_are_one_thread() -> None:
    async with mail_server() as server:
        channel = mail_channel(server.port)
        for alert in (opened(), closed()):
            await channel.send(alert, ledger_id=LEDGER, at_ms=NOW)
    first, second = server.mails
    assert first["Subject"] == "Down: Tracking API since 12:14:28 CET"
    assert first["To"] == "operations@example.org, second@example.org"
    assert first["Date"] == "Mon, 23 Nov 2026 11:15:00 +0000"
    assert first["Message-ID"] == f"<E-00001.ops@{LEDGER}.nines.invalid>"
    assert first["References"] == second["References"] == f"<O-7K3F2@{LEDGER}.nines.invalid>"
    assert first.get_content().replace("\r\n", "\n") == text(opened())


async def test_mail_with_umlauts_arrives_whole() -> None:
    async with mail_server() as server:
        await mail_channel(server.port).send(opened(name="Prüfstand 漢字"), ledger_id=LEDGER, at_ms=NOW)
    assert server.mails[0]["Subject"] == "Down: Prüfstand 漢字 since 12:14:28 CET"


async def test_the_right_password_opens_the_mail_server() -> None:
    async with mail_server(password="let me in") as server:
        channel = mail_channel(server.port, username=lambda: "nines", password=lambda: "let me in")
        await channel.send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert len(server.mails) == 1


async def test_a_wrong_password_is_an_error_that_does_not_show_it() -> None:
    async with mail_server(password="let me in") as server:
        channel = mail_channel(server.port, username=lambda: "nines", password=lambda: "wrong secret")
        with pytest.raises(NotDelivered, match="535") as caught:
            await channel.send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert "wrong secret" not in str(caught.value)


async def test_a_mail_server_that_refuses_or_is_away_is_named() -> None:
    async with mail_server() as server:
        server.refusal = "451 try again later"
        with pytest.raises(NotDelivered, match="try again later"):
            await mail_channel(server.port).send(opened(), ledger_id=LEDGER, at_ms=NOW)
    port = closed_port()
    with pytest.raises(NotDelivered, match=f"mail by 127.0.0.1:{port}: "):
        await mail_channel(port).send(opened(), ledger_id=LEDGER, at_ms=NOW)


def certified() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(server, client): a throwaway authority's certificate for the server, and trust in that authority alone."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


async def test_mail_goes_encrypted_by_starttls_and_by_tls() -> None:
    serving, trust = certified()
    async with mail_server(starttls=serving) as first, mail_server(tls=serving) as second:
        await mail_channel(first.port, starttls=True, trust=trust).send(opened(), ledger_id=LEDGER, at_ms=NOW)
        await mail_channel(second.port, tls=True, trust=trust).send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert (len(first.mails), len(second.mails)) == (1, 1)


async def test_a_certificate_that_is_not_trusted_gets_no_mail() -> None:
    serving, _ = certified()
    async with mail_server(starttls=serving) as server:
        with pytest.raises(NotDelivered, match="certificate"):
            await mail_channel(server.port, starttls=True).send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert server.mails == []


async def test_starttls_that_is_asked_for_and_not_offered_sends_nothing() -> None:
    async with mail_server() as server:
        with pytest.raises(NotDelivered):
            await mail_channel(server.port, starttls=True).send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert server.mails == []


async def test_one_refused_recipient_does_not_keep_the_mail_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async with mail_server() as server:
        server.refused = ("second@example.org",)
        await mail_channel(server.port).send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert len(server.mails) == 1
    assert "refused second@example.org" in caplog.text


async def test_a_webhook_is_signed_over_time_and_body() -> None:
    async with hook_server() as server:
        await hook_channel(server.url, secret=lambda: "shared").send(opened(), ledger_id=LEDGER, at_ms=NOW)
    [(headers, body)] = server.requests
    signed = f"{NOW // 1000}.".encode() + body
    assert headers["X-Nines-Timestamp"] == str(NOW // 1000)
    assert headers["X-Nines-Signature"] == f"sha256={hmac.new(b'shared', signed, hashlib.sha256).hexdigest()}"
    assert headers["X-Nines-Id"] == "E-00001.hook"
    data = json.loads(body)
    assert (data["schema"], data["event"], data["id"]) == ("nines/alert/1", "outage.opened", "E-00001")
    assert data["outage"]["from"] == "2026-11-23T11:14:28.000Z"
    assert data["affects"][0] == {
        "service": "Tracking", "client": "Sample Client", "contract": "sample-api", "target_pct": "99.9"
    }  # fmt: skip


async def test_without_a_secret_there_is_no_signature() -> None:
    async with hook_server() as server:
        await hook_channel(server.url).send(trial(id="E-00003", tz="UTC"), ledger_id=LEDGER, at_ms=NOW)
    [(headers, body)] = server.requests
    assert "X-Nines-Signature" not in headers
    assert json.loads(body)["outage"] is None


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_any_answer_but_2xx_is_not_delivered_and_no_redirect_is_followed(status: int) -> None:
    async with hook_server() as server:
        server.answers = [status]
        with pytest.raises(NotDelivered, match=f"answered {status}, expected 200 to 299") as caught:
            await hook_channel(server.url, secret=lambda: "shared").send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert len(server.requests) == 1
    assert "token-in-the-address" not in str(caught.value)


@pytest.mark.parametrize("where", ["http://127.0.0.1:{port}/token", "http://[bad/token", "ftp://127.0.0.1/token"])
async def test_a_webhook_that_cannot_be_reached_names_the_host_never_the_address(where: str) -> None:
    with pytest.raises(NotDelivered) as caught:
        await hook_channel(where.format(port=closed_port())).send(opened(), ledger_id=LEDGER, at_ms=NOW)
    assert "token" not in str(caught.value)
