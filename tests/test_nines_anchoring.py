"""The daemon's anchors: written at its start and daily, and never a reason for it to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from daemon_rig import House, wait_for
from journal_scenes import add
from ledger_scenes import T0, new_ledger

from ledger.anchors import anchors_in
from ledger.journal_check import verify
from ledger.store import Ledger
from nines.daemon.anchoring import keep_anchoring


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


@asynccontextmanager
async def anchoring(ledger: Ledger, where: str | None, **more: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_anchoring(ledger, where, lambda: T0, **more))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(what: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - it looks at files and logs that others write
            await asyncio.sleep(0.01)


def kept(path: Path) -> list[int]:
    return [anchor.seq for anchor in anchors_in(path.read_bytes()).found] if path.exists() else []


async def test_the_head_is_anchored_at_once_and_again_after_the_time(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "nines.anchors"
    add(ledger, 1)
    async with anchoring(ledger, str(path), every_s=0.01):
        await until(lambda: kept(path))
        add(ledger, 2)
        await until(lambda: 2 in kept(path))
    assert verify(ledger, anchors=anchors_in(path.read_bytes()).found).problems == ()


async def test_where_nothing_was_decided_or_no_place_is_named_nothing_is_written(
    ledger: Ledger, tmp_path: Path
) -> None:
    await keep_anchoring(ledger, None, lambda: T0)
    path = tmp_path / "nines.anchors"
    async with anchoring(ledger, str(path), every_s=0.01):
        await asyncio.sleep(0.1)
        assert not path.exists()


async def test_a_place_that_cannot_be_written_is_told_and_tried_again(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "elsewhere" / "nines.anchors"
    add(ledger, 1)
    async with anchoring(ledger, str(path), every_s=0.01):
        await until(lambda: "the journal is not anchored" in caplog.text)
        path.parent.mkdir()
        await until(lambda: kept(path))
    assert f"No such file or directory: '{path}'" in caplog.text


async def test_the_system_s_log_is_a_place_and_its_absence_no_crash(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(ledger, 1)
    caplog.set_level(logging.INFO)
    address = str(tmp_path / "log")
    async with anchoring(ledger, "syslog", every_s=0.01, syslog=address):
        await until(lambda: "the system's log cannot be reached" in caplog.text)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(address)
            log.setblocking(False)
            async with asyncio.timeout(20):
                received = await asyncio.get_running_loop().sock_recv(log, 4096)
            await until(lambda: "the journal is anchored at record 1: syslog" in caplog.text)
    assert [anchor.seq for anchor in anchors_in(received).found] == [1]


def test_the_daemon_anchors_what_its_start_decided(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("journal: {anchor: nines.anchors}\nendpoints: {shop: {url: 'http://127.0.0.1:9/'}}\n")
    try:
        house.start()
        wait_for(lambda: kept(tmp_path / "nines.anchors"))
        assert house.stop() == 0
    finally:
        house.close()
    said = house.nines("journal", "verify", "--anchor", "nines.anchors").stdout
    assert said.startswith("1 records; no accident found; proven by an anchor up to record 1 of ")
