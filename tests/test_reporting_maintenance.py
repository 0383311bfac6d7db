"""Maintenance is decided once, when it has ended; later statements read the decision."""

from __future__ import annotations

from pathlib import Path

from reporting_ledgers import CONFIG, HOUR, at, ledger_with, observe

from ledger import journal
from reporting.maintenance import decide_ended
from reporting.statements import build

NOTICE = CONFIG.replace("    target: 99.9\n", "    target: 99.9\n    maintenance: {notice: 72 h}\n")


def test_nothing_is_decided_before_the_end(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        assert decide_ended(ledger, now_ms=at("18:59:59")) == ()


def test_it_is_decided_once_with_the_reason_and_on_record(tmp_path: Path) -> None:
    with ledger_with(tmp_path, NOTICE) as ledger:
        [decision] = decide_ended(ledger, now_ms=at("19:00:00"))
        assert decide_ended(ledger, now_ms=at("19:01:00")) == ()
        head = journal.head(ledger)
        [found] = build(ledger, "sample", "2026-09", now_ms=at("19:30:00"), version="x")
    assert (decision.accepted, decision.window.from_ms) == (False, at("18:00:00"))
    assert "72 h" in decision.why
    assert head is not None
    assert head.seq == 2
    [window] = found.services[0].maintenance
    assert (window.id, window.accepted, window.why) == (decision.window.id, False, decision.why)


def test_a_window_that_concerns_nobody_under_contract_is_not_decided(tmp_path: Path) -> None:
    with ledger_with(tmp_path, CONFIG.replace("for: [shop]", "for: [spare]")) as ledger:
        observe(ledger, "web", "u" * 10, from_ms=at("18:00:00"))
        assert decide_ended(ledger, now_ms=at("20:00:00")) == ()
        [found] = build(ledger, "sample", "2026-09", now_ms=at("20:00:00"), version="x")
    assert found.services[0].maintenance == ()
    assert found.services[0].split_ms["maintenance"] == 0 * HOUR
