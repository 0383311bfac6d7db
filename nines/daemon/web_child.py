"""The `web` child: pages and the board's figures, alerts, answers to ended maintenance, housekeeping.

It may die and come back while probing goes on.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry

from config.load import ConfigError, load
from config.model import Config
from config.retention import kept_ms
from ledger.changes import ConfigLoads
from ledger.retention import Retention
from ledger.store import Ledger, open_ledger
from nines.clock import now_ms
from nines.daemon.anchoring import keep_anchoring
from nines.daemon.config_loads import watch_config_loads
from nines.daemon.figures import keep_figures
from nines.daemon.housekeeping import keep_house
from nines.daemon.lifeline import Lifeline
from nines.daemon.metrics import add_metrics
from nines.daemon.settings import revealer
from reporting.alerts.channels import channels_of
from reporting.alerts.worker import AlertWorker
from reporting.board import Board, Row
from reporting.board_metrics import BoardMetrics
from reporting.board_source import read_board, read_promised, read_pulse
from reporting.maintenance import keep_deciding
from reporting.pages import make_app

log = logging.getLogger("nines.web")


class PortTaken(Exception):
    """The pages cannot be served where the config says."""


def run_web_child(*, config_path: Path, database: str) -> None:
    """Serve and alert until told to stop. Raises LedgerError, ConfigError or PortTaken where it cannot begin."""
    with open_ledger(database, at_ms=now_ms()) as ledger:
        loads = ConfigLoads(ledger)
        asyncio.run(_web(ledger, loads, load(config_path), config_path))


async def _web(ledger: Ledger, loads: ConfigLoads, config: Config, config_path: Path) -> None:
    changed = asyncio.Event()
    lifeline = Lifeline(on_reload=changed.set)
    lifeline.attach()
    registry = CollectorRegistry()
    figures, tz = BoardMetrics(registry), config.timezone or "UTC"

    def board() -> Board:
        return read_board(ledger, now_ms=now_ms(), tz=tz)

    def promised() -> tuple[Row, ...]:
        return read_promised(ledger, now_ms=now_ms(), tz=tz)

    app = make_app(board=board, pulse=lambda: read_pulse(ledger, now_ms=now_ms()), clock=now_ms)
    add_metrics(app, registry)
    runner = await _serve(app, config)
    background = [
        asyncio.create_task(keep_figures(figures, promised)),
        asyncio.create_task(keep_deciding(ledger, now_ms)),
        asyncio.create_task(watch_config_loads(loads, changed)),
    ]
    try:
        while not lifeline.stop.is_set():
            config = await _alert_until_changed(ledger, config, config_path, changed, lifeline.stop)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await runner.cleanup()
    log.info("stopped")


async def _serve(app: web.Application, config: Config) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=3.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.listen.host, config.listen.port).start()
    except OSError as error:
        await runner.cleanup()
        reason = f"{config.listen.web} cannot be listened on: {error.strerror or error}"
        raise PortTaken(f"{reason}; free it, or set another `listen: {{web: 127.0.0.1:8090}}`") from None
    log.info("pages on http://%s/", config.listen.web)
    return runner


async def _alert_until_changed(
    ledger: Ledger, config: Config, config_path: Path, changed: asyncio.Event, stop: asyncio.Event
) -> Config:
    """Run the alerts of this config until the file changes or the daemon stops; the config then in force."""
    worker = AlertWorker(ledger, channels_of(config.alerts, revealer(config)), now_ms, tz=config.timezone or "UTC")
    alerting = asyncio.create_task(worker.run())
    anchoring = asyncio.create_task(keep_anchoring(ledger, config.journal.anchor, now_ms))
    keeping = asyncio.create_task(keep_house(ledger, _retention_of(config), now_ms))
    waits = [asyncio.create_task(changed.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    worker.stop()
    for task in (anchoring, keeping, *waits):
        task.cancel()
    await asyncio.gather(alerting, anchoring, keeping, *waits, return_exceptions=True)
    if not changed.is_set():
        return config
    changed.clear()
    try:
        return await asyncio.to_thread(load, config_path)
    except ConfigError as error:
        log.error("the config is bad, the old one stays in force: %s", error)
        return config


def _retention_of(config: Config) -> Retention:
    """How long the config keeps what may go."""
    kept = config.retention
    return Retention(checks_ms=kept_ms(kept.checks), messages_ms=kept_ms(kept.messages))
