"""The loop that tells: it claims what is due for each channel, sends it, and tries again later when nobody took it.

Every event reaches every channel at least once, with the same id at each attempt; a worker that dies while it sends
leaves the claim to run out. Channels never wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial

from ledger.errors import LedgerError
from ledger.events import Claimed, claim_deliveries, mark_failed, mark_sent
from ledger.store import Ledger
from reporting.alerts.channel import Channel, NotDelivered
from reporting.alerts.message import trial
from reporting.alerts.story import alert_of
from reporting.alerts.withholding import worth_telling

log = logging.getLogger("nines.alerts")

POLL_S = 1.0
ATTEMPT_S = 60.0  # one attempt in all; well under the life of a claim
STOP_WITHIN_S = 5.0
RETRY_AFTER_S = (5, 15, 60, 300, 900, 1_800, 3_600)  # then every hour
GIVE_UP_AFTER_MS = 86_400_000


class AlertWorker:
    """Runs until `stop`. For other channels (a reloaded config) make another worker.

    `clock` gives ms since the epoch; `tz` is the zone in which times are told.
    """

    def __init__(
        self,
        ledger: Ledger,
        channels: Mapping[str, Channel],
        clock: Callable[[], int],
        *,
        tz: str = "UTC",
        poll_s: float = POLL_S,
    ) -> None:
        self._ledger, self._channels, self._clock, self._tz = ledger, dict(channels), clock, tz
        self._poll_s = poll_s
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Deliver until `stop` is called; an attempt that is under way then has five seconds to end."""
        tasks = [asyncio.create_task(self._serve(channel)) for channel in self._channels.values()]
        try:
            await self._stopping.wait()
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        self._stopping.set()

    async def _serve(self, channel: Channel) -> None:
        while not self._stopping.is_set():
            try:
                busy = await self.deliver_next(channel)
            except LedgerError as error:
                log.error("alerts.%s: %s", channel.id, error)
                busy = False
            except Exception:
                log.exception("alerts.%s: a fault of ours; the loop goes on", channel.id)
                busy = False
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._poll_s)

    async def deliver_next(self, channel: Channel) -> bool:
        """Tell the channel the oldest thing that is due and worth telling; False where nothing is."""
        now_ms = self._clock()
        claimed = await asyncio.to_thread(
            claim_deliveries,
            self._ledger,
            [channel.id],
            at_ms=now_ms,
            limit=1,
            worth=partial(worth_telling, now_ms=now_ms),
        )
        for delivery in claimed:
            await self._attempt(channel, delivery)
        return bool(claimed)

    async def _attempt(self, channel: Channel, delivery: Claimed) -> None:
        try:
            await self._send(channel, delivery)
        except NotDelivered as error:
            await self._failed(channel, delivery, str(error))
        except Exception as error:  # a secret that is gone, a fault of ours: it must not stay claimed in silence
            log.exception("alerts.%s: %s could not be sent", channel.id, delivery.event.id)
            await self._failed(channel, delivery, type(error).__name__)
        else:
            await asyncio.to_thread(mark_sent, self._ledger, delivery, at_ms=self._clock())
            log.info("alerts.%s: %s sent", channel.id, delivery.event.id)

    async def _send(self, channel: Channel, delivery: Claimed) -> None:
        alert = await asyncio.to_thread(alert_of, self._ledger, delivery.event, tz=self._tz)
        try:
            async with asyncio.timeout(ATTEMPT_S):
                await channel.send(alert, ledger_id=self._ledger.id, at_ms=self._clock())
        except TimeoutError:
            raise NotDelivered(f"not taken within {ATTEMPT_S:g} s") from None

    async def _failed(self, channel: Channel, delivery: Claimed, reason: str) -> None:
        next_ms = next_attempt_ms(delivery, at_ms=self._clock())
        await asyncio.to_thread(mark_failed, self._ledger, delivery, error=reason, next_ms=next_ms)
        then = "it is given up" if next_ms is None else "it is tried again"
        log.warning("alerts.%s: %s not delivered, %s: %s", channel.id, delivery.event.id, then, reason)


def next_attempt_ms(delivery: Claimed, *, at_ms: int) -> int | None:
    """When to try again: later each time; None once the event is a day old."""
    if at_ms - delivery.event.at_ms > GIVE_UP_AFTER_MS:
        return None
    return at_ms + 1_000 * RETRY_AFTER_S[min(delivery.attempts, len(RETRY_AFTER_S)) - 1]


async def send_test(channel: Channel, *, at_ms: int, tz: str, ledger_id: str = "test") -> None:
    """One marked message, now. Raises NotDelivered."""
    await channel.send(trial(id=f"test-{at_ms}", tz=tz), ledger_id=ledger_id, at_ms=at_ms)
