"""The bridge: a config taken in and checks recorded become statements, to the millisecond and the cent."""

from __future__ import annotations

from pathlib import Path

import pytest
from reporting_ledgers import CONFIG, HOUR, LOADED, MINUTE, apply, at, ledger_with, observe

from ledger import journal
from ledger.definitions import store
from ledger.journal import PROGRAM
from reporting.statements import NoDefinitions, NothingInForce, UnknownClient, build, build_all
from reporting.zone_files import tzdata_version
from sla.canonical import as_json, from_json, sha256
from sla.facts import Definition
from sla.period import PeriodError

NOON_TO_SIX = 6 * 60


def test_an_outage_of_one_member_becomes_availability_budget_and_credit(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        observe(ledger, "web", "u" * NOON_TO_SIX, from_ms=LOADED)
        observe(ledger, "api", "u" * 60 + "d" * 10 + "u" * (NOON_TO_SIX - 70), from_ms=LOADED)
        [found] = build(ledger, "sample", "2026-09", now_ms=at("17:59:00"), version="0.1.0")
        head = journal.head(ledger)
    [shop] = found.services
    assert (shop.name, shop.composition, shop.target_pct) == ("Shop", "2 endpoints, all up", "99.9")
    assert shop.split_ms["down"] == 10 * MINUTE
    assert shop.considered_ms == at("17:59:00") - LOADED
    assert [(outage.from_ms, outage.to_ms) for outage in shop.outages] == [(at("13:00:00"), at("13:10:00"))]
    assert shop.provisional
    assert found.client == {"id": "sample", "name": "Sample Client"}
    assert found.issuer == {"legal_entity": "Sample Hosting Ltd", "four_eyes": True}
    assert head is not None
    assert found.journal == {"ledger_id": head.ledger_id, "seq": head.seq, "hash": head.hash}
    assert found.software == {"nines": "0.1.0", "tzdata": tzdata_version()}


def test_the_same_question_gets_the_same_statement_byte_for_byte(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        observe(ledger, "api", "uudduu", from_ms=LOADED)
        first, again = (build(ledger, "second", "2026-09", now_ms=at("13:00:00"), version="0.1.0")[0] for _ in range(2))
    assert sha256(as_json(first)) == sha256(as_json(again))
    assert from_json(as_json(first)) == first


def test_a_finished_month_has_an_amount(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        for endpoint in ("web", "api"):
            observe(ledger, endpoint, "u" * 60 + "d" * 10 + "u" * 60, from_ms=LOADED)
        [found] = build(ledger, "sample", "2026-09-21/2026-09-22", now_ms=at("00:00:00", day=2, month=10), version="x")
    [shop] = found.services
    assert not shop.provisional
    assert shop.credit is not None
    assert shop.reason == "coverage"  # nobody looked after 14:10
    assert (shop.credit.state, shop.credit.determined) == ("needs_decision", False)


def test_two_contracts_of_two_clients_are_all_built_in_order(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        found = build_all(ledger, "2026-09", now_ms=at("13:00:00"), version="x")
    assert [statement.contract["id"] for statement in found] == ["sample-shop", "second-api"]
    assert len({statement.statement_id for statement in found}) == 2


def test_announced_maintenance_is_accepted_and_leaves_the_base(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        for endpoint in ("web", "api"):
            observe(ledger, endpoint, "u" * NOON_TO_SIX + "d" * 60 + "u" * 30, from_ms=LOADED)
        [found] = build(ledger, "sample", "2026-09", now_ms=at("19:29:30"), version="x")
    [shop] = found.services
    assert shop.split_ms["maintenance"] == HOUR
    assert shop.split_ms["down"] == 0
    [window] = shop.maintenance
    assert (window.accepted, window.entered_ms, window.title) == (True, LOADED, "Deploy")


def test_case_49_a_window_typed_in_after_it_began_is_not_accepted(tmp_path: Path) -> None:
    late = CONFIG + '  late: {for: [shop], start: "2026-09-21 13:00", duration: 1 h}\n'
    with ledger_with(tmp_path) as ledger:
        apply(ledger, tmp_path, late, at_ms=at("13:30:00"))
        for endpoint in ("web", "api"):
            observe(ledger, endpoint, "u" * 60 + "d" * 30 + "u" * 60, from_ms=LOADED)
        [found] = build(ledger, "sample", "2026-09", now_ms=at("14:29:30"), version="x")
    [shop] = found.services
    assert shop.split_ms["down"] == 30 * MINUTE
    refused = [window for window in shop.maintenance if not window.accepted]
    assert [window.from_ms for window in refused] == [at("13:00:00")]


def test_case_49_a_member_added_later_counts_from_then(tmp_path: Path) -> None:
    with ledger_with(tmp_path, CONFIG.replace("[web, api]", "[web]")) as ledger:
        observe(ledger, "web", "u" * 120, from_ms=LOADED)
        observe(ledger, "api", "u" * 30 + "d" * 60 + "u" * 30, from_ms=LOADED)
        apply(ledger, tmp_path, CONFIG, at_ms=at("13:00:00"))
        [found] = build(ledger, "sample", "2026-09", now_ms=at("13:59:30"), version="x")
    [shop] = found.services
    assert shop.split_ms["down"] == 30 * MINUTE  # 13:00 to 13:30; before, only web was asked


def test_an_unknown_client_is_told_who_exists(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger, pytest.raises(UnknownClient, match="there are: sample, second"):
        build(ledger, "acme", "2026-09", now_ms=at("13:00:00"), version="x")


def test_a_ledger_with_endpoints_and_no_client_has_nothing_to_report(tmp_path: Path) -> None:
    with ledger_with(tmp_path, "version: 1\nendpoints: {shop: {url: https://example.org}}\n") as ledger:
        assert build_all(ledger, "2026-09", now_ms=at("13:00:00"), version="x") == ()
        with pytest.raises(UnknownClient, match="none is; add one under clients:"):
            build(ledger, "x", "2026-09", now_ms=at("13:00:00"), version="x")


def test_a_ledger_without_definitions_names_the_command(tmp_path: Path) -> None:
    with ledger_with(tmp_path, "version: 1\n") as ledger:
        for asked in (lambda: build(ledger, "x", "2026-09", now_ms=LOADED, version="x"),
                      lambda: build_all(ledger, "2026-09", now_ms=LOADED, version="x")):  # fmt: skip
            with pytest.raises(NoDefinitions, match="nines config apply"):
                asked()


@pytest.mark.parametrize(
    ("period", "words"),
    [("2026-08", "no contract of Sample Client was in force in August 2026: sample-shop runs from 2026-09-21"),
     ("2026-10", "October 2026 has not begun")],
)  # fmt: skip
def test_a_period_without_a_contract_says_why(tmp_path: Path, period: str, words: str) -> None:
    with ledger_with(tmp_path) as ledger, pytest.raises(NothingInForce, match=words):
        build(ledger, "sample", period, now_ms=at("13:00:00"), version="x")


def test_a_bad_period_is_named_with_right_examples(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger, pytest.raises(PeriodError, match="2026-Q4"):
        build(ledger, "sample", "october", now_ms=at("13:00:00"), version="x")


def test_a_removed_contract_keeps_its_past_and_ends_there(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        observe(ledger, "api", "uudduu", from_ms=LOADED)
        [before] = build(ledger, "second", "2026-09", now_ms=at("13:00:00"), version="x")
        removed = Definition("contract", "second-api", at("00:00:00", day=23), None)
        store(ledger, [removed], at_ms=removed.known_from_ms, actor=PROGRAM, source_sha256=None)
        [after] = build(ledger, "second", "2026-09", now_ms=at("13:00:00"), version="x")
        [month] = build(ledger, "second", "2026-09", now_ms=at("00:00:00", month=10), version="x")
    assert after.services[0].timeline == before.services[0].timeline
    assert after.services[0].verdict == before.services[0].verdict
    assert [line.from_ms for line in month.services[0].timeline if line.time_class == "not_contracted"] == [
        at("00:00:00", day=1),
        removed.known_from_ms,
    ]


def test_only_checks_due_while_the_service_was_under_contract_are_counted(tmp_path: Path) -> None:
    """`before_first_check: not_contracted`, first checked twelve minutes before the time asked for ends."""
    with ledger_with(tmp_path) as ledger:
        observe(ledger, "api", "uuduuuuuuuuu", from_ms=at("13:00:00"))
        [found] = build(ledger, "second", "2026-09", now_ms=at("13:12:00"), version="x")
        [tomorrow] = build(ledger, "second", "2026-09", now_ms=at("13:12:00", day=22), version="x")
    assert found.services[0].checks == {"due": 12, "made": 12, "unconfirmed": 1}
    assert tomorrow.services[0].checks == {"due": 12 + 24 * 60, "made": 12, "unconfirmed": 1}


def test_a_member_owes_no_checks_before_it_joined_the_service(tmp_path: Path) -> None:
    with ledger_with(tmp_path, CONFIG.replace("[web, api]", "[web]")) as ledger:
        observe(ledger, "web", "u" * 120, from_ms=LOADED)
        observe(ledger, "api", "u" * 30 + "d" + "u" * 89, from_ms=LOADED)
        apply(ledger, tmp_path, CONFIG, at_ms=at("13:00:00"))
        [found] = build(ledger, "sample", "2026-09", now_ms=at("14:00:00"), version="x")
    assert found.services[0].checks == {"due": 120 + 60, "made": 120 + 60, "unconfirmed": 0}


def test_a_contract_removed_before_it_began_is_never_in_force(tmp_path: Path) -> None:
    later = CONFIG.replace("from: 2026-09-21\n    target: 99.0", "from: 2026-10-01\n    target: 99.0")
    without = later[: later.index("  second-api:")] + later[later.index("maintenance:\n") :]
    with ledger_with(tmp_path, later) as ledger:
        apply(ledger, tmp_path, without, at_ms=at("13:00:00"))
        found = build_all(ledger, "2026-10", now_ms=at("00:00:00", month=11), version="x")
    assert [statement.contract["id"] for statement in found] == ["sample-shop"]


def test_a_contract_that_ended_and_left_the_file_with_its_client_is_still_told(tmp_path: Path) -> None:
    ending = CONFIG.replace("target: 99.0", "target: 99.0\n    until: 2026-09-23")
    without = ending[: ending.index("  second-api:")] + ending[ending.index("maintenance:\n") :]
    without = without.replace("  second: {name: Second Client}\n", "")
    now = at("00:00:00", day=2, month=10)
    with ledger_with(tmp_path, ending) as ledger:
        observe(ledger, "api", "u" * 60 + "d" * 10 + "u" * 60, from_ms=LOADED)
        [before] = build(ledger, "second", "2026-09", now_ms=now, version="x")
        apply(ledger, tmp_path, without, at_ms=at("09:00:00", day=23))
        [after] = build(ledger, "second", "2026-09", now_ms=now, version="x")
    assert after.services == before.services
    assert (after.client, after.contract) == (before.client, before.contract)
