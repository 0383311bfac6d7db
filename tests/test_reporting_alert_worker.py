"""The worker with a real ledger and real receivers: in order, at least once, later again, each channel by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from reporting_ledgers import LOADED, MINUTE, at, ledger_with, observe
from reporting_receivers import closed_port, hook_server, mail_server

from ledger.events import Claimed, Happened
from ledger.query import run
from ledger.store import Ledger
from reporting.alerts.channel import Channel
from reporting.alerts.mail import MailChannel
from reporting.alerts.webhook import WebhookChannel
from reporting.alerts.worker import AlertWorker, next_attempt_ms, send_test

OUTAGE = "uuddduu"  # one outage of the endpoint `api`: opened and closed


@dataclass
class Clock:
    now_ms: int

    def __call__(self) -> int:
        return self.now_ms


def webhook(url: str, name: str = "hook") -> WebhookChannel:
    return WebhookChannel(id=name, url=lambda: url, timeout_s=5.0)


def mail(port: int) -> MailChannel:
    return MailChannel("ops", "127.0.0.1", port, "nines@example.org", ("operations@example.org",), timeout_s=5.0)


@asynccontextmanager
async def running(ledger: Ledger, clock: Clock, *channels: Channel) -> AsyncIterator[AlertWorker]:
    worker = AlertWorker(ledger, {channel.id: channel for channel in channels}, clock, poll_s=0.01)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 10)


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110 - what is waited for is in another program's hands
            await asyncio.sleep(0.01)


def deliveries(ledger: Ledger) -> list[tuple[str, str, int]]:
    with ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT channel, state, attempts FROM delivery ORDER BY event, channel").all()
    return [(row.channel, row.state, row.attempts) for row in rows]


def refusals(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM delivery WHERE error IS NOT NULL").scalar_one())


async def test_trouble_of_the_monitor_itself_is_told_to_operations(tmp_path: Path) -> None:
    insert = "INSERT INTO event (id, kind, at_ms, outage, body) VALUES (:id, :kind, :at_ms, NULL, :body)"
    away = {"from_ms": LOADED, "reason": "DatabaseLocked", "waited": 42, "dropped_checks": 7}
    with ledger_with(tmp_path) as ledger:
        with ledger.decide() as connection:
            run(connection, insert, id="b.1.away", kind="ledger.away", at_ms=LOADED, body=json.dumps(away))
            run(
                connection, insert, id="P-1", kind="prober.blind", at_ms=LOADED, body='{"text": "no reference answers"}'
            )
            run(connection, insert, id="P-2", kind="prober.stalled", at_ms=LOADED, body='{"text": "it stood still"}')
        clock = Clock(LOADED + MINUTE)
        async with (
            mail_server() as smtp,
            hook_server() as hook,
            running(ledger, clock, mail(smtp.port), webhook(hook.url)),
        ):
            await until(lambda: len(smtp.mails) == 2 and len(hook.requests) == 2)
    assert [message["Subject"] for message in smtp.mails] == [
        "nines itself: the database could not be written, 12:00:00 UTC",
        "nines itself: our own link is lost, time is unknown and no downtime, 12:00:00 UTC",
    ]
    words = "DatabaseLocked: 42 observations waited and are on record; for 7 plain checks there was no room."
    assert words in smtp.mails[0].get_content()
    told = [json.loads(body) for _, body in hook.requests]
    assert [(each["event"], each["outage"], each["affects"]) for each in told] == [
        ("ledger.away", None, []),
        ("prober.blind", None, []),
    ]


async def test_an_outage_is_told_on_every_channel_opening_first(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        clock = Clock(observe(ledger, "api", OUTAGE, from_ms=LOADED))
        async with (
            mail_server() as smtp,
            hook_server() as hook,
            running(ledger, clock, mail(smtp.port), webhook(hook.url)),
        ):
            await until(lambda: len(smtp.mails) == 2 and len(hook.requests) == 2)
            await until(lambda: [state for _, state, _ in deliveries(ledger)] == ["sent"] * 4)
    assert [message["Subject"] for message in smtp.mails] == [
        "Down: API since 12:02:00 UTC",
        "Up again: API, down for 3 min 0 s",
    ]
    told = [json.loads(body) for _, body in hook.requests]
    assert [each["event"] for each in told] == ["outage.opened", "outage.closed"]
    assert told[0]["affects"] == [
        {"service": "Shop", "client": "Sample Client", "contract": "sample-shop", "target_pct": "99.9"},
        {"service": "API", "client": "Second Client", "contract": "second-api", "target_pct": "99.0"},
    ]
    assert "Part of: Shop for Sample Client, 99.9 % promised" in smtp.mails[0].get_content()


async def test_an_outage_inside_announced_maintenance_says_so(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:  # a window on the service from 18:00 to 19:00
        observe(ledger, "spare", "uudd", from_ms=at("18:10:00"))
        clock = Clock(observe(ledger, "api", "uudd", from_ms=at("18:20:00")))
        async with hook_server() as hook, running(ledger, clock, webhook(hook.url)):
            await until(lambda: len(hook.requests) == 2)
    told = {json.loads(body)["outage"]["endpoint"]["id"]: json.loads(body) for _, body in hook.requests}
    assert told["spare"]["outage"]["maintenance_to_ms"] is None
    assert told["api"]["outage"]["maintenance_to_ms"] == at("19:00:00")
    assert "Began inside announced maintenance, which ends at 19:00:00 UTC" in told["api"]["text"]


async def test_what_was_not_taken_comes_again_with_the_same_id(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        clock = Clock(observe(ledger, "api", "uudd", from_ms=LOADED))
        async with hook_server() as hook:
            hook.answers = [500]
            async with running(ledger, clock, webhook(hook.url)):
                await until(lambda: refusals(ledger) == 1)  # the pause is set, not only the attempt claimed
                clock.now_ms += 4_999
                await asyncio.sleep(0.05)
                assert len(hook.requests) == 1
                clock.now_ms += 1
                await until(lambda: deliveries(ledger) == [("hook", "sent", 2)])
    first, second = (headers["X-Nines-Id"] for headers, _ in hook.requests)
    assert first == second


async def test_a_channel_that_is_away_holds_up_no_other(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        clock = Clock(observe(ledger, "api", OUTAGE, from_ms=LOADED))
        async with hook_server() as hook:
            dead = webhook(f"http://127.0.0.1:{closed_port()}/", "dead")
            async with running(ledger, clock, dead, webhook(hook.url), mail(closed_port())):
                await until(lambda: len(hook.requests) == 2)
                await until(lambda: ("dead", "pending", 1) in deliveries(ledger))


async def test_the_end_of_an_outage_waits_until_its_beginning_was_told(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        clock = Clock(observe(ledger, "api", OUTAGE, from_ms=LOADED))
        async with hook_server() as hook:
            hook.answers = [500]
            async with running(ledger, clock, webhook(hook.url)):
                await until(lambda: len(hook.requests) == 1)
                await asyncio.sleep(0.05)
                clock.now_ms += 5_000
                await until(lambda: len(hook.requests) == 3)
    assert [json.loads(body)["event"] for _, body in hook.requests] == [
        "outage.opened",
        "outage.opened",
        "outage.closed",
    ]


async def test_a_worker_that_starts_later_sends_nothing_twice(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        clock = Clock(observe(ledger, "api", OUTAGE, from_ms=LOADED))
        async with hook_server() as hook:
            for _ in range(2):
                async with running(ledger, clock, webhook(hook.url)):
                    await until(lambda: [state for _, state, _ in deliveries(ledger)] == ["sent"] * 2)
    assert len(hook.requests) == 2


async def test_a_secret_that_is_gone_is_logged_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def gone() -> str:
        raise RuntimeError("file:hook-secret cannot be read")

    with ledger_with(tmp_path) as ledger:
        clock = Clock(observe(ledger, "api", "uudd", from_ms=LOADED))
        async with running(ledger, clock, WebhookChannel("hook", url=gone)):
            await until(lambda: deliveries(ledger) == [("hook", "pending", 1)])
            await until(lambda: "could not be sent" in caplog.text)


async def test_without_channels_it_waits_and_stops(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        async with running(ledger, Clock(at("13:00:00"))):
            await asyncio.sleep(0)


def test_attempts_grow_apart_and_end_after_a_day() -> None:
    def claimed(attempts: int) -> Claimed:
        return Claimed(1, Happened("O-1.opened", "outage.opened", 0, {}), "hook", attempts)

    waits = [next_attempt_ms(claimed(attempts), at_ms=0) for attempts in range(1, 10)]
    assert waits == [5_000, 15_000, MINUTE, 300_000, 900_000, 1_800_000, 3_600_000, 3_600_000, 3_600_000]
    assert next_attempt_ms(claimed(30), at_ms=24 * 60 * MINUTE + 1) is None


async def test_the_test_alert_says_that_it_is_one() -> None:
    async with hook_server() as hook:
        await send_test(webhook(hook.url), at_ms=LOADED, tz="UTC")
    [(_, body)] = hook.requests
    assert json.loads(body)["event"] == "test"
