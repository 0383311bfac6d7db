"""`nines whatif`: the same periods under other terms, or without an exclusion, beside what was agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from config.contract import Plan
from config.definitions import contract_of
from config.overlay import under
from ledger.store import Ledger
from reporting.agreements import Agreements, agreements
from reporting.periods_before import Known, with_history
from reporting.statements import (
    NOTHING,
    Entered,
    NothingInForce,
    StatementError,
    contracts_of,
    dated,
    is_in_force,
    refuse_unknown,
    service_facts,
    with_inputs,
)
from reporting.wording import plain
from sla.build import build_statement
from sla.facts import Definition, ServiceFacts
from sla.figures import percent_text
from sla.period import Period
from sla.statement import Credit, ServiceStatement, Statement
from sla.terms import Contract
from sla.whatif import judged_anew, without

HEADS = ("PERIOD", "SERVICE", "TARGET", "ACHIEVED", "VERDICT", "CREDIT", "|", *("TARGET", "ACHIEVED", "VERDICT"))
TABLE_HEADS = (*HEADS, "CREDIT", "CHANGE")
TABLE_RIGHT = (2, 3, 5, 7, 8, 10, 11)
_EVERYTHING = {"exclusions", "maintenance"}


class UnknownEntry(StatementError):
    """An exclusion or window that was to be left out does not lie in the periods."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One service in one period: as agreed, and as it would have been."""

    contract: str | None
    period: str
    agreed: ServiceStatement
    changed: ServiceStatement

    @property
    def difference(self) -> str | None:
        """Changed less agreed, decimal text with a sign; None where one of them has no single amount."""
        before, after = _amount(self.agreed.credit), _amount(self.changed.credit)
        if before is None or after is None or _currency(self.agreed) not in (None, _currency(self.changed)):
            return None
        return f"{after - before:+}"


def compare(
    ledger: Ledger,
    client: str,
    periods: Sequence[str],
    *,
    terms: Sequence[Plan] = (),
    leave_out: Sequence[str] = (),
    inputs: Entered = NOTHING,
    now_ms: int,
) -> tuple[Compared, ...]:
    """Every service of the client's contracts in every period, as agreed and as it would have been.

    `terms` are laid over each version of the contracts, one after the other; `leave_out` names exclusions and windows
    by id, or all of them as `exclusions` and `maintenance`; `inputs` hold on both sides. Nothing is recorded. Raises
    UnknownClient, NothingInForce, PeriodError, UnknownEntry, UnknownInput.
    """
    agreed = agreements(ledger)
    refuse_unknown(agreed, inputs)
    wanted = [
        (contract, period)
        for text in periods
        for contract, period in dated(contracts_of(agreed, client), text)
        if is_in_force(contract, period, now_ms)
    ]
    if not wanted:
        raise NothingInForce(f"no contract of {agreed.name('client', client)} was in force in {', '.join(periods)}")
    pairs = [(contract, _under(agreed, contract, terms), period) for contract, period in wanted]
    facts = [service_facts(ledger, agreed, contract, period, now_ms=now_ms) for contract, _, period in pairs]
    gone = _ids(leave_out, [service for services in facts for service in services])
    return tuple(
        each
        for contract, other, period in pairs
        for each in _compared(
            contract.id,
            _statement(
                contract, period, partial(service_facts, ledger, agreed, contract, now_ms=now_ms), inputs, now_ms
            ),
            _statement(other, period, partial(_changed, ledger, agreed, contract, other, gone, now_ms), inputs, now_ms),
        )
    )


def _changed(
    ledger: Ledger,
    agreed: Agreements,
    contract: Contract,
    other: Contract,
    gone: frozenset[str],
    now_ms: int,
    period: Period,
) -> tuple[ServiceFacts, ...]:
    """What the other terms look at: their hours, their windows judged again where they accept others."""
    found = [without(service, gone) for service in service_facts(ledger, agreed, other, period, now_ms=now_ms)]
    if [terms.options.windows for terms in other.versions] != [terms.options.windows for terms in contract.versions]:
        found = [judged_anew(service) for service in found]
    return tuple(found)


def _statement(contract: Contract, period: Period, known: Known, inputs: Entered, now_ms: int) -> Statement:
    facts = with_history(contract, period, with_inputs(contract, known(period), inputs), known=known, now_ms=now_ms)
    return build_statement(contract, facts, period, as_of_ms=now_ms)


def _compared(contract: str | None, before: Statement, after: Statement) -> Iterator[Compared]:
    for one, two in zip(before.services, after.services, strict=True):
        yield Compared(contract, before.period["label"], one, two)


def _under(agreed: Agreements, contract: Contract, terms: Sequence[Plan]) -> Contract:
    """The contract as if `terms` had been agreed from its first day; what was known when does not change."""
    body = agreed.body("contract", contract.id or "")
    if not terms or body is None:
        return contract
    for laid in terms:
        body = under(body, laid)
    changed = contract_of([Definition("contract", contract.id or "", 0, body)], None).versions
    versions = zip(changed, contract.versions, strict=True)
    return replace(contract, versions=tuple(replace(new, known_from_ms=old.known_from_ms) for new, old in versions))


def _ids(leave_out: Sequence[str], services: Sequence[ServiceFacts]) -> frozenset[str]:
    exclusions = {entry.id for service in services for entry in service.exclusions if entry.id}
    windows = {window.id for service in services for window in service.windows if window.id}
    found = set(leave_out) - _EVERYTHING
    unknown = sorted(found - exclusions - windows)
    if unknown:
        there_are = ", ".join(sorted(exclusions | windows)) or "none"
        raise UnknownEntry(
            f"no exclusion or window {unknown[0]!r} lies in the periods asked for; there are: {there_are}"
        )
    found |= exclusions if "exclusions" in leave_out else set()
    return frozenset(found | (windows if "maintenance" in leave_out else set()))


def _amount(credit: Credit | None) -> Decimal | None:
    """The single amount; no credit at all is zero, one that needs a decision is none."""
    if credit is None or credit.state == "none":
        return Decimal(0)
    return Decimal(credit.amount) if credit.amount is not None and credit.determined else None


def _currency(service: ServiceStatement) -> str | None:
    return None if service.credit is None else service.credit.currency


def table_rows(found: Sequence[Compared]) -> list[tuple[str, ...]]:
    """Rows under TABLE_HEADS, and a last one per currency with the sums."""
    return [*(_row(each) for each in found), *_totals(found)]


def _row(each: Compared) -> tuple[str, ...]:
    return (
        each.period,
        plain(each.agreed.name),
        *_cells(each.agreed),
        "|",
        *_cells(each.changed),
        _change_words(each),
    )


def _change_words(each: Compared) -> str:
    if all(side.credit is None or side.credit.amount is None for side in (each.agreed, each.changed)):
        return "-"
    return each.difference if each.difference is not None else "open"


def _cells(service: ServiceStatement) -> tuple[str, str, str, str]:
    share = f"{percent_text(service)} %" if service.availability_pct else "no data"
    verdict = service.verdict.replace("_", " ") + (" so far" if service.provisional else "")
    return f"{service.target_pct} %" if service.target_pct else "-", share, verdict, _credit_words(service.credit)


def _credit_words(credit: Credit | None) -> str:
    if credit is None or credit.amount is None:
        return "-"
    amount = credit.amount if credit.determined else f"{credit.low} to {credit.high}"
    return f"{credit.currency} {amount}"


def _totals(found: Sequence[Compared]) -> Iterator[tuple[str, ...]]:
    agreed, changed = ([getattr(each, side) for each in found] for side in ("agreed", "changed"))
    for currency in sorted({code for service in (*agreed, *changed) if (code := _currency(service))}):
        before, after = (
            _sum([service.credit for service in services if _currency(service) == currency])
            for services in (agreed, changed)
        )
        difference = "open" if before is None or after is None else f"{after - before:+}"
        words = ["open" if side is None else f"{currency} {side}" for side in (before, after)]
        yield ("", "together", "", "", "", words[0], "|", "", "", "", words[1], difference)


def _sum(credits: Sequence[Credit | None]) -> Decimal | None:
    amounts = [_amount(credit) for credit in credits]
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), Decimal("0.00"))


def as_data(found: Sequence[Compared]) -> list[dict[str, Any]]:
    """The same for JSON: `agreed` and `changed` with target, figure, verdict and credit; null where there is none."""
    return [
        {
            "contract": each.contract,
            "period": each.period,
            "service": each.agreed.id,
            "agreed": _side(each.agreed),
            "changed": _side(each.changed),
            "difference": each.difference,
        }
        for each in found
    ]


def _side(service: ServiceStatement) -> dict[str, Any]:
    credit = service.credit
    return {
        "target_pct": service.target_pct,
        "availability_pct": service.availability_pct,
        "verdict": service.verdict,
        "reason": service.reason,
        "provisional": service.provisional,
        "currency": credit.currency if credit else None,
        "credit": credit.amount if credit else None,
        "credit_low": credit.low if credit else None,
        "credit_high": credit.high if credit else None,
        "determined": credit.determined if credit else None,
    }
