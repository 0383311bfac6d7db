"""The `probe` child: prober, judge and the one writer of observations. It knows nothing of pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import secrets
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry

from config.problems import ConfigError
from ledger.changes import ConfigLoads
from ledger.lease import lease
from ledger.observations import ObservationWriter
from ledger.spool import Spool
from ledger.store import Ledger, open_ledger
from ledger.writer_metrics import WriterMetrics
from nines.clock import now_ms
from nines.daemon.config_loads import watch_config_loads
from nines.daemon.heap import give_back, spare_the_heap
from nines.daemon.lifeline import Lifeline
from nines.daemon.metrics import serve_metrics
from nines.daemon.orders import Orders, Place, read_orders
from nines.daemon.push import listen_where_told
from nines.notify import feed_watchdog, notify, status
from probes.prober import Prober
from probes.prober_metrics import ProberMetrics

log = logging.getLogger("nines.probe")

SETTLE_WITHIN_S = 5.0  # then it is said, and waited on
OLDER_EVERY_S = 1.0


def run_probe_child(*, config_path: Path, database: str) -> None:
    """Probe until told to stop. Raises LedgerError or ConfigError where it cannot begin."""
    _take_descriptors()
    with open_ledger(database, at_ms=now_ms()) as ledger, lease(ledger.path):
        loads = ConfigLoads(ledger)
        orders = read_orders(config_path, ledger.path)
        spool = Spool(orders.spool, ledger.id, size=orders.spool_bytes)
        try:
            probing = _probe(ledger, spool, loads, config_path, orders)
            del orders  # nobody keeps them: what is watched is with the prober
            asyncio.run(probing)
        finally:
            spool.close()


def _take_descriptors() -> None:
    """As many as the system lets us have: each attempt under way needs one or two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _probe(ledger: Ledger, spool: Spool, loads: ConfigLoads, config_path: Path, orders: Orders) -> None:
    changed = asyncio.Event()
    lifeline = Lifeline(on_reload=changed.set)
    lifeline.attach()
    registry = CollectorRegistry()
    writer = ObservationWriter(ledger, boot_id=secrets.token_hex(8), spool=spool, on_commit=_say_recorded)
    WriterMetrics(writer, registry)
    watchdog = asyncio.create_task(feed_watchdog())
    await _settle(writer, spool, lifeline.stop)
    writer.life(now_ms())
    prober = Prober(ledger, writer, now_ms, rates=orders.rates, outlook=orders.outlook, hidden=orders.hidden)
    ProberMetrics(prober.meters, registry)
    metrics = await serve_metrics(registry, orders.metrics)
    await prober.apply(orders.targets)
    places: asyncio.Queue[Place] = asyncio.Queue()
    places.put_nowait(orders.push)
    _say(orders.notes)
    if not orders.outlook.references:
        log.info("no reference hosts: the loss of our own link would pass for outages; name some under `vantage:`")
    del orders
    spare_the_heap()
    helpers = [
        asyncio.create_task(prober.run()),
        asyncio.create_task(_reload(changed, prober, places, config_path, ledger.path)),
        asyncio.create_task(watch_config_loads(loads, changed)),
        asyncio.create_task(listen_where_told(prober, places)),
        asyncio.create_task(_begin_anew_from_an_older_copy(writer, lifeline.stop)),
        watchdog,
    ]
    notify("READY=1")
    log.info("watching %d endpoints", prober.meters.watched)
    await lifeline.stop.wait()
    await prober.stop()
    await _end(helpers)
    if metrics is not None:
        await metrics.cleanup()
    await asyncio.to_thread(writer.close)
    if spool.empty:
        log.info("stopped, all recorded")
    else:
        log.error("stopped; %d observations wait in %s until the ledger is back", spool.records, spool.folder)


async def _settle(writer: ObservationWriter, spool: Spool, stop: asyncio.Event) -> None:
    """Histories go on from what is on record, so what an earlier life left in the spool has to be there before."""
    while not stop.is_set() and not await asyncio.to_thread(writer.settle, SETTLE_WITHIN_S):
        log.error("probing waits: what an earlier life left in %s cannot be written yet", spool.folder)
        notify("READY=1")
        status("waiting for the ledger")


async def _begin_anew_from_an_older_copy(writer: ObservationWriter, stop: asyncio.Event) -> None:
    """What was judged since that copy is not in it: end, and be started again by the supervisor to resume from it."""
    while True:
        await asyncio.sleep(OLDER_EVERY_S)
        if writer.older:
            log.error("the ledger is an older copy of itself; probing begins anew from what it says")
            stop.set()


def _say_recorded(events: tuple[str, ...]) -> None:
    """In the writer's thread, after the commit."""
    for id in events:
        log.info("recorded %s", id)


def _say(notes: Iterable[str]) -> None:
    for note in notes:
        log.warning("%s", note)


async def _reload(
    changed: asyncio.Event, prober: Prober, places: asyncio.Queue[Place], config_path: Path, database: Path
) -> None:
    """Apply the file again whenever the supervisor, having checked and stored it, passes SIGHUP on."""
    while True:
        await changed.wait()
        changed.clear()
        try:
            orders = await asyncio.to_thread(read_orders, config_path, database)
        except ConfigError as error:
            log.error("the config is bad, the old one stays in force: %s", error)
            status("the config is bad, the old one stays in force")
            prober.meters.config_ok = False
            continue
        prober.meters.config_ok = True
        await prober.apply(orders.targets, rates=orders.rates, outlook=orders.outlook, hidden=orders.hidden)
        places.put_nowait(orders.push)
        notify("READY=1")
        status(f"watching {prober.meters.watched} endpoints")
        log.info("config applied: watching %d endpoints", prober.meters.watched)
        _say(orders.notes)
        del orders
        give_back()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
