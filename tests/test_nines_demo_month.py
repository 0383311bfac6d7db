"""The sample month, written by the real judge and recorder, comes to the verdicts that its story promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.store import open_ledger
from nines.demo.month import Sample, write_month
from nines.demo.story import ZONE, Month
from reporting.board import Board, lead
from reporting.board_source import read_board
from reporting.statements import build_all
from sla.statement import ServiceStatement

OCTOBER = Month(2026, 10)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return write_month(tmp_path_factory.mktemp("whole"), OCTOBER)


@pytest.fixture(scope="module")
def services(sample: Sample) -> dict[str, ServiceStatement]:
    with open_ledger(sample.database, at_ms=sample.as_of_ms) as ledger:
        made = build_all(ledger, "2026-10", now_ms=sample.as_of_ms, version="0")
    return {str(service.id): service for statement in made for service in statement.services}


def test_one_promise_is_missed_and_paid_for_and_the_others_are_kept(services: dict[str, ServiceStatement]) -> None:
    verdicts = {id: service.verdict for id, service in services.items()}
    assert verdicts == {"orders": "NOT_MET", "portal": "MET", "tracking": "MET", "shop": "MET", "payments": "MET"}
    owed = {
        id: service.credit.amount for id, service in services.items() if service.credit and service.credit.determined
    }
    assert owed == {"orders": "250.00", "portal": "0.00", "tracking": "0.00", "shop": "0.00", "payments": "0.00"}


def test_works_that_outlast_their_window_count_from_its_end(services: dict[str, ServiceStatement]) -> None:
    portal = services["portal"]
    (window,), (outage,) = portal.maintenance, portal.outages
    assert window.accepted
    assert outage.to_ms is not None
    assert outage.from_ms > window.from_ms
    assert outage.counted_ms == outage.to_ms - window.to_ms > 0


def test_a_window_that_was_entered_too_late_excuses_nothing(services: dict[str, ServiceStatement]) -> None:
    payments = services["payments"]
    (window,), (outage,) = payments.maintenance, payments.outages
    assert not window.accepted
    assert window.from_ms < outage.from_ms < window.to_ms
    assert outage.counted_ms == outage.down_ms > 0


def test_a_redundant_pair_with_one_down_is_up(services: dict[str, ServiceStatement]) -> None:
    assert services["tracking"].split_ms["down"] == 0


def test_the_time_without_the_monitor_is_unknown_and_nothing_is_undecided(
    services: dict[str, ServiceStatement],
) -> None:
    for service in services.values():
        assert service.split_ms["unknown"] > 0
        assert sum(service.split_ms.values()) == OCTOBER.to_ms - OCTOBER.from_ms


@pytest.fixture(scope="module")
def half_way(tmp_path_factory: pytest.TempPathFactory) -> Board:
    at_ms = OCTOBER.instant_ms(19, "14:10:40")
    half = write_month(tmp_path_factory.mktemp("half"), OCTOBER, until_ms=at_ms)
    with open_ledger(half.database, at_ms=at_ms) as ledger:
        return read_board(ledger, now_ms=at_ms, tz=ZONE)


def test_in_the_second_outage_the_board_says_when_the_promise_breaks(half_way: Board) -> None:
    assert half_way.monitor.alive
    assert half_way.rows[0].name == "Order system"
    assert half_way.rows[0].state == "down"
    assert lead(half_way).endswith("if it stays down: EUR 250.00.")


def test_the_story_fits_the_shortest_month_too(tmp_path: Path) -> None:
    month = Month(2027, 2)
    sample = write_month(tmp_path, month)
    with open_ledger(sample.database, at_ms=sample.as_of_ms) as ledger:
        made = build_all(ledger, month.label, now_ms=sample.as_of_ms, version="0")
    services = [service for statement in made for service in statement.services]
    assert sorted(service.verdict for service in services) == ["MET"] * 4 + ["NOT_MET"]
    assert all(service.credit and service.credit.determined for service in services)
