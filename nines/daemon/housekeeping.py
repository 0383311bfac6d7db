"""Keeping the ledger small while the daemon runs: days rolled up, what is old deleted, a little at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

from ledger.errors import LedgerError
from ledger.retention import Retention, housekeeping, in_words
from ledger.store import Ledger

log = logging.getLogger("nines.web")

EVERY_S = 600.0
LEAST_REST_S = 0.02  # between two steps; at least as long as the step took, so that others find the ledger free


async def keep_house(ledger: Ledger, retention: Retention, clock: Callable[[], int]) -> None:
    """Do what is due, now and every ten minutes, until cancelled. A ledger that cannot be had is tried again."""
    while True:
        try:
            done = await _once(ledger, retention, clock())
        except LedgerError as error:
            log.warning("housekeeping waits: %s", error)
        except Exception:  # a mistake of ours must not end it unsaid: the ledger would grow for years
            log.exception("housekeeping failed and is tried again")
        else:
            if done:
                log.info("housekeeping: %s", in_words(done))
        await asyncio.sleep(EVERY_S)


async def _once(ledger: Ledger, retention: Retention, now_ms: int) -> Counter[str]:
    """How much of each kind was done."""
    steps = housekeeping(ledger, retention, now_ms=now_ms)
    done: Counter[str] = Counter()
    while True:
        begun_s = time.monotonic()
        step = await asyncio.to_thread(next, steps, None)
        if step is None:
            return done
        done[step.what] += step.count
        await asyncio.sleep(max(LEAST_REST_S, time.monotonic() - begun_s))
