"""The rules of credits as plain values (CONTRACTS.md): what is compared, what is paid, which kinds of rules there are.

Percents are decimals (`Decimal(10)` is 10 %), durations milliseconds. Nothing here computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Comparison: TypeAlias = Literal["<", "<=", ">", ">="]
Counting: TypeAlias = Literal["started", "completed"]
Scope: TypeAlias = Literal["period", "outage"]


@dataclass(frozen=True, slots=True)
class Edge:
    """`< 99.9`: one comparison with a decimal, exact. Of durations the decimal is milliseconds."""

    comparison: Comparison
    value: Decimal


@dataclass(frozen=True, slots=True)
class Percent:
    """`10 %` of the fee."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class DaysOfFee:
    """`1 day`: the fee by the days of its period; `1 day of 30`; `1 day of the year`: the annual fee by 365."""

    count: Decimal
    of: Literal["period", "30", "year"] = "period"


@dataclass(frozen=True, slots=True)
class HoursOfFee:
    """`1 hour`: the fee by the elapsed hours of its period."""

    count: Decimal


@dataclass(frozen=True, slots=True)
class ServiceDays:
    """`3 service days` added to the term: no money."""

    count: Decimal


@dataclass(frozen=True, slots=True)
class Amount:
    """`20.00`, or `20.00 each` times the input `quantity`. No currency of its own: the fee's."""

    amount: Decimal
    currency: str | None = None
    each: bool = False


@dataclass(frozen=True, slots=True)
class HourlyRate:
    """`hourly rate`: what one hour is charged, an input."""


@dataclass(frozen=True, slots=True)
class LostFee:
    """`lost fee`, `10 x lost fee`: so many times the share of the fee that the downtime is of the base."""

    times: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class PercentPlusSteps:
    """`10 % plus 5 % per completed 1 % below 99 at most 50 %`: of the fee, growing with each step of availability."""

    value: Decimal
    more: Decimal
    step: Decimal
    below: Decimal
    count: Counting
    at_most: Decimal | None = None


Pay: TypeAlias = Percent | DaysOfFee | HoursOfFee | ServiceDays | Amount | HourlyRate | LostFee | PercentPlusSteps


@dataclass(frozen=True, slots=True)
class If:
    """When a rule pays: `missed` (in a row: `missed 2 in a row`), or a comparison on a quantity of the part."""

    missed: int = 0  # periods missed in a row, this one included; 0: a comparison instead
    quantity: Literal["availability", "downtime"] = "availability"
    edge: Edge | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """One row of a table: from this edge on, this pay."""

    edge: Edge
    pay: Pay


@dataclass(frozen=True, slots=True)
class Tiers:
    """Tier table on availability, downtime or an imported value. Of the rows that match, the deepest counts once."""

    rows: tuple[Tier, ...]  # from the mildest to the deepest
    on: str = "availability"  # availability | downtime | the name of a value
    of: Scope = "period"
    when: If | None = None


@dataclass(frozen=True, slots=True)
class PerUnit:
    """So much for each started or completed unit of downtime, of the period or of each outage, after an allowance.

    An allowance in percent is of the base and used up by the outages in their order; one in milliseconds is taken off
    the period, or off each outage. `first` is paid once for each outage (or the period) with any downtime left.
    """

    unit_ms: int
    count: Counting
    pay: Pay
    of: Scope = "period"
    after_percent: Decimal = Decimal(0)
    after_ms: int = 0
    first: Pay | None = None
    when: If | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A multiple of the lost fee; of each outage, at most `cap_percent` of the fee for each."""

    times: Decimal
    of: Scope = "period"
    cap_percent: Decimal | None = None
    when: If | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """So much for each started or completed step (percentage points) of availability below the target, or `below`."""

    step: Decimal
    count: Counting
    pay: Pay
    below: Decimal | None = None
    when: If | None = None


@dataclass(frozen=True, slots=True)
class GreatestOf:
    """The largest of several pays."""

    pays: tuple[Pay, ...]
    when: If | None = None


@dataclass(frozen=True, slots=True)
class MissedPeriods:
    """By how many of the last `window` periods were missed, this one included; pays only if this one was."""

    window: int
    rows: tuple[tuple[int, Pay], ...]  # (at least so many, pay), ascending
    when: If | None = None


@dataclass(frozen=True, slots=True)
class Severity:
    """Points by a table, so much for each point; times `repeat` where the period before was missed as well."""

    rows: tuple[tuple[Edge, int], ...]  # from the mildest to the deepest
    pay: Pay  # for each point
    on: str = "availability"
    repeat: Decimal = Decimal(2)
    when: If | None = None


@dataclass(frozen=True, slots=True)
class PerDay:
    """One credit for each local calendar day with downtime of an outage that is long enough."""

    pay: Pay
    outage: Edge | None = None  # its counted length, ms
    when: If | None = None


@dataclass(frozen=True, slots=True)
class LateTickets:
    """So much for each ticket that took longer; `of` names the kind of ticket, None: all."""

    over_ms: int
    pay: Pay
    of: str | None = None
    when: If | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Once in the period, if any outage is long enough or there are enough outages."""

    pay: Pay
    outage: Edge | None = None  # counted length, ms
    count: Edge | None = None
    when: If | None = None


@dataclass(frozen=True, slots=True)
class ClockHours:
    """Each clock hour with that much downtime is free."""

    over: Edge  # downtime in the hour, ms
    pay: Pay
    when: If | None = None


@dataclass(frozen=True, slots=True)
class NoCredit:
    """`none`: agreed that nothing is credited."""

    when: If | None = None


Rule: TypeAlias = (
    Tiers
    | PerUnit
    | Lost
    | Steps
    | GreatestOf
    | MissedPeriods
    | Severity
    | PerDay
    | LateTickets
    | Event
    | ClockHours
    | NoCredit
)


@dataclass(frozen=True, slots=True)
class Cap:
    """Most that is credited: `100 % of period`, `50 % of event`, `10 % of rolling year`, `remaining NAME`: an input."""

    of: Literal["event", "period", "rolling_year", "remaining"]
    limit: Pay | None = None  # None: `remaining` says it
    name: str = ""  # of what remains
    over: Literal["service", "services"] = "service"  # of the period: each service alone, or all of the contract


NARROWEST_FIRST: tuple[str, ...] = ("event", "period", "rolling_year", "remaining")


@dataclass(frozen=True, slots=True)
class Deadline:
    """`30 days after period_end`: a length and the anchor from which it runs."""

    count: int
    unit: Literal["days", "business days", "hours", "months", "billing cycles"]
    anchor: Literal["period_end", "incident", "incident_end"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Automatic, or on request until a deadline; `notice`: an earlier word that the client owes."""

    by: Literal["automatic", "request"] = "automatic"
    deadline: Deadline | None = None
    notice: Deadline | None = None


@dataclass(frozen=True, slots=True)
class Chronic:
    """`3 in a row` (missed 3 of 3), `5 of 12`, `2 of 6 below 98.0`: flagged, never paid by itself."""

    missed: int
    of: int
    below: Decimal | None = None  # percent that counts as missed here; None: the target


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """How the fee of a period is found: fixed, entered by finance, or the greater of both; one service's or all's."""

    by: Literal["amount", "period", "greater"] = "amount"
    of: Literal["service", "contract"] = "service"
    annual_minor: int | None = None  # the annual fee where it was agreed by the year
