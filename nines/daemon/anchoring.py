"""The head of the journal, written once a day to where the config says: out of reach of the database's owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from ledger.anchors import SYSLOG, append_to_file, line_of, send_to_syslog
from ledger.errors import LedgerError
from ledger.journal import Head, head
from ledger.store import Ledger

log = logging.getLogger("nines.journal")

ANCHOR_EVERY_S = 86_400.0
TRY_AGAIN_S = 600.0


async def keep_anchoring(
    ledger: Ledger,
    where: str | None,
    clock: Callable[[], int],
    *,
    every_s: float = ANCHOR_EVERY_S,
    syslog: str = SYSLOG,
) -> None:
    """Anchor now and once a day until cancelled; nothing where the config names no place.

    What cannot be written is said in the log and tried again soon; it ends nothing.
    """
    while where is not None:
        wait_s = every_s
        try:
            await asyncio.to_thread(_anchor, ledger, where, clock(), syslog)
        except (OSError, LedgerError) as error:
            log.error("the journal is not anchored: %s; it is tried again in %g s", error, min(every_s, TRY_AGAIN_S))
            wait_s = min(every_s, TRY_AGAIN_S)
        await asyncio.sleep(wait_s)


def _anchor(ledger: Ledger, where: str, at_ms: int, syslog: str) -> None:
    newest: Head | None = head(ledger)
    if newest is None:
        return
    line = line_of(newest, at_ms=at_ms)
    if where == "syslog":
        send_to_syslog(line, address=syslog)
    else:
        append_to_file(Path(where), line)
    log.info("the journal is anchored at record %d: %s", newest.seq, where)
