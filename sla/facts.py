"""The facts that the accounting starts from: what was observed, announced and agreed, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from sla.inputs import NOTHING_ENTERED, Inputs
from sla.spans import NOWHEN, Span, Spans

Verdict = Literal["up", "degraded", "down", "unknown"]
DefinitionKind = Literal["client", "endpoint", "service", "window", "contract"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One dated, immutable version of something agreed. `body` is JSON data; None says: removed at `known_from_ms`."""

    kind: DefinitionKind
    id: str
    known_from_ms: int
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage (or one degraded stretch) as judged, of an endpoint or of a service.

    It may hold unknown time inside it. The true start lies in (last_good, first_bad], the true end in
    (last_bad, first_good]; each evidence bound is None where nothing was recorded.
    """

    id: str | None
    from_ms: int
    to_ms: int | None  # None while it lasts
    last_good_ms: int | None = None
    first_bad_ms: int | None = None
    confirmed_ms: int | None = None
    last_bad_ms: int | None = None
    first_good_ms: int | None = None
    cause: str = ""  # category, audience: client
    text: str = ""  # one sentence, audience: client
    weight: Fraction | None = (
        None  # share of the time that counts as down; None: whole for down, by option for degraded
    )
    endpoints: tuple[str, ...] = ()
    failed_checks: int | None = None
    affected: Fraction | None = None  # users; None: all of them


@dataclass(frozen=True, slots=True)
class Window:
    """One occurrence of announced maintenance. `scope` names what it is for: ("endpoint", id) or ("service", id)."""

    id: str | None
    from_ms: int
    to_ms: int
    entered_ms: int | None  # first instant the ledger knew of this occurrence; None: given as accepted (calc)
    scope: frozenset[tuple[str, str]] = frozenset()
    title: str = ""
    accepted: bool | None = None  # the decision on record for this contract; None: not decided yet
    why: str | None = None
    definition: str | None = None  # the id under which the window was written

    @property
    def span(self) -> Span:
        return (self.from_ms, self.to_ms)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A span taken out by agreement; category: force_majeure, client, third_party, agreed.

    `false_positive` is no exclusion: what was judged down in its span counts as up, and the base stays.
    """

    id: str | None
    from_ms: int
    to_ms: int
    category: str = "agreed"
    clause: str = ""
    text: str = ""

    @property
    def span(self) -> Span:
        return (self.from_ms, self.to_ms)


@dataclass(frozen=True, slots=True)
class Member:
    """An endpoint named in a service expression, or what one of its locations says of it."""

    endpoint: str
    location: str | None = None  # None: the daemon's own

    @property
    def key(self) -> str:
        """Under which its facts are kept: `api`, or `api@fra` for what another location says."""
        return self.endpoint if self.location is None else f"{self.endpoint}@{self.location}"


@dataclass(frozen=True, slots=True)
class All:
    """Works when every member works (series)."""

    members: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any_:
    """Works when one member works (redundant)."""

    members: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Works when k of its members work."""

    k: int
    members: tuple[Expression, ...]


Expression = Member | All | Any_ | AtLeast


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What is known of one endpoint over the time asked for, as one location saw it; `id` is the member's key.

    `unknown` holds all time without coverage, blind, off or stalled, the time before the first check included.
    """

    id: str
    first_check_ms: int | None
    outages: tuple[Outage, ...] = ()
    degraded: tuple[Outage, ...] = ()
    unknown: Spans = NOWHEN
    checks_due: int | None = None
    checks_made: int | None = None
    unconfirmed: int = 0  # failed checks that never became an outage


@dataclass(frozen=True, slots=True)
class MethodChange:
    """Interval, confirm or timeout changed within the period: printed, never silent."""

    at_ms: int
    endpoint: str
    text: str


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """One service: what it was composed of (dated, ascending), its members' facts, its windows and exclusions."""

    id: str
    name: str
    composition: tuple[tuple[int, Expression], ...]  # (from_ms, expression in force from then on)
    endpoints: Mapping[str, EndpointFacts]
    windows: tuple[Window, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    outside_hours: Spans = NOWHEN  # time outside the agreed service hours
    method_changes: tuple[MethodChange, ...] = field(default=())
    inputs: Inputs = NOTHING_ENTERED
