"""What holds for every test: no task is left running, no exception is lost in one."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow]  # facts of whole services take a while to make up
settings.register_profile("fast", max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("many", max_examples=1_000, deadline=None, suppress_health_check=SLOW, database=None)
settings.load_profile(os.environ.get("NINES_PROPERTIES", "fast"))


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> None:
    """Watches the loop of every asynchronous test; set up first and therefore torn down last."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("watched_loop")


@pytest.fixture
async def watched_loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
    """The running loop; fails the test for tasks that it leaves and for exceptions that nobody caught."""
    loop = asyncio.get_running_loop()
    lost: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: lost.append(context))
    before = asyncio.all_tasks(loop)
    yield loop
    for _ in range(3):  # callbacks of what was just cancelled or closed run first
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks(loop) - before if task is not asyncio.current_task()]
    gc.collect(1)  # a failed task that nobody awaited speaks when it is collected
    loop.set_exception_handler(None)
    assert not left, f"tasks still running at the end of the test: {left}"
    assert not lost, f"exceptions that nobody caught: {[context.get('exception') or context for context in lost]}"


@pytest.fixture
async def descriptors_kept(watched_loop: asyncio.AbstractEventLoop) -> AsyncIterator[None]:
    """For tests of attempts: as many descriptors are open after them as before."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    for _ in range(200):  # the servers' own connections close on the next turns of the loop
        gc.collect(1)
        if len(os.listdir("/proc/self/fd")) <= before:
            return
        await asyncio.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before, "descriptors were left open"
