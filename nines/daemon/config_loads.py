"""A child notices within a second that somebody took a config in: `nines config apply` beside the running daemon."""

from __future__ import annotations

import asyncio

from ledger.changes import ConfigLoads
from ledger.errors import LedgerError

LOOK_EVERY_S = 0.5


async def watch_config_loads(loads: ConfigLoads, changed: asyncio.Event) -> None:
    """Set `changed` after each load, until cancelled. One that cannot be read yet is noticed afterwards.

    `loads` was made before the config was read, so that none is missed.
    """
    try:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if await asyncio.to_thread(loads.seen):
                    changed.set()
            except LedgerError:
                continue  # whoever writes says what is wrong with it
    finally:
        loads.close()
