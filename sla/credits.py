"""What a missed promise costs (ACCOUNTING.md section 4): exact fractions of minor units, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from sla.accounts import Account, Owed, needs_a_fee, owed_at, pays
from sla.caps import Capped, apply, shared
from sla.claims import claim_of
from sla.figures import JSON_DIGITS, digits_for, exact_text, floored
from sla.inputs import Inputs
from sla.money import Money, apportion, format_minor, minor_digits, round_minor
from sla.pay import Basis, MissingInput, Worth, summed
from sla.quantities import Point, quantities, together
from sla.rules import Percent, ServiceDays, Tiers
from sla.rules_due import Due, deepest
from sla.sections import Section
from sla.statement import Credit, CreditLine, ServiceStatement
from sla.terms import Terms

_STAKES: dict[str, Point] = {"incurred": "incurred", "projected": "figure", "at_most": "at_most"}


@dataclass(frozen=True, slots=True)
class Settled:
    """One service at one point: what its rules owe, and whole minor units after every cap, rounding and minimum."""

    owed: Owed
    minor: int
    service_days: Fraction
    caps: tuple[Capped, ...]


def credits_of(accounts: Sequence[Account | None], *, as_of_ms: int) -> tuple[Credit | None, ...]:
    """The credits of a contract's services for the period; None for one without an account.

    A running period has no amount, only what is at stake.
    """
    held = [each for each in accounts if each is not None]
    groups = [held] if held and _joint(held) else [[each] for each in held]
    found = {id(each): credit for group in groups for each, credit in zip(group, _group(group, as_of_ms), strict=True)}
    return tuple(None if each is None else found[id(each)] for each in accounts)


def _joint(held: Sequence[Account]) -> bool:
    """Whether the services are settled together: one sum, one rounding."""
    terms = held[0].terms
    return bool(shared(held[0].caps)) or terms.fee_terms.of == "contract" or terms.several_services == "highest"


def _group(held: Sequence[Account], as_of_ms: int) -> list[Credit]:
    if any(each.fee is None and needs_a_fee(each.terms) for each in held):
        return [_credit(each, as_of_ms, state="fee_missing") for each in held]
    provisional = as_of_ms < held[0].period.to_ms
    nothing = all(part.measured.availability is None for each in held for part in each.parts)
    try:
        if provisional:
            return _at_stake(held, as_of_ms)
        if nothing:
            return [_credit(each, as_of_ms, state="none") for each in held]
        return _calculated(held, as_of_ms)
    except MissingInput as missing:
        told = {"missing": str(missing)}
        state = "none" if provisional else "needs_decision"
        return [_credit(each, as_of_ms, state=state, inputs=told) for each in held]


def _at_stake(held: Sequence[Account], as_of_ms: int) -> list[Credit]:
    """What a running period puts at stake: if the rest stays up, goes on as so far, or is all down."""
    stakes = {name: settled(held, point) for name, point in _STAKES.items()}
    return [
        _credit(
            each,
            as_of_ms,
            state="none",
            inputs={
                "exposure": {name: _printed(found[index].minor, each.currency) for name, found in stakes.items()}
                if each.currency is not None
                else {}
            },
        )
        for index, each in enumerate(held)
    ]


def _calculated(held: Sequence[Account], as_of_ms: int) -> list[Credit]:
    figure = settled(held, "figure")
    measured = not any(part.timed.unknown_ms for each in held for part in each.parts)
    best, worst = (figure, figure) if measured else (settled(held, "best"), settled(held, "worst"))
    return [
        _decided(each, now, low, high, as_of_ms) for each, now, low, high in zip(held, figure, best, worst, strict=True)
    ]


def _decided(held: Account, now: Settled, low: Settled, high: Settled, as_of_ms: int) -> Credit:
    same = (low.minor, low.service_days) == (high.minor, high.service_days)
    decided = same and not any(_needs_a_person(part) for part in held.parts)
    return _credit(
        held,
        as_of_ms,
        state="calculated" if decided else "needs_decision",
        lines=_lines(held, now),
        amount=_printed(now.minor, held.currency),
        low=_printed(low.minor, held.currency),
        high=_printed(high.minor, held.currency),
        determined=decided,
        service_days=_days_text(held.terms, now.service_days),
        caps=tuple(_cap(told, held.currency) for told in now.caps),
        inputs=_entered(held),
    )


def _printed(minor: int, currency: str | None) -> str | None:
    return None if currency is None else format_minor(minor, currency)


def _days_text(terms: Terms, service_days: Fraction) -> str | None:
    """Null in a contract that never pays them."""
    paid = any(isinstance(pay, ServiceDays) for rule in terms.credits for pay in pays(rule))
    return exact_text(service_days) if paid else None


def settled(held: Sequence[Account], point: Point) -> tuple[Settled, ...]:
    """All services of a contract at a point: each alone, then together. Raises MissingInput."""
    owed = [owed_at(each, point) for each in held]
    worths = [each.worth for each in owed]
    terms, caps = held[0].terms, shared(held[0].caps)
    if terms.several_services == "highest":
        best = max(range(len(worths)), key=lambda index: (worths[index].rank, -index))
        worths = [each if index == best else Worth() for index, each in enumerate(worths)]
    whole, told = apply(summed(worths), caps, _basis_of_all(held)) if caps else (summed(worths), ())
    minor = _payable(terms, whole.minor)
    minors = apportion(minor, [each.minor for each in worths])
    spread = _spread(whole.service_days, [each.service_days for each in worths])
    return tuple(
        Settled(each, share, days, (*each.caps, *told)) for each, share, days in zip(owed, minors, spread, strict=True)
    )


def _basis_of_all(held: Sequence[Account]) -> Basis:
    """What caps over all services are taken of: one fee for all, or the sum of theirs; inputs of the first that has."""
    bases = [each.basis(None if each.fee is None else each.fee.minor) for each in held]
    bases[0] = replace(bases[0], inputs=_inputs_of_all(held))
    if held[0].terms.fee_terms.of == "contract":
        return bases[0]
    fees = [basis.period_fee_minor for basis in bases if basis.period_fee_minor is not None]
    years = [basis.annual_minor for basis in bases if basis.annual_minor is not None]
    return replace(
        bases[0],
        fee_minor=sum(fees) if len(fees) == len(bases) else None,
        period_fee_minor=sum(fees) if len(fees) == len(bases) else None,
        annual_minor=sum(years, Fraction(0)) if len(years) == len(bases) else None,
    )


def _inputs_of_all(held: Sequence[Account]) -> Inputs:
    """What such caps read, entered with any of the services."""
    inputs = [each.inputs for each in held]
    return replace(
        inputs[0],
        credited=next((each.credited for each in inputs if each.credited is not None), None),
        remaining={name: money for each in reversed(inputs) for name, money in each.remaining.items()},
    )


def _spread(whole: Fraction, shares: Sequence[Fraction]) -> list[Fraction]:
    total = sum(shares, Fraction(0))
    return [share * whole / total if total else Fraction(0) for share in shares]


def _payable(terms: Terms, exact: Fraction) -> int:
    """One rounding, then the minimum on the rounded amount."""
    amount = round_minor(exact, terms.options.rounding)
    return amount if _reaches_minimum(terms, amount) else 0


def _reaches_minimum(terms: Terms, amount: int) -> bool:
    if terms.minimum is None:
        return True
    comparison, least = terms.minimum
    return amount > least.minor if comparison == ">" else amount >= least.minor


def _credit(held: Account, as_of_ms: int, **known: Any) -> Credit:
    empty: dict[str, Any] = {"inputs": {}, "lines": (), "amount": None, "low": None, "high": None, "caps": ()}
    fee = held.fee
    return Credit(
        **empty
        | {
            "fee": None if fee is None else format_minor(fee.minor, fee.currency),
            "currency": held.currency,
            "determined": False,
            "service_days": None,
            "claim": _claim(held, as_of_ms),
        }
        | known
    )


def _claim(held: Account, as_of_ms: int) -> dict[str, Any]:
    read = [quantities(part, held.told, "figure") for part in held.parts]
    outages = together(read, held.parts, held.told, "figure").outages
    options = held.terms.options
    return claim_of(held.terms.claim, outages, held.period, length=options.period, as_of_ms=as_of_ms)


def _needs_a_person(part: Section) -> bool:
    """Too little was measured: less than the contract's own minimum, whatever the target, or nothing at all."""
    options, coverage = part.terms.options, part.measured.coverage
    if options.unknown != "exclude":
        return False
    short = coverage is not None and coverage * 100 < Fraction(options.min_coverage)
    return short or part.judgement.reason == "no_checks"


def _entered(held: Account) -> dict[str, Any]:
    """What was entered and used, as text."""
    entered, found = held.inputs, {}
    for name in ("annual_fee", "hourly_rate", "credited"):
        money = getattr(entered, name)
        if money is not None:
            found[name] = format_minor(money.minor, money.currency)
    for name in ("quantity", "users"):
        if getattr(entered, name) is not None:
            found[name] = f"{getattr(entered, name):f}"
    if entered.history is not None:
        found["history"] = ", ".join(each if isinstance(each, str) else f"{each:f}" for each in entered.history)
    found |= {
        f"remaining.{name}": format_minor(money.minor, money.currency) for name, money in entered.remaining.items()
    }
    return found | {f"values.{name}": f"{value:f}" for name, value in entered.values.items()}


def _cap(told: Capped, currency: str | None) -> dict[str, Any]:
    in_days = isinstance(told.cap.limit, ServiceDays)
    exact = exact_text(told.limit) if in_days or currency is None else _major_text(told.limit, currency)
    return {"cap": told.text, "exact": exact, "reached": told.reached}


def _lines(held: Account, now: Settled) -> tuple[CreditLine, ...]:
    """Each line printed so that they sum to the amount; a line that took a cent for that says so."""
    dues = now.owed.dues
    shares = apportion(now.minor, [due.worth.minor for due in dues])
    return tuple(_line(held, due, minor) for due, minor in zip(dues, shares, strict=True))


def _line(held: Account, due: Due, minor: int) -> CreditLine:
    part = held.parts[due.part]
    inputs = {**_figures(held, due, part), **due.inputs}
    if len(due.by_event) > 1:
        inputs["by_outage"] = _by_outage(due, held.currency)
    if due.worth.service_days:
        inputs["service_days"] = exact_text(due.worth.service_days)
    if minor != round_minor(due.worth.minor, part.terms.options.rounding):
        inputs["printed"] = "so that the lines sum to the credit"
    return CreditLine(
        part=due.part,
        rule=due.text,
        inputs=inputs,
        exact=_major_text(due.worth.minor, held.currency),
        amount=_printed(minor, held.currency) or "0",
    )


def _by_outage(due: Due, currency: str | None) -> str:
    """What each outage came to after the cap of the event, in their order: `125.00 + 3 x 50.00`."""
    runs = [(amount, len(list(same))) for amount, same in groupby(minor for _, minor in due.by_event)]
    return " + ".join((f"{many} x " if many > 1 else "") + _major_text(amount, currency) for amount, many in runs)


def _figures(held: Account, due: Due, part: Section) -> dict[str, str]:
    """What the rule was applied to: the availability, the fee, the percent of a row."""
    found = {}
    availability = part.measured.availability
    if availability is not None:
        digits = digits_for(part.terms.target, max(JSON_DIGITS, part.terms.options.digits))
        found["availability_pct"] = floored(availability * 100, digits)
    if due.fee_minor is not None and held.currency is not None:
        found["fee"] = format_minor(due.fee_minor, held.currency)
    if due.percent is not None:
        found["percent"] = f"{due.percent:f}"
    return found


def _major_text(minor: Fraction, currency: str | None) -> str:
    return exact_text(minor if currency is None else minor / 10 ** minor_digits(currency))


def just_missed(terms: Terms) -> Money | None:
    """What is owed once the target is missed by next to nothing; None where that hangs on more than availability."""
    if terms.fee is None or terms.target is None or not terms.credits:
        return None
    just_below = Fraction(terms.target) - Fraction(1, 10**12)
    owed = []
    for rule in terms.credits:
        if (
            not isinstance(rule, Tiers)
            or rule.on != "availability"
            or (rule.when is not None and rule.when.missed != 1)
        ):
            return None
        row = deepest([(row.edge, row.pay) for row in rule.rows], just_below)
        if row is not None and not isinstance(row[1], Percent):
            return None
        owed += [] if row is None or not isinstance(row[1], Percent) else [Fraction(row[1].value)]
    whole = max(owed, default=Fraction(0)) if terms.several_rules == "highest" else sum(owed, Fraction(0))
    caps = [Fraction(cap.limit.value) for cap in terms.caps if cap.of == "period" and isinstance(cap.limit, Percent)]
    return Money(_payable(terms, terms.fee.minor * min([whole, *caps]) / 100), terms.fee.currency)


def credit_totals(services: Sequence[ServiceStatement]) -> dict[str, Any]:
    """The contract's credit over its services, per currency; null figures where one of them has none."""
    credits = [service.credit for service in services if service.credit is not None and service.credit.currency]
    currencies = sorted({credit.currency for credit in credits if credit.currency is not None})
    return {"credit": [_total(code, [c for c in credits if c.currency == code]) for code in currencies]}


def _total(currency: str, credits: Sequence[Credit]) -> dict[str, Any]:
    return {
        "currency": currency,
        "amount": _summed([credit.amount for credit in credits], currency),
        "low": _summed([credit.low for credit in credits], currency),
        "high": _summed([credit.high for credit in credits], currency),
        "determined": all(credit.determined for credit in credits),
    }


def _summed(amounts: Sequence[str | None], currency: str) -> str | None:
    known = [Decimal(amount) for amount in amounts if amount is not None]
    minor = sum((amount.scaleb(minor_digits(currency)) for amount in known), Decimal(0))
    return format_minor(int(minor), currency) if len(known) == len(amounts) else None
