"""What a pay is worth: exact fractions of minor units, and service days (CONTRACTS.md "Units of pay")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TypeVar

from sla.inputs import Inputs
from sla.money import Money, minor_digits
from sla.quantities import Quantities
from sla.rules import (
    Amount,
    Counting,
    DaysOfFee,
    HourlyRate,
    HoursOfFee,
    LostFee,
    Pay,
    Percent,
    PercentPlusSteps,
    ServiceDays,
)

YEAR_DAYS = 365
Value = TypeVar("Value")
NOTHING = Fraction(0)


class MissingInput(LookupError):
    """A rule needs what nobody entered; the argument names the input."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What pays are taken of. `fee_minor` is the part's, `period_fee_minor` the whole period's."""

    currency: str | None
    fee_minor: int | None
    period_fee_minor: int | None
    annual_minor: Fraction | None
    days: int
    hours: Fraction
    inputs: Inputs

    def fee(self) -> Fraction:
        return Fraction(_given(self.fee_minor, "fee"))

    def period_fee(self) -> Fraction:
        return Fraction(_given(self.period_fee_minor, "fee"))

    def annual_fee(self) -> Fraction:
        return _given(self.annual_minor, "annual_fee")


@dataclass(frozen=True, slots=True)
class Worth:
    """Exact minor units and service days. Worths add."""

    minor: Fraction = NOTHING
    service_days: Fraction = NOTHING

    def __add__(self, other: Worth) -> Worth:
        return Worth(self.minor + other.minor, self.service_days + other.service_days)

    def times(self, count: Fraction | int) -> Worth:
        return Worth(self.minor * count, self.service_days * count)

    @property
    def rank(self) -> tuple[Fraction, Fraction]:
        return self.minor, self.service_days


def summed(worths: Iterable[Worth]) -> Worth:
    whole = Worth()
    for each in worths:
        whole += each
    return whole


def worth(pay: Pay, basis: Basis, read: Quantities | None = None) -> Worth:
    """Raises MissingInput. `read` is needed for what depends on availability or the lost share."""
    if isinstance(pay, ServiceDays):
        return Worth(service_days=Fraction(pay.count))
    return Worth(_minor(pay, basis, read))


def _minor(pay: Pay, basis: Basis, read: Quantities | None) -> Fraction:
    if isinstance(pay, Percent):
        return basis.fee() * Fraction(pay.value) / 100
    if isinstance(pay, DaysOfFee):
        of = {"period": (basis.period_fee, basis.days), "30": (basis.period_fee, 30)}
        fee, days = of.get(pay.of, (basis.annual_fee, YEAR_DAYS))
        exact: Fraction = fee() * Fraction(pay.count) / days
        return exact
    if isinstance(pay, HoursOfFee):
        return basis.period_fee() * Fraction(pay.count) / basis.hours
    if isinstance(pay, Amount):
        quantity = Fraction(_given(basis.inputs.quantity, "quantity")) if pay.each else 1
        return Fraction(pay.amount.scaleb(minor_digits(_given(basis.currency, "fee")))) * quantity
    if isinstance(pay, HourlyRate):
        return Fraction(in_currency(basis.inputs.hourly_rate, basis, "hourly_rate"))
    if isinstance(pay, LostFee):
        return basis.fee() * Fraction(pay.times) * (NOTHING if read is None else read.lost)
    assert isinstance(pay, PercentPlusSteps)
    return basis.fee() * _growing(pay, read) / 100


def _growing(pay: PercentPlusSteps, read: Quantities | None) -> Fraction:
    compared = None if read is None else read.compared
    short = NOTHING if compared is None else max(NOTHING, Fraction(pay.below) - compared)
    found = Fraction(pay.value) + Fraction(pay.more) * counted_units(short, Fraction(pay.step), pay.count)
    return found if pay.at_most is None else min(found, Fraction(pay.at_most))


def counted_units(length: Fraction, unit: Fraction | int, count: Counting) -> int:
    """How many units were started, or completed."""
    return ceil(length / unit) if count == "started" else floor(length / unit)


def in_currency(money: Money | None, basis: Basis, name: str) -> int:
    """Minor units of an input. Raises MissingInput where it was not entered, or in another currency."""
    found = _given(money, name)
    if basis.currency is not None and found.currency != basis.currency:
        raise MissingInput(f"{name} in {basis.currency}")
    return found.minor


def _given(value: Value | None, name: str) -> Value:
    if value is None:
        raise MissingInput(name)
    return value


def needs_fee(pay: Pay) -> bool:
    """Whether the pay is a share of the period's fee."""
    return not isinstance(pay, ServiceDays | Amount | HourlyRate)
