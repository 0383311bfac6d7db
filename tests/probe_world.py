"""A small world for the prober's tests: servers and reference hosts that die and return on the same port."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from local_servers import ok

from config.endpoint import Endpoint
from ledger.observations import ObservationWriter
from ledger.store import Ledger
from probes.endpoint import target_of
from probes.gate import Rates
from probes.prober import Prober
from probes.steps import Clocks
from probes.target import Target
from probes.vantage import Outlook, Reference

FAST = Rates(per_host_per_s=2_000, global_per_s=2_000)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Site:
    """An HTTP server that can be cut off, brought back on its port, made to answer badly or never."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, 0
        self.status = b"200 OK"
        self.headers: Callable[[], bytes] = bytes
        self.silent = False
        self.asked = 0
        self._server: asyncio.Server | None = None

    async def up(self) -> Site:
        self._server = await asyncio.start_server(self._talk, self.host, self.port, backlog=1_024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    @property
    def reference(self) -> Reference:
        return Reference(self.host, self.port)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.read(2_048):
                self.asked += 1
                if self.silent:
                    await reader.read()
                writer.write(ok(status=self.status, headers=self.headers()))
                await writer.drain()
        except OSError:
            return
        finally:
            writer.transport.abort()


@asynccontextmanager
async def sites(*hosts: str) -> AsyncIterator[list[Site]]:
    found = [await Site(host).up() for host in hosts]
    try:
        yield found
    finally:
        for site in found:
            await site.cut()
        await asyncio.sleep(0.02)


def endpoint(site: Site, id: str, *, interval_ms: int = 200, timeout_ms: int = 150, **settings: Any) -> Endpoint:
    """At a pace faster than a config may say."""
    read = Endpoint.model_validate({"id": id, "url": f"http://{site.host}:{site.port}/"})
    return read.model_copy(update={"interval_ms": interval_ms, "timeout_ms": timeout_ms, **settings})


def targets(endpoints: Iterable[Endpoint]) -> list[Target]:
    """As the prober is handed them; no secret is there."""
    return [target_of(one, lambda secret: secret.reveal(None, {})) for one in endpoints]


@asynccontextmanager
async def probing(
    ledger: Ledger,
    endpoints: list[Endpoint],
    *,
    references: list[Site] | None = None,
    clock: Callable[[], int] = now_ms,
    clocks: Clocks | None = None,
) -> AsyncIterator[Prober]:
    """A prober that runs and is stopped cleanly; what it saw is on disk afterwards."""
    writer = ObservationWriter(ledger, boot_id="boot", batch_every_s=0.05)
    outlook = Outlook(tuple(site.reference for site in references or []))
    prober = Prober(ledger, writer, clock, rates=FAST, outlook=outlook, clocks=clocks)
    await prober.apply(targets(endpoints))
    running = asyncio.create_task(prober.run())
    try:
        yield prober
    finally:
        await prober.stop(grace_s=0.3)
        await running
        await asyncio.to_thread(writer.close)


async def until(found: Callable[[], object], *, within_s: float = 30.0) -> None:
    """Look again and again; the thing waited for happens by the prober's own clock."""
    ends = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < ends, "it did not happen in time"
        await asyncio.sleep(0.02)


def rows(ledger: Ledger, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(Path(ledger.path)) as connection:
        return connection.execute(query).fetchall()


def intervals(ledger: Ledger, kind: str) -> list[tuple[int, int | None]]:
    return [(row[0], row[1]) for row in rows(ledger, f"SELECT from_ms, to_ms FROM \"interval\" WHERE kind = '{kind}'")]


def notices(ledger: Ledger) -> list[str]:
    return [row[0] for row in rows(ledger, "SELECT kind FROM event WHERE kind LIKE 'prober.%' ORDER BY number")]


def verdicts(ledger: Ledger) -> list[tuple[int, int, str | None]]:
    """(instant, verdict, error) of every check, in the order in which they were written down."""
    query = """SELECT at_ms, verdict, error FROM raw_check LEFT JOIN check_evidence USING (endpoint, location, at_ms)
ORDER BY at_ms"""
    return [(row[0], row[1], row[2]) for row in rows(ledger, query)]
