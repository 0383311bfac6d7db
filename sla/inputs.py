"""What no probe knows: fees and charges, users affected, request counts, tickets, values, periods before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from sla.money import Money

PeriodBefore: TypeAlias = Decimal | Literal["met", "missed"]  # its availability in percent, or its verdict


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request for support and how long it took."""

    id: str | None
    took_ms: int
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """`times` equal stretches of the series: requests and how many failed. `at_ms` None: not dated."""

    requests: int
    errors: int
    times: int = 1
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Requests:
    """Request counts in buckets of fixed elapsed length; a bucket that is not listed saw no errors."""

    bucket_ms: int
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was entered for one service and period. None: not entered, never taken for zero."""

    fee: Money | None = None  # of the period, by finance
    annual_fee: Money | None = None
    hourly_rate: Money | None = None
    quantity: Decimal | None = None
    users: Decimal | None = None  # all of them
    history: tuple[PeriodBefore, ...] | None = None  # periods before, oldest first
    credited: Money | None = None  # in the rolling year before this period
    remaining: Mapping[str, Money] = field(default_factory=dict)
    values: Mapping[str, Decimal] = field(default_factory=dict)
    series: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)
    tickets: tuple[Ticket, ...] | None = None
    requests: Requests | None = None


NOTHING_ENTERED = Inputs()


def value_of(inputs: Inputs, name: str) -> Fraction | None:
    """The value of that name, or the average of its series; None where neither was entered."""
    if name in inputs.values:
        return Fraction(inputs.values[name])
    return average(inputs.series.get(name, ()))


def periods_before(inputs: Inputs, by: str) -> tuple[PeriodBefore, ...] | None:
    """The periods before this one; where periods are measured the last entry is this one."""
    return inputs.history[:-1] if inputs.history and by == "periods" else inputs.history


def average(values: Iterable[Decimal]) -> Fraction | None:
    exact = [Fraction(value) for value in values]
    return sum(exact, Fraction(0)) / len(exact) if exact else None
