"""Inputs that finance hands in with a file: what a contract of the ledger needs and no probe knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from reporting_ledgers import CONFIG, at, ledger_with

from config.calc_inputs import entered
from config.problems import ConfigError
from reporting.statements import UnknownInput, build

USAGE = CONFIG.replace("fee: 2500.00 EUR", "fee: {by: period}").replace(
    "from: 2026-09-21\n    target: 99.9", "from: 2026-09-21\n    target: 99.9\n    chronic: 1 of 2"
)
NOW = at("17:59:00", day=2, month=10)


def test_the_fee_of_a_period_comes_from_the_file(tmp_path: Path) -> None:
    file = "sample-shop: {shop: {inputs: {fee: 2500.00 EUR, history: [missed]}}}\n"
    with ledger_with(tmp_path, USAGE) as ledger:
        [without] = build(ledger, "sample", "2026-09", now_ms=NOW, version="x")
        [found] = build(ledger, "sample", "2026-09", now_ms=NOW, version="x", inputs=entered(file, "inputs.yaml"))
    [before], [shop] = without.services, found.services
    assert before.credit is not None
    assert (before.credit.state, before.credit.fee) == ("fee_missing", None)
    assert shop.credit is not None
    assert (shop.credit.fee, shop.credit.currency) == ("2500.00", "EUR")


def test_inputs_for_nobody_are_refused(tmp_path: Path) -> None:
    with ledger_with(tmp_path, USAGE) as ledger:
        for file, message in (
            ("sample-shop: {api: {}}", "inputs for sample-shop, api: its services are shop; mend the file of inputs"),
            ("sample: {shop: {}}", "inputs for sample, shop: no contract of that id is known; mend the file of inputs"),
        ):
            with pytest.raises(UnknownInput, match=message):
                build(ledger, "sample", "2026-09", now_ms=NOW, version="x", inputs=entered(file, "inputs.yaml"))


def test_every_mistake_in_the_file_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError) as refused:
        entered("a:\n  b:\n    inputs:\n      fee: 5\n      users: none\n  c: {fee: 5}\nd: 5\n", "inputs.yaml")
    assert str(refused.value).splitlines() == [
        "inputs.yaml:4 a.b.inputs.fee: '5' names no currency; write e.g. 5 EUR",
        "inputs.yaml:5 a.b.inputs.users: 'none' is no decimal number; write e.g. 99.9",
        "inputs.yaml:6 a.c: is no entry; write e.g. c: {inputs: {users: 100}}",
        "inputs.yaml:7 d: is no mapping; write each service with its inputs below it",
    ]
