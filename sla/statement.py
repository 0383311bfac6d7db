"""The frozen Statement: the one value that PDF, page, API, CSV and alert render (statement/1 of STATEMENT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

StatementVerdict = Literal["MET", "NOT_MET", "UNDETERMINED", "NO_DATA", "NO_TARGET"]
TimeClass = Literal[
    "up", "degraded", "down", "unknown", "maintenance", "excluded", "outside_service_hours", "not_contracted"
]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One line of the gapless timeline. `ref` is the id of the outage, window or exclusion behind it."""

    from_ms: int
    to_ms: int
    time_class: TimeClass
    ref: str | None = None
    weight: str | None = None  # decimal text, where less than whole counts


@dataclass(frozen=True, slots=True)
class Measure:
    """What was judged: exact decimal text of the base and of what counts against it."""

    by: str
    unit: str
    base: str
    counted: str


@dataclass(frozen=True, slots=True)
class Budget:
    allowed_ms: int
    used_ms: int
    remaining_ms: int  # allowed - used; negative when over


@dataclass(frozen=True, slots=True)
class PrintedOutage:
    id: str | None
    from_ms: int
    to_ms: int | None
    last_good_ms: int | None
    first_bad_ms: int | None
    confirmed_ms: int | None
    last_bad_ms: int | None
    first_good_ms: int | None
    counted_ms: int
    down_ms: int  # its length less unknown time inside it, within the period
    cause: str
    text: str
    endpoints: tuple[str, ...] = ()
    failed_checks: int | None = None
    kind: Literal["down", "degraded"] = "down"  # degraded stretches are listed where they count
    why: str | None = None  # which option lets less of its downtime count, or more; None: none does


@dataclass(frozen=True, slots=True)
class PrintedWindow:
    id: str | None
    from_ms: int
    to_ms: int
    entered_ms: int | None
    accepted: bool
    why: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class PrintedExclusion:
    id: str | None
    from_ms: int
    to_ms: int
    category: str
    clause: str
    text: str
    without_pct: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the period under one target and measure. A period without a change has exactly one."""

    from_ms: int
    to_ms: int
    target_pct: str | None
    options: dict[str, Any]
    split_ms: dict[TimeClass, int]
    considered_ms: int | None
    measure: Measure
    availability_pct: str | None
    bounds_pct: tuple[str, str] | None
    coverage_pct: str | None  # None where no time was left to measure
    verdict: StatementVerdict
    reason: str | None
    budget: Budget | None


@dataclass(frozen=True, slots=True)
class CreditLine:
    part: int
    rule: str  # as printed: "availability < 99.9: 10 %"
    inputs: dict[str, str]
    exact: str  # exact decimal or fraction text, before the one rounding
    amount: str  # printed, currency's digits


@dataclass(frozen=True, slots=True)
class Credit:
    fee: str | None
    inputs: dict[str, Any]
    lines: tuple[CreditLine, ...]
    amount: str | None
    low: str | None
    high: str | None
    determined: bool
    currency: str | None
    service_days: str | None
    caps: tuple[dict[str, Any], ...]
    claim: dict[str, Any]  # {"deadline_ms", "state"}
    state: Literal["none", "calculated", "needs_decision", "fee_missing"]


@dataclass(frozen=True, slots=True)
class ServiceStatement:
    id: str | None
    name: str
    target_pct: str | None
    split_ms: dict[TimeClass, int]
    considered_ms: int | None
    availability_pct: str | None
    bounds_pct: tuple[str, str] | None
    evidence_pct: tuple[str, str] | None
    coverage_pct: str | None  # None where no time was left to measure
    verdict: StatementVerdict
    reason: str | None
    provisional: bool
    measure: Measure
    budget: Budget | None
    timeline: tuple[Stretch, ...]
    parts: tuple[Part, ...]
    outages: tuple[PrintedOutage, ...]
    maintenance: tuple[PrintedWindow, ...]
    exclusions: tuple[PrintedExclusion, ...]
    checks: dict[str, int | None]  # {"due", "made", "unconfirmed"}
    method_changes: tuple[dict[str, Any], ...]
    credit: Credit | None
    composition: str = ""  # "2 endpoints, all up"
    chronic: tuple[dict[str, Any], ...] = ()  # {"rule": "3 in a row", "reached": true | false | null}


@dataclass(frozen=True, slots=True)
class Statement:
    """statement/1. `as_json` gives the JSON object of STATEMENT.md; `canonical` its bytes."""

    statement_id: str | None
    number: str | None
    revision: int
    supersedes: str | None
    previous: str | None
    state: Literal["DRAFT", "FINAL", "RESTATED"]
    issuer: dict[str, Any]
    client: dict[str, Any]
    contract: dict[str, Any]
    period: dict[str, Any]  # {"from_ms","to_ms","tz","label"}
    as_of_ms: int
    software: dict[str, str]
    journal: dict[str, Any] | None
    options: dict[str, Any]
    services: tuple[ServiceStatement, ...]
    totals: dict[str, Any]
