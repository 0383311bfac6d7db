"""The board's figures for a metrics registry, made anew each minute, however often they are asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ledger.errors import LedgerError
from reporting.board import Row
from reporting.board_metrics import BoardMetrics

log = logging.getLogger("nines.web")

EVERY_S = 60.0


async def keep_figures(metrics: BoardMetrics, read: Callable[[], Sequence[Row]]) -> None:
    """Until cancelled. While the board cannot be read no figure is told: an old one would pass for the present."""
    while True:
        try:
            metrics.rows = await asyncio.to_thread(read)
        except LedgerError as error:
            metrics.rows = ()
            log.warning("the figures of the board are missing from /metrics: %s", error)
        except Exception:  # a mistake of ours must not end it unsaid
            metrics.rows = ()
            log.exception("the figures of the board are missing from /metrics; they are tried again")
        await asyncio.sleep(EVERY_S)
