"""What was agreed, typed: options, tiers, fee and credits of a contract's dated versions (CONTRACTS.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sla.money import Money
from sla.rules import Cap, Chronic, Claim, FeeTerms, Percent, Rule
from sla.spans import NOWHEN, Spans

WHOLE_FEE = Cap("period", Percent(Decimal(100)))


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """When announced maintenance is accepted. `notice_ms`: least time between entry and start; 0 = before it begins."""

    notice_ms: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """Every named option of ACCOUNTING.md section 3 with its default; all of them stand in every statement.

    Durations in ms. Values beyond those typed here are refused at load until their rule exists.
    """

    timezone: str
    by: str = "time"  # what is measured: time | users | requests | periods | the name of a value
    maintenance: Literal["exclude", "count_up", "ignore"] = "exclude"
    exclusions: Literal["exclude", "count_up", "ignore"] = "exclude"
    unknown: Literal["exclude", "up", "down"] = "exclude"
    min_coverage: Decimal = Decimal(95)
    degraded: Literal["up", "down"] | Decimal = "up"
    before_first_check: Literal["unknown", "not_contracted"] = "unknown"
    partial_period: Literal["prorate", "counts_up"] = "prorate"
    period: Literal["month"] = "month"
    digits: int = 3
    rounding: Literal["half_up", "half_even"] = "half_up"
    windows: WindowTerms = field(default=WindowTerms())


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
