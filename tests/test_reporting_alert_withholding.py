"""What is told of an endpoint that flaps, and of one that is reached through another: real ledger, worker, receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reporting_ledgers import LOADED, MINUTE, Play, ledger_with
from reporting_receivers import hook_server

from ledger.outages import outages
from ledger.store import Ledger
from reporting.alerts.webhook import WebhookChannel
from reporting.alerts.worker import AlertWorker
from reporting.incidents import incidents_of
from reporting.outages import as_data

CONFIG = """
version: 1
timezone: UTC
endpoints:
  router: {url: "icmp://127.0.0.1", name: Router}
  shop: {url: "http://127.0.0.1:8101/", name: Shop, parent: router}
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with ledger_with(tmp_path, CONFIG) as found:
        yield found


async def told(ledger: Ledger, play: Play, minutes: int) -> list[tuple[int, str]]:
    """Let so many minutes pass, a check a minute of each endpoint; (minute, subject) of what the receiver was told."""
    heard: list[tuple[int, str]] = []
    now = {"ms": LOADED}
    async with hook_server() as hook:
        channel = WebhookChannel(id="hook", url=lambda: hook.url, timeout_s=5.0)
        worker = AlertWorker(ledger, {"hook": channel}, lambda: now["ms"])
        for minute in range(minutes):
            play.check(minute)
            for step in range(12):  # the worker looks every 5 s of the played time
                now["ms"] = LOADED + minute * MINUTE + 30_000 + step * 5_000
                while await worker.deliver_next(channel):
                    new = [json.loads(body)["subject"].split(" since ")[0] for _, body in hook.requests[len(heard) :]]
                    heard += [((now["ms"] - LOADED) // MINUTE, subject) for subject in new]
    return heard


def withheld(ledger: Ledger) -> list[str]:
    with ledger.read() as connection:
        query = (
            "SELECT e.id, d.error FROM delivery AS d JOIN event AS e ON e.number = d.event WHERE d.state = 'given_up'"
        )
        rows = connection.exec_driver_sql(f"{query} ORDER BY e.number").all()
    return [f"{row.id.partition('.')[2]} {row.error.partition('(')[0].strip()}" for row in rows]


def causes(ledger: Ledger, endpoint: str) -> list[Any]:
    found = outages(ledger, endpoints=[endpoint])
    return [row["cause"] for row in as_data(found, now_ms=LOADED, incidents=incidents_of(ledger, found))]


async def test_case_30_is_told_as_one_flapping_incident(ledger: Ledger) -> None:
    with Play(ledger, {"router": "u" * 40, "shop": "du" * 10 + "u" * 20}, confirm=1) as play:
        heard = await told(ledger, play, 40)
    assert heard == [
        (0, "Down: Shop"),
        (1, "Up again: Shop, down for 1 min 0 s"),
        (2, "Down: Shop"),
        (3, "Up again: Shop, down for 1 min 0 s"),
        (4, "Flapping: Shop, down 3 times"),
        (24, "Steady again: Shop, was down 10 times"),
    ]
    recorded = outages(ledger)
    found = as_data(recorded, now_ms=LOADED, incidents=incidents_of(ledger, recorded))
    assert sum(row["lasted_ms"] for row in found) == 600_000
    assert {row["incident"] for row in found} == {found[-1]["id"]}
    assert len(withheld(ledger)) == 20 - 6


async def test_what_flapped_and_then_stays_down_is_told_again(ledger: Ledger) -> None:
    with Play(ledger, {"router": "u" * 30, "shop": "du" * 4 + "d" * 10 + "u" * 12}, confirm=1) as play:
        heard = await told(ledger, play, 30)
    assert heard[4:] == [
        (4, "Flapping: Shop, down 3 times"),
        (13, "Down: Shop"),
        (23, "Steady again: Shop, was down 5 times"),
    ]


async def test_a_child_is_not_told_while_its_parent_is_down(ledger: Ledger) -> None:
    with Play(ledger, {"router": "uudddduuu", "shop": "uudddduuu"}) as play:
        heard = await told(ledger, play, 9)
    assert heard == [(3, "Down: Router"), (6, "Up again: Router, down for 4 min 0 s")]
    assert withheld(ledger) == [
        "opened withheld: router, through which it is reached, was down",
        "closed withheld: its beginning was withheld",
    ]
    assert (causes(ledger, "shop"), causes(ledger, "router")) == (["parent_down"], ["http_status"])


async def test_a_child_that_fails_first_waits_for_what_its_parent_says(ledger: Ledger) -> None:
    with Play(ledger, {"router": "uuu-dddduuu", "shop": "uuuddddduuu"}) as play:
        heard = await told(ledger, play, 11)
    assert heard == [(5, "Down: Router"), (8, "Up again: Router, down for 4 min 0 s")]
    assert causes(ledger, "shop") == ["parent_down"]


async def test_a_child_that_stays_down_when_its_parent_is_back_is_told_after_all(ledger: Ledger) -> None:
    with Play(ledger, {"router": "uuddduuuuu", "shop": "uuddddddduu"}) as play:
        heard = await told(ledger, play, 10)
    assert heard == [
        (3, "Down: Router"),
        (5, "Up again: Router, down for 3 min 0 s"),
        (6, "Down: Shop"),
        (9, "Up again: Shop, down for 7 min 0 s"),
    ]


async def test_a_child_that_fails_alone_is_told_at_once(ledger: Ledger) -> None:
    with Play(ledger, {"router": "uuuuuuu", "shop": "uudddu"}) as play:
        assert await told(ledger, play, 6) == [(3, "Down: Shop"), (5, "Up again: Shop, down for 3 min 0 s")]
    assert causes(ledger, "shop") == ["http_status"]


async def test_a_parent_that_says_nothing_holds_nobody_up_for_long(ledger: Ledger) -> None:
    with Play(ledger, {"router": "uu", "shop": "uuddddddu"}) as play:
        assert await told(ledger, play, 9) == [(5, "Down: Shop"), (8, "Up again: Shop, down for 6 min 0 s")]
