"""Announced maintenance before a contract: read with the decisions on record, and decided once when it has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from config.calendars import concerning
from ledger.errors import LedgerError
from ledger.journal import PROGRAM
from ledger.store import Ledger
from ledger.windows import Decision, decide, on_record
from reporting.agreements import Agreements, agreements
from sla.facts import Window
from sla.terms import Contract
from sla.windows import caps_from_ms, judge_windows

log = logging.getLogger("nines.maintenance")

DECIDE_EVERY_S = 60.0
LOOK_BACK_MS = 62 * 86_400_000  # a daemon that was off this long still decides what ended meanwhile


def announced(
    ledger: Ledger, agreed: Agreements, contract: Contract, *, from_ms: int, to_ms: int
) -> tuple[Window, ...]:
    """The occurrences that concern the contract's services within the time, with their ids and decisions."""
    names = [("service", service) for service in contract.services]
    names += [("endpoint", name) for service in contract.services for name in agreed.composition(service).endpoints]
    found = concerning(agreed.windows(from_ms, to_ms), names)
    return on_record(ledger, found, contract=contract.id)


def decide_ended(ledger: Ledger, *, now_ms: int) -> tuple[Decision, ...]:
    """Record, for every contract, the answer to each occurrence that has ended and is not decided yet.

    What is new comes back.
    """
    agreed = agreements(ledger)
    fresh: list[Decision] = []
    for id in agreed.current("contract"):
        contract = agreed.contract(id)
        since_ms = max(now_ms - LOOK_BACK_MS, contract.versions[0].from_ms)
        windows = announced(ledger, agreed, contract, from_ms=caps_from_ms(contract, since_ms), to_ms=now_ms)
        judged = judge_windows(windows, contract.versions, as_of_ms=now_ms)
        answers = [
            Decision(each.window, each.accepted, each.why)
            for each in judged
            if each.window.accepted is None and since_ms < each.window.to_ms <= now_ms
        ]
        fresh += decide(ledger, answers, contract=id, at_ms=now_ms, actor=PROGRAM)
    return tuple(fresh)


async def keep_deciding(ledger: Ledger, clock: Callable[[], int]) -> None:
    """`decide_ended` once a minute, until cancelled: the daemon's part."""
    while True:
        try:
            for decision in await asyncio.to_thread(decide_ended, ledger, now_ms=clock()):
                answer = "accepted" if decision.accepted else "not accepted"
                log.info("maintenance %s %s: %s", decision.window.id, answer, decision.why)
        except LedgerError as error:
            log.error("ended maintenance is decided later: %s", error)
        await asyncio.sleep(DECIDE_EVERY_S)
