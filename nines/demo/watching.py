"""Looking on while the daemon records: the board once a second, and what was counted in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata

from ledger.errors import LedgerError
from ledger.store import Ledger, open_ledger
from nines.clock import now_ms
from nines.demo.stage import Stage
from nines.demo.view import View
from reporting import statements
from reporting.board import Board
from reporting.board_source import read_board
from reporting.wording import used
from sla.statement import ServiceStatement

ENDPOINTS = 3


class NothingSeen(Exception):
    """The daemon runs and has recorded nothing after half a minute."""


class Watching:
    """Reads the ledger that the daemon writes. Each look opens it anew, as any other command would."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def first_checks(self, patience_s: float = 30.0) -> None:
        """Wait until every service has been seen up. Raises DaemonDied or NothingSeen."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while asyncio.get_running_loop().time() < deadline:
            self._stage.daemon.still_runs()
            board = await asyncio.to_thread(self._board)
            if board is not None and len(board.rows) == ENDPOINTS and all(row.state == "up" for row in board.rows):
                return
            await asyncio.sleep(0.2)
        raise NothingSeen(f"the daemon has recorded nothing in {patience_s:g} s")

    async def show(self, view: View) -> None:
        """The board to the view once a second, until cancelled. Raises DaemonDied."""
        while True:
            self._stage.daemon.still_runs()
            board = await asyncio.to_thread(self._board)
            if board is not None:
                view.board(board)
            await asyncio.sleep(1 - now_ms() % 1000 / 1000)

    def _board(self) -> Board | None:
        """None while the daemon is still making its ledger."""
        at_ms = now_ms()
        try:
            with open_ledger(self._stage.database, at_ms=at_ms) as ledger:
                return read_board(ledger, now_ms=at_ms)
        except LedgerError:
            return None


def counted_lines(ledger: Ledger, *, at_ms: int) -> Iterator[str]:
    """What the running month's statements say of the half minute, a line for each outage and service."""
    period = f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m}"
    for statement in statements.build_all(ledger, period, now_ms=at_ms, version=metadata.version("nines")):
        for service in statement.services:
            yield from _service_lines(service)


def _service_lines(service: ServiceStatement) -> Iterator[str]:
    budget, split = service.budget, service.split_ms
    allowed = f"; {used(budget.used_ms)} of {used(budget.allowed_ms)} allowed this month" if budget else ""
    yield f"  {service.name}: down {_seconds(split['down'])}, degraded {_seconds(split['degraded'])}{allowed}"
    for outage in service.outages:
        if outage.to_ms is not None:
            lengths = f"{outage.kind} {_seconds(outage.down_ms)}; {_seconds(outage.counted_ms)} count"
            yield f"    {outage.id}  {_instant(outage.from_ms)} to {_instant(outage.to_ms)} UTC, {lengths}"
    for window in service.maintenance:
        span = f"{_instant(window.from_ms)} to {_instant(window.to_ms)} UTC"
        yield f"    window {span}, {'accepted' if window.accepted else 'not accepted'}: {window.why}"


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03} s"


def _instant(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S}.{ms % 1000:03}"
