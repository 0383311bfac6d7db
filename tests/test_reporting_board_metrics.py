"""What the board tells a metrics registry: the budget left, to the millisecond of the statement's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from probe_world import until
from prometheus_client import CollectorRegistry
from reporting_ledgers import LOADED, at, ledger_with, observe

from nines.daemon import figures
from nines.daemon.figures import keep_figures
from reporting.board import Row
from reporting.board_metrics import BoardMetrics
from reporting.board_source import read_board, read_promised
from reporting.statements import build


def left(registry: CollectorRegistry, contract: str, service: str) -> float | None:
    return registry.get_sample_value("nines_budget_remaining_seconds", {"contract": contract, "service": service})


@pytest.mark.parametrize("down", [3, 50])  # minutes: within the budget of 99.9 %, and over it
def test_the_budget_left_is_that_of_the_statement(tmp_path: Path, down: int) -> None:
    registry = CollectorRegistry()
    metrics = BoardMetrics(registry)
    with ledger_with(tmp_path) as ledger:
        for endpoint in ("web", "spare"):
            observe(ledger, endpoint, "u" * 61, from_ms=LOADED)
        observe(ledger, "api", "u" * (60 - down) + "d" * (down + 1), from_ms=LOADED)
        now_ms = at("13:00:00") + 1
        metrics.rows = read_promised(ledger, now_ms=now_ms)
        board = read_board(ledger, now_ms=now_ms)
        [shop] = build(ledger, "sample", "2026-09", now_ms=now_ms, version="x")
        [api] = build(ledger, "second", "2026-09", now_ms=now_ms, version="x")
    for statement in (shop, api):
        [service] = statement.services
        assert service.budget is not None
        told = left(registry, str(statement.contract["id"]), str(service.id))
        assert told == service.budget.remaining_ms / 1000
    assert ((left(registry, "sample-shop", "shop") or 0) < 0) is (down == 50)
    assert list(metrics.rows) == [row for row in board.rows if row.budget is not None]
    [family] = registry.collect()
    assert {(each.labels["contract"], each.labels["service"]) for each in family.samples} == {
        ("sample-shop", "shop"),
        ("second-api", "api"),
    }


async def test_the_figures_are_made_once_in_a_while_and_missing_while_the_board_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "EVERY_S", 0.05)
    registry, made = CollectorRegistry(), 0
    metrics = BoardMetrics(registry)
    assert left(registry, "second-api", "api") is None
    with ledger_with(tmp_path) as ledger:
        now_ms = observe(ledger, "api", "uu", from_ms=LOADED)

        def read() -> tuple[Row, ...]:
            nonlocal made
            made += 1
            return read_promised(ledger, now_ms=now_ms)

        keeping = asyncio.create_task(keep_figures(metrics, read))
        await until(lambda: left(registry, "second-api", "api"))
        seen = made
        for _ in range(100):
            assert left(registry, "second-api", "api")
        assert made == seen
        with ledger.decide() as connection:
            connection.exec_driver_sql("ALTER TABLE definition RENAME TO gone")
        await until(lambda: left(registry, "second-api", "api") is None)
        with ledger.decide() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO definition")
        await until(lambda: left(registry, "second-api", "api"))
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
