"""Combining and capping what rules owe: several rules, each event, the period, the rolling year (ACCOUNTING.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from sla.pay import Basis, MissingInput, Worth, in_currency, summed, worth
from sla.rules import NARROWEST_FIRST, Cap, Percent, ServiceDays
from sla.rules_due import Due
from sla.rules_text import cap_text


@dataclass(frozen=True, slots=True)
class Capped:
    """What a cap did: its limit in exact minor units (or service days), and whether it was exceeded."""

    cap: Cap
    limit: Fraction
    reached: bool

    @property
    def text(self) -> str:
        return cap_text(self.cap)


def combined(dues: Sequence[Due], several: Literal["sum", "highest"]) -> tuple[Due, ...]:
    """All of them, or those of the one rule that owes most over the whole period."""
    if several == "sum" or not dues:
        return tuple(dues)
    by_rule = {due.rule: summed(each.worth for each in dues if each.rule == due.rule) for due in dues}
    best = max(sorted(by_rule), key=lambda rule: (by_rule[rule].rank, -rule))
    return tuple(due for due in dues if due.rule == best)


def cap_events(dues: Sequence[Due], caps: Sequence[Cap], basis: Basis) -> tuple[tuple[Due, ...], tuple[Capped, ...]]:
    """At most so much for one outage, over all rules that pay by outage: their shares of it shrink alike."""
    found, told = tuple(dues), []
    for cap in (cap for cap in caps if cap.of == "event"):
        limit = limit_of(cap, basis)
        owed: dict[int, Fraction] = {}
        for start, minor in (event for due in found for event in due.by_event):
            owed[start] = owed.get(start, Fraction(0)) + minor
        keep = {start: limit / minor for start, minor in owed.items() if minor > limit}
        found = tuple(_shrunk(due, keep) for due in found)
        told.append(Capped(cap, limit, bool(keep)))
    return found, tuple(told)


def _shrunk(due: Due, keep: dict[int, Fraction]) -> Due:
    if not any(start in keep for start, _ in due.by_event):
        return due
    events = tuple((start, minor * keep.get(start, 1)) for start, minor in due.by_event)
    return replace(
        due, worth=Worth(sum((minor for _, minor in events), Fraction(0)), due.worth.service_days), by_event=events
    )


def limit_of(cap: Cap, basis: Basis) -> Fraction:
    """The exact limit. Raises MissingInput."""
    if cap.of == "remaining" or cap.limit is None:
        if cap.name not in basis.inputs.remaining:
            raise MissingInput(f"remaining.{cap.name}")
        return Fraction(in_currency(basis.inputs.remaining[cap.name], basis, f"remaining.{cap.name}"))
    if cap.of == "rolling_year":
        before = in_currency(basis.inputs.credited, basis, "credited")
        return max(Fraction(0), _of_the_year(cap, basis) - before)
    whole = replace(basis, fee_minor=basis.period_fee_minor)
    found = worth(cap.limit, whole)
    return found.service_days if isinstance(cap.limit, ServiceDays) else found.minor


def _of_the_year(cap: Cap, basis: Basis) -> Fraction:
    """A share of a year's fees, or a pay as it stands."""
    assert cap.limit is not None
    if isinstance(cap.limit, Percent):
        return basis.annual_fee() * Fraction(cap.limit.value) / 100
    return worth(cap.limit, replace(basis, fee_minor=basis.period_fee_minor)).minor


def in_order(caps: Sequence[Cap]) -> tuple[Cap, ...]:
    """Narrowest first; of one period that of each service before that over all of them."""
    return tuple(sorted(caps, key=lambda cap: (NARROWEST_FIRST.index(cap.of), cap.over != "service")))


def own(caps: Sequence[Cap]) -> tuple[Cap, ...]:
    """The caps that each service has for itself."""
    return tuple(cap for cap in in_order(caps) if cap.of == "period" and cap.over == "service")


def shared(caps: Sequence[Cap]) -> tuple[Cap, ...]:
    """The caps over all services of the contract."""
    return tuple(cap for cap in in_order(caps) if cap.of in ("rolling_year", "remaining") or cap.over == "services")


def apply(exact: Worth, caps: Sequence[Cap], basis: Basis) -> tuple[Worth, tuple[Capped, ...]]:
    """Each cap in turn. Raises MissingInput."""
    told = []
    for cap in caps:
        limit = limit_of(cap, basis)
        in_days = isinstance(cap.limit, ServiceDays)
        told.append(Capped(cap, limit, (exact.service_days if in_days else exact.minor) > limit))
        exact = _least(exact, limit, in_days=in_days)
    return exact, tuple(told)


def _least(exact: Worth, limit: Fraction, *, in_days: bool) -> Worth:
    if in_days:
        return Worth(exact.minor, min(exact.service_days, limit))
    return Worth(min(exact.minor, limit), exact.service_days)
