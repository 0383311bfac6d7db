"""What was agreed, typed: options, tiers, fee and credits of a contract's dated versions (CONTRACTS.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from sla.money import Money
from sla.rules import Cap, Chronic, Claim, Edge, FeeTerms, Percent, Rule
from sla.spans import NOWHEN, Spans

WHOLE_FEE = Cap("period", Percent(Decimal(100)))
WHOLLY = Edge(">=", Decimal(100))  # of a bucket, in percent


@dataclass(frozen=True, slots=True)
class Least:
    """`>= 60 s`: how long an outage must be to count."""

    comparison: Literal[">=", ">"]
    ms: int


@dataclass(frozen=True, slots=True)
class Comparing:
    """Availability is rounded so before it is compared with the target; `digits` of the percentage."""

    digits: int
    mode: Literal["half_up", "half_even", "down", "up"] = "half_up"


Hours: TypeAlias = tuple[tuple[int, int], ...]  # (from, until) in minutes of the local day; past 1440: the next day


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """Weekly hours by wall clock, Monday first, and the days on which there are none.

    `days` are the holidays as they stood when the version was recorded, so that no later table changes the past.
    """

    week: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
    holidays: tuple[str, ...] = ()  # as written: calendars and dates
    days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class WindowCap:
    """Most window time that is accepted in a calendar month or year of the contract's zone."""

    ms: int
    per: Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """When announced maintenance is accepted.

    `notice_ms`: least time between entry and start, 0 = before it begins. `allowed`: weekly hours, Monday first, that
    a window must lie in.
    """

    notice_ms: int = 0
    allowed: tuple[Hours, ...] | None = None
    cap: WindowCap | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """Every named option of ACCOUNTING.md section 3 with its default; all of them stand in every statement.

    Durations in ms. None says: bucket, compare exact; base actual; service_hours always.
    """

    timezone: str
    by: str = "time"  # what is measured: time | users | requests | periods | the name of a value
    maintenance: Literal["exclude", "count_up", "ignore"] = "exclude"
    exclusions: Literal["exclude", "count_up", "ignore"] = "exclude"
    unknown: Literal["exclude", "up", "down"] = "exclude"
    min_coverage: Decimal = Decimal(95)
    outage_start: Literal["first_failure", "last_success", "midpoint", "confirmation"] = "first_failure"
    min_outage: Least | None = None
    min_outage_before_exclusions: bool = False
    merge_gap_ms: int = 0
    bucket_ms: int | None = None
    bad: Edge = WHOLLY
    min_run: int = 1
    degraded: Literal["up", "down"] | Decimal = "up"
    before_first_check: Literal["unknown", "not_contracted"] = "unknown"
    service_hours: ServiceHours | None = None
    partial_period: Literal["prorate", "counts_up"] = "prorate"
    base_ms: int | None = None
    compare: Comparing | None = None
    period: str = "month"  # week, quarter, year, or billing month from day N
    digits: int = 3
    quorum_of: Literal["all", "voting"] = "all"
    rounding: Literal["half_up", "half_even"] = "half_up"
    windows: WindowTerms = field(default=WindowTerms())
    exclusion_categories: tuple[str, ...] | None = None  # None: all of them


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a contract's terms, in force from `from_ms` (start of a local day) until the next version."""

    from_ms: int
    known_from_ms: int | None  # None: given as a fact (calc)
    options: Options
    target: Decimal | None = None  # percent
    fee: Money | None = None  # of the period
    credits: tuple[Rule, ...] = ()
    several_rules: Literal["sum", "highest"] = "sum"
    several_services: Literal["sum", "highest"] = "sum"
    caps: tuple[Cap, ...] = (WHOLE_FEE,)  # narrowest first; (): `cap: none` was written
    minimum: tuple[Literal[">", ">="], Money] | None = None
    fee_terms: FeeTerms = field(default=FeeTerms())
    claim: Claim = field(default=Claim())
    chronic: tuple[Chronic, ...] = ()
    review: str | None = None  # a day, printed
    clauses: tuple[tuple[str, str], ...] = ()  # (subject, clause), printed
    objective: Decimal | None = None  # our own line, percent: for alerts, never shown to the client


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with all its versions (ascending by from_ms). `until_ms` is exclusive."""

    id: str | None
    client_id: str | None
    client_name: str
    services: tuple[str, ...]
    versions: tuple[Terms, ...]
    number: str | None = None
    until_ms: int | None = None
    paused: Spans = NOWHEN
    issuer: str | None = None  # legal entity
    four_eyes: bool = True
    printed: dict[str, Any] = field(default_factory=dict)  # as written, for the statement's `terms`


def in_force(versions: Sequence[Terms], at_ms: int) -> Terms:
    """The version in force at an instant; before the first one, the first. `versions` ascend by `from_ms`."""
    begun = [terms for terms in versions if terms.from_ms <= at_ms]
    return begun[-1] if begun else versions[0]
