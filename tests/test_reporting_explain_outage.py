"""`nines explain outage ID`: what one outage came to in every statement that it touches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reporting_ledgers import CONFIG, LOADED, MINUTE, at, ledger_with, observe

from ledger.outages import Recorded, outages
from ledger.store import Ledger
from reporting.explain_outage import effect_data, effect_lines, effects, of_service, service_lines
from reporting.statements import build

NOW = at("00:00:00", day=1, month=10)
MONTH = "2026-09"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """`api` is down from 17:31 to 18:11, and the shop's window begins at 18:00; `second` buys `api` without it."""
    config = CONFIG.replace("measure: {before_first_check: not_contracted}", "measure: {before_first_check: unknown}")
    with ledger_with(tmp_path, config) as ledger:
        observe(ledger, "web", "u" * 720, from_ms=LOADED + MINUTE)
        observe(ledger, "api", "u" * 330 + "d" * 40 + "u" * 350, from_ms=LOADED + MINUTE)
        observe(ledger, "spare", "udduu", from_ms=LOADED + MINUTE)
        yield ledger


def recorded(ledger: Ledger, endpoint: str) -> Recorded:
    [found] = [one for one in outages(ledger) if one.endpoint == endpoint]
    return found


def test_an_outage_is_told_in_every_contract_by_the_contract_s_own_rules(ledger: Ledger) -> None:
    told = {one.service.id: one for one in effects(ledger, recorded(ledger, "api"), now_ms=NOW, version="0")}
    assert set(told) == {"shop", "api"}
    shop, api = told["shop"], told["api"]
    assert (shop.counted, api.counted) == (29 * MINUTE, 40 * MINUTE)
    assert [line.text.partition(":")[0] for line in shop.stretches] == ["down", "accepted maintenance"]
    assert sum((line.to_ms or 0) - (line.from_ms or 0) for line in shop.stretches) == 40 * MINUTE


def test_the_figures_are_those_of_the_statement(ledger: Ledger) -> None:
    (statement,) = build(ledger, "sample", MONTH, now_ms=NOW, version="0")
    told = effects(ledger, recorded(ledger, "api"), now_ms=NOW, version="0")
    (data,) = [one for one in effect_data(told) if one["contract"] == "sample-shop"]
    assert data["counted_ms"] == statement.services[0].measure.counted == str(29 * MINUTE)
    assert data["availability_pct"] == statement.services[0].availability_pct


def test_an_outage_that_nobody_buys_says_so(ledger: Ledger) -> None:
    told = effects(ledger, recorded(ledger, "spare"), now_ms=NOW, version="0")
    assert told == ()
    assert "touches no contract" in "".join(effect_lines(told, id="O-1"))


def test_the_id_that_a_statement_prints_for_a_service_is_found(ledger: Ledger) -> None:
    (statement,) = build(ledger, "sample", MONTH, now_ms=NOW, version="0")
    (printed,) = statement.services[0].outages
    own = recorded(ledger, "api").outage.id
    assert printed.id != own
    found = of_service(ledger, str(printed.id), now_ms=NOW, version="0")
    assert found is not None
    assert found[0] == printed
    lines = list(service_lines(*found, now_ms=NOW))
    assert lines[0] == f"{printed.id}: Shop was down, 40 min 0 s"
    assert "  made by        api (2 endpoints, all up)" in lines
    (mine, *_) = effects(ledger, recorded(ledger, "api"), now_ms=NOW, version="0")
    assert f"listed as {printed.id}" in "".join(effect_lines([mine], id=own))


def test_an_id_that_no_statement_prints_is_not_found(ledger: Ledger) -> None:
    assert of_service(ledger, "O-00000", now_ms=NOW, version="0") is None


def test_an_outage_across_midnight_of_a_month_is_told_in_both(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        observe(ledger, "api", "u" * 15 + "d" * 30 + "u" * 15, from_ms=at("23:30:00", day=30))
        now_ms = at("00:00:00", day=2, month=10)
        told = effects(ledger, recorded(ledger, "api"), now_ms=now_ms, version="0")
        counted = {one.statement.period["label"]: one.counted for one in told if one.service.id == "api"}
    assert counted == {"September 2026": 15 * MINUTE, "October 2026": 15 * MINUTE}
