"""A start at which the ledger cannot be had: said, waited out, and alive to systemd meanwhile.

Nothing is probed until then. Without its histories nobody could tell what an answer means, nor whose it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ledger.errors import AWAY, LedgerError
from nines.notify import feed_watchdog, notify, status

log = logging.getLogger("nines.supervisor")

TRY_AGAIN_S = 2.0
SAY_AGAIN_S = 60.0


async def wait_for_ledger(
    away: LedgerError, begin: Callable[[], object], *, try_now: asyncio.Event, stop: asyncio.Event
) -> None:
    """Call `begin` until it succeeds or `stop` is set. Raises what it does where waiting would not help."""
    loop = asyncio.get_running_loop()
    said, said_s = "", 0.0
    notify("READY=1")  # systemd bounds the time of a start; this has no bound
    feeding = asyncio.create_task(feed_watchdog())
    try:
        while True:
            if said != str(away) or loop.time() - said_s > SAY_AGAIN_S:
                said, said_s = str(away), loop.time()
                log.error("nothing is probed until the ledger can be had: %s", away)
                status(f"waiting for the ledger: {away}")
            await _pause(try_now, stop)
            if stop.is_set():
                return
            try:
                await asyncio.to_thread(begin)
                break
            except AWAY as error:
                away = error
    finally:
        feeding.cancel()
    log.info("the ledger can be had")


async def _pause(try_now: asyncio.Event, stop: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (try_now, stop)]
    await asyncio.wait(waits, timeout=TRY_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    try_now.clear()
