"""The listener of heartbeats, in the probe child: jobs are heard while the pages are dead."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from nines.daemon.orders import Place
from probes.prober import Prober
from probes.push import push_routes

log = logging.getLogger("nines.push")

LOOK_AGAIN_S = 1.0
TRY_AGAIN_S = 5.0


async def listen_where_told(prober: Prober, places: asyncio.Queue[Place]) -> None:
    """Listen at the newest of the places, until cancelled. Between two of them words may be lost, and silence says
    nothing."""
    place = await places.get()
    while True:
        listening = asyncio.create_task(keep_listening(prober, place))
        try:
            while (other := await places.get()) == place:
                pass
            place = other
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def keep_listening(prober: Prober, address: Place) -> None:
    """Listen as soon as the config has a heartbeat, until cancelled. Where the port is taken it is said, and tried
    again; until words can be heard, silence says nothing."""
    while address is not None:
        if not prober.doors:
            await asyncio.sleep(LOOK_AGAIN_S)
            continue
        runner = web.AppRunner(_app(prober), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, *address).start()
            log.info("heartbeats are heard on http://%s:%d/push/", *address)
            prober.listen()
            await asyncio.Event().wait()
        except OSError as error:
            place = "{}:{}".format(*address)
            reason = f"{place} cannot be listened on: {error.strerror or error}"
            log.error("%s; no heartbeat is heard until then: free it, or set another `listen: {push: ...}`", reason)
            await asyncio.sleep(TRY_AGAIN_S)
        finally:
            prober.stop_listening()
            await runner.cleanup()


def _app(prober: Prober) -> web.Application:
    app = web.Application()
    app.add_routes(push_routes(lambda: prober.doors, prober.hear))
    return app
