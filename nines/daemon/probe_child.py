"""The `probe` child: prober, judge and the one writer of observations. It knows nothing of pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import secrets
from pathlib import Path

from config.endpoint import Endpoint
from config.load import ConfigError, load
from config.model import Config
from ledger.lease import lease
from ledger.observations import ObservationWriter
from ledger.store import Ledger, open_ledger
from nines.clock import now_ms
from nines.daemon.lifeline import Lifeline
from nines.daemon.settings import outlook_of, rates_of, revealer
from nines.notify import notify, status, watchdog_every_s
from probes.prober import Prober

log = logging.getLogger("nines.probe")


def run_probe_child(*, config_path: Path, database: str) -> None:
    """Probe until told to stop. Raises LedgerError or ConfigError where it cannot begin."""
    config = load(config_path)
    _take_descriptors()
    with open_ledger(database, at_ms=now_ms()) as ledger, lease(ledger.path):
        asyncio.run(_probe(ledger, config, config_path))


def _take_descriptors() -> None:
    """As many as the system lets us have: each attempt under way needs one or two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _probe(ledger: Ledger, config: Config, config_path: Path) -> None:
    changed = asyncio.Event()
    lifeline = Lifeline(on_reload=changed.set)
    lifeline.attach()
    writer = ObservationWriter(ledger, boot_id=secrets.token_hex(8), on_commit=_acknowledge)
    writer.life(now_ms())
    prober = Prober(ledger, writer, now_ms, reveal=revealer(config), rates=rates_of(config), outlook=outlook_of(config))
    await prober.apply(_checked_here(config))
    helpers = [
        asyncio.create_task(prober.run()),
        asyncio.create_task(_reload(changed, prober, config_path)),
        asyncio.create_task(_watchdog()),
    ]
    notify("READY=1")
    log.info("watching %d endpoints", len(_checked_here(config)))
    if not config.vantage.references:
        log.info("no reference hosts: the loss of our own link would pass for outages; name some under `vantage:`")
    await lifeline.stop.wait()
    await prober.stop()
    await _end(helpers)
    await asyncio.to_thread(writer.close)
    log.info("stopped, all recorded")


def _acknowledge(events: tuple[str, ...]) -> None:
    """One line for each event that is on disk now: from here on no crash can undo it."""
    for event in events:
        log.info("recorded %s", event)


def _checked_here(config: Config) -> list[Endpoint]:
    """What other locations alone check comes in by import."""
    return [endpoint for endpoint in config.endpoints.values() if endpoint.checked_here]


async def _reload(changed: asyncio.Event, prober: Prober, config_path: Path) -> None:
    """Apply the file again whenever the supervisor, having checked and stored it, passes SIGHUP on."""
    while True:
        await changed.wait()
        changed.clear()
        try:
            config = await asyncio.to_thread(load, config_path)
        except ConfigError as error:
            log.error("the config is bad, the old one stays in force: %s", error)
            status("the config is bad, the old one stays in force")
            prober.meters.config_ok = False
            continue
        prober.meters.config_ok = True
        await prober.apply(_checked_here(config), outlook=outlook_of(config))
        notify("READY=1")
        status(f"watching {len(_checked_here(config))} endpoints")
        log.info("config applied: watching %d endpoints", len(_checked_here(config)))


async def _watchdog() -> None:
    """Tell systemd twice per allowed time that this loop still turns; without a watchdog, nothing."""
    every_s = watchdog_every_s()
    while every_s is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every_s)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
