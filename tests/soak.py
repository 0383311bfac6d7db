"""The prober for a while, with everything that can befall it, on real sockets: what is booked equals the script.

    python tests/soak.py [--minutes 30] [--endpoints 500] [--interval 5]

Endpoints die, return and stall by a script drawn from a seed; the config is reloaded again and again with endpoints
that come, go and change their pace; for a while nothing at all can be seen; once the wall clock is set.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from local_servers import ok
from probe_world import Site, intervals, notices, now_ms, probing, rows, sites, targets

from config.endpoint import Endpoint
from ledger.store import Ledger, open_ledger

STEP_MS = 7_000
RELOADS = 20
COMES_AND_GOES = "guest"  # no fault befalls it, so nothing may be booked of it


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how many, how often. Times in seconds."""

    minutes: float = 30.0
    endpoints: int = 500
    interval_s: float = 5.0
    slack_s: float = 1.0  # on a busy machine an edge may be seen so much later

    @property
    def total_s(self) -> float:
        return self.minutes * 60

    @property
    def timeout_s(self) -> float:
        return self.interval_s / 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One endpoint is bad from one share of the whole time to another; silent or with an error."""

    endpoint: str
    from_share: float
    to_share: float
    silent: bool


@dataclass(slots=True)
class World:
    """One server for all endpoints, each by its path, and what truly was, by the wall clock of then."""

    bad: dict[str, bool] = field(default_factory=dict)  # endpoint: silent?
    truth: list[tuple[str, int, int]] = field(default_factory=list)
    ahead_ms: int = 0
    server: asyncio.Server | None = None
    port: int = 0

    def clock(self) -> int:
        return now_ms() + self.ahead_ms

    async def up(self) -> None:
        self.server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, backlog=1_024)
        self.port = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self.server is not None:
            self.server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            name = (await reader.read(2_048)).split(b" ")[1].decode().strip("/")
            if self.bad.get(name):
                await reader.read()
            writer.write(ok(status=b"503 Busy" if name in self.bad else b"200 OK"))
            await writer.drain()
        writer.transport.abort()


def script(plan: Plan, seed: int = 1) -> list[Fault]:
    """One fault in each of two thirds of the endpoints, before the clock is set or after it, none near the edges."""
    draw, found = Random(seed), []
    shortest = 4 * plan.interval_s / plan.total_s
    for number in range(0, plan.endpoints, 3):
        early = number % 2 == 0
        first, last = (0.10, 0.42) if early else (0.52, 0.80)
        start = draw.uniform(first, last - shortest)
        found.append(Fault(f"e{number}", start, draw.uniform(start + shortest, last), silent=number % 5 == 0))
    return found


def watched(plan: Plan, world: World, *, reload: int) -> list[Endpoint]:
    """The endpoints of the config as it is after so many reloads; those without faults change their pace, and more."""
    names = [f"e{number}" for number in range(plan.endpoints)]
    if reload % 2:
        names.append(COMES_AND_GOES)
    found = []
    for place, name in enumerate(names):
        read = Endpoint.model_validate({"id": name, "url": f"http://127.0.0.1:{world.port}/{name}"})
        slower = place % 3 == 1 and reload % 2 == 1
        settings = {
            "interval_ms": round(plan.interval_s * 1000 * (1.5 if slower else 1)),
            "timeout_ms": round(plan.timeout_s * 1000),
            "retry_every_ms": round(plan.interval_s * 250),
            "name": f"{name}, reload {reload}",
        }
        found.append(read.model_copy(update=settings))
    return found


async def _fault(plan: Plan, world: World, fault: Fault) -> None:
    await asyncio.sleep(fault.from_share * plan.total_s)
    world.bad[fault.endpoint], began_ms = fault.silent, world.clock()
    await asyncio.sleep((fault.to_share - fault.from_share) * plan.total_s)
    del world.bad[fault.endpoint]
    world.truth.append((fault.endpoint, began_ms, world.clock()))


async def _trouble(plan: Plan, world: World, references: list[Site]) -> None:
    """The clock is set at 47 % of the time; from 85 to 92 % nothing is seen."""
    await asyncio.sleep(0.47 * plan.total_s)
    world.ahead_ms += STEP_MS
    await asyncio.sleep(0.38 * plan.total_s)
    for site in (world, *references):
        await site.cut()
    await asyncio.sleep(0.07 * plan.total_s)
    for site in (world, *references):
        await site.up()


class Mistakes(logging.Handler):
    """Whatever went wrong in the prober itself: a check that was made and could not be judged is time lost."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


async def soak(plan: Plan, ledger: Ledger) -> list[str]:
    """Run it all; what is wrong with what was booked, nothing if all is well."""
    world, mistakes = World(), Mistakes()
    logging.getLogger().addHandler(mistakes)
    await world.up()
    async with sites("127.0.0.1", "127.0.1.1") as references:
        before = (len(asyncio.all_tasks()), _descriptors())
        first = watched(plan, world, reload=0)
        async with probing(ledger, first, references=references, clock=world.clock) as prober:
            story = [asyncio.create_task(_fault(plan, world, fault)) for fault in script(plan)]
            story.append(asyncio.create_task(_trouble(plan, world, references)))
            for reload in range(1, RELOADS + 1):
                await asyncio.sleep(plan.total_s / (RELOADS + 1))
                await prober.apply(targets(watched(plan, world, reload=reload)))
            await asyncio.gather(*story)
            await asyncio.sleep(plan.total_s / (RELOADS + 1))
        await asyncio.sleep(0.1)
        after = (len(asyncio.all_tasks()), _descriptors())
    await world.cut()
    logging.getLogger().removeHandler(mistakes)
    leaks = [f"{after[0] - before[0]} tasks are left"] if after[0] > before[0] else []
    if after[1] > before[1] + 8:  # connections that the server's side still closes
        leaks.append(f"{after[1] - before[1]} descriptors are left")
    return mistakes.found[:10] + leaks + compare(plan, ledger, world)


def compare(plan: Plan, ledger: Ledger, world: World) -> list[str]:
    """Booked and true outages side by side, an interval of grace at each edge."""
    query = """SELECT e.id, i.from_ms, i.to_ms FROM "interval" AS i JOIN endpoint AS e ON e.number = i.endpoint
WHERE i.kind = 'down' ORDER BY e.id, i.from_ms"""
    booked, true = rows(ledger, query), sorted(world.truth)
    grace_ms = round((plan.interval_s * 1.5 + plan.timeout_s + plan.slack_s) * 1000)
    wrong = []
    if [row[0] for row in booked] != [row[0] for row in true]:
        wrong.append(f"booked of {[row[0] for row in booked]}, true of {[row[0] for row in true]}")
    for (name, from_ms, to_ms), (_, true_from, true_to) in zip(booked, true, strict=False):
        if not -grace_ms <= from_ms - true_from <= grace_ms:
            wrong.append(f"{name} begins {from_ms - true_from} ms after the truth")
        if to_ms is None or not -grace_ms <= to_ms - true_to <= grace_ms:
            wrong.append(f"{name} ends {'never' if to_ms is None else f'{to_ms - true_to} ms after the truth'}")
    blind = rows(ledger, "SELECT from_ms, to_ms FROM \"interval\" WHERE error = 'prober_blind'")
    if len(blind) != 1 or not 0.05 * plan.total_s * 1000 < blind[0][1] - blind[0][0]:
        wrong.append(f"blind spells: {blind}")
    if len(intervals(ledger, "clock_step")) != 1:
        wrong.append(f"clock steps: {intervals(ledger, 'clock_step')}")
    told = [what for what in notices(ledger) if what != "prober.stalled"]
    return wrong if told == ["prober.clock_step", "prober.blind"] else [*wrong, f"told to operations: {told}"]


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--endpoints", type=int, default=500)
    parser.add_argument("--interval", type=float, default=5.0)
    asked = parser.parse_args()
    plan = Plan(asked.minutes, asked.endpoints, asked.interval)
    began_s = time.process_time()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        ledger = open_ledger(Path(folder) / "nines.db", at_ms=now_ms(), create=True)
        wrong = asyncio.run(soak(plan, ledger))
        [(checks,)] = rows(ledger, "SELECT count(*) FROM raw_check")
        [(outages,)] = rows(ledger, "SELECT count(*) FROM \"interval\" WHERE kind = 'down'")
    sys.stdout.write(f"{checks} checks, {outages} outages, {time.process_time() - began_s:.0f} s of CPU\n")
    sys.stdout.write("".join(f"WRONG: {line}\n" for line in wrong) or "booked as the script says\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
