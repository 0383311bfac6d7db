"""`/metrics` for Prometheus. The probe child's has a listener of its own, which answers while the pages are dead."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from nines.daemon.orders import Place

log = logging.getLogger("nines.metrics")


def add_metrics(app: web.Application, registry: CollectorRegistry) -> None:
    """Let the application answer at `/metrics`."""

    async def metrics(_: web.Request) -> web.Response:
        body = await asyncio.to_thread(generate_latest, registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", metrics)


async def serve_metrics(registry: CollectorRegistry, address: Place) -> web.AppRunner | None:
    """Listen until the runner's `cleanup`. None where nobody wants it, or the port is taken, which is said."""
    if address is None:
        return None

    app = web.Application()
    add_metrics(app, registry)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, *address).start()
    except OSError as error:
        await runner.cleanup()
        place = "{}:{}".format(*address)
        reason = f"{place} cannot be listened on: {error.strerror or error}"
        log.error("%s; no metrics until then: free it, or set another `listen: {metrics: 127.0.0.1:8091}`", reason)
        return None
    log.info("metrics on http://%s:%d/metrics", *address)
    return runner
