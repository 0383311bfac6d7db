"""One service's account under a contract: what its rules owe at each point of what is known, before it is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from sla.caps import Capped, apply, cap_events, combined, own
from sla.facts import ServiceFacts
from sla.inputs import Inputs, periods_before
from sla.money import Money, apportion
from sla.pay import Basis, Worth, needs_fee, summed
from sla.period import Period, days
from sla.quantities import Point, quantities, together
from sla.rules import (
    Amount,
    Cap,
    GreatestOf,
    Lost,
    LostFee,
    MissedPeriods,
    NoCredit,
    Pay,
    PerUnit,
    Rule,
    ServiceDays,
    Tiers,
)
from sla.rules_due import Due, View, due, reads_whole
from sla.sections import Section, Told
from sla.terms import Contract, Terms, in_force

Numbered: TypeAlias = tuple[int, Rule]


@dataclass(frozen=True, slots=True)
class Account:
    """All that a service's credit is computed from. `terms` are those in force at the period's end."""

    terms: Terms
    parts: tuple[Section, ...]
    told: Told
    period: Period
    inputs: Inputs
    fee: Money | None

    def basis(self, fee_minor: int | None) -> Basis:
        fee = self.fee
        span_ms = self.period.to_ms - self.period.from_ms
        return Basis(
            currency=self.currency,
            fee_minor=fee_minor,
            period_fee_minor=None if fee is None else fee.minor,
            annual_minor=annual_minor(self.terms, fee, self.inputs),
            days=len(days(self.period)),
            hours=Fraction(span_ms, 3_600_000),
            inputs=self.inputs,
        )

    @property
    def caps(self) -> tuple[Cap, ...]:
        """Those in force; of a fee that all services share the cap of the period is over all of them."""
        if self.terms.fee_terms.of == "service":
            return self.terms.caps
        return tuple(replace(cap, over="services") if cap.of == "period" else cap for cap in self.terms.caps)

    @property
    def currency(self) -> str | None:
        """The fee's; without a fee that of an amount which a rule pays."""
        if self.fee is not None:
            return self.fee.currency
        amounts = (pay.currency for rule in self.terms.credits for pay in pays(rule) if isinstance(pay, Amount))
        return next((currency for currency in amounts if currency is not None), None)


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed at a point: the rules that pay, and what is left of them under the caps of event and period."""

    dues: tuple[Due, ...]
    worth: Worth
    caps: tuple[Capped, ...]


def account(
    contract: Contract, service: ServiceFacts, parts: Sequence[Section], told: Told, period: Period
) -> Account | None:
    """None where no credits are agreed."""
    terms = in_force(contract.versions, last_instant(contract, period))
    if not terms.credits:
        return None
    fee = fee_of(terms, service.inputs)
    inputs = replace(service.inputs, history=periods_before(service.inputs, terms.options.by))
    return Account(terms, tuple(parts), told, period, inputs, fee)


def last_instant(contract: Contract, period: Period) -> int:
    end = period.to_ms if contract.until_ms is None else min(period.to_ms, contract.until_ms)
    return end - 1


def fee_of(terms: Terms, inputs: Inputs) -> Money | None:
    """The fee of the period: as agreed, as entered, or the greater of the two; None where it is not known."""
    entered, agreed = inputs.fee, terms.fee
    if terms.fee_terms.by == "period":
        return entered
    if terms.fee_terms.by == "greater":
        known = entered is not None and agreed is not None and entered.currency == agreed.currency
        return max(entered, agreed, key=lambda fee: fee.minor) if known and entered and agreed else None
    return agreed


PERIODS_A_YEAR = {"month": 12, "quarter": 4, "year": 1}


def annual_minor(terms: Terms, fee: Money | None, inputs: Inputs) -> Fraction | None:
    """The annual fee: as entered, as agreed by the year, or so many fees of a period."""
    if inputs.annual_fee is not None:
        return Fraction(inputs.annual_fee.minor)
    if terms.fee_terms.annual_minor is not None:
        return Fraction(terms.fee_terms.annual_minor)
    a_year = PERIODS_A_YEAR.get("month" if terms.options.period.startswith("billing month") else terms.options.period)
    return None if fee is None or a_year is None else Fraction(fee.minor * a_year)


def part_fees(fee: Money, parts: Sequence[Section], period: Period) -> tuple[Money, ...]:
    """The period's fee by calendar days; the largest remainders make the parts sum to the fee."""
    starts = [start for _, start, _ in days(period)]
    shares = [Fraction(sum(part.span[0] <= start < part.span[1] for start in starts)) for part in parts]
    not_begun = len(starts) - sum(shares, Fraction(0))
    if len(parts) == 1 and not not_begun:
        return (fee,)
    minors = apportion(fee.minor, [*shares, not_begun])
    return tuple(Money(minor, fee.currency) for minor in minors[: len(parts)])


def owed_at(held: Account, point: Point) -> Owed:
    """Rules, conditions, combination, caps of event and period. Raises MissingInput."""
    dues = combined(tuple(_dues(held, point)), held.terms.several_rules)
    whole = held.basis(None if held.fee is None else held.fee.minor)
    dues, event_caps = cap_events(dues, held.caps, whole)
    caps = own(held.caps) if pays_money(held.terms) else ()
    exact, period_caps = apply(summed(due.worth for due in dues), caps, whole)
    return Owed(dues, exact, (*event_caps, *period_caps))


def pays_money(terms: Terms) -> bool:
    """Whether any rule pays money: a share of the fee caps no service days."""
    capped = any(isinstance(cap.limit, ServiceDays) for cap in terms.caps)
    return capped or any(not isinstance(pay, ServiceDays) for rule in terms.credits for pay in pays(rule))


def _dues(held: Account, point: Point) -> list[Due]:
    read = [quantities(part, held.told, point) for part in held.parts]
    shares = () if held.fee is None else part_fees(held.fee, held.parts, held.period)
    fees: list[int | None] = [fee.minor for fee in shares] or [None] * len(read)
    missed = any(each.missed for each in read)
    tz = held.terms.options.timezone
    views = [
        View(index, each, held.basis(fee), tz, missed=each.missed)
        for index, (each, fee) in enumerate(zip(read, fees, strict=True))
    ]
    last = len(views) - 1
    all_fees = None if held.fee is None else sum(fee for fee in fees if fee is not None)
    whole = View(last, together(read, held.parts, held.told, point), held.basis(all_fees), tz, missed=missed)
    found: list[Due | None] = []
    for number, rule in enumerate(held.terms.credits):
        found += [due(rule, number, view) for view in ((whole,) if reads_whole(rule) else views)]
    paying = [each for each in found if each is not None]
    return sorted(paying, key=lambda each: (each.part, each.rule))


def pays(rule: Rule) -> tuple[Pay, ...]:
    """Every pay that the rule may come to."""
    if isinstance(rule, Tiers):
        return tuple(row.pay for row in rule.rows)
    if isinstance(rule, MissedPeriods):
        return tuple(pay for _, pay in rule.rows)
    if isinstance(rule, GreatestOf):
        return rule.pays
    if isinstance(rule, PerUnit):
        return (rule.pay,) if rule.first is None else (rule.pay, rule.first)
    if isinstance(rule, NoCredit):
        return ()
    return (LostFee(rule.times),) if isinstance(rule, Lost) else (rule.pay,)


def needs_a_fee(terms: Terms) -> bool:
    """Whether any rule, or a cap that can cut money, is a share of the fee."""
    paid = [pay for rule in terms.credits for pay in pays(rule)]
    money = any(not isinstance(pay, ServiceDays) for pay in paid)
    limits = [cap.limit for cap in terms.caps if cap.limit is not None and money]
    return any(needs_fee(pay) for pay in (*paid, *limits))
