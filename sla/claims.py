"""Until when a credit may be claimed, counted from its anchor; and chronic breach, flagged (CONTRACTS.md)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from sla.availability import Measured, compared
from sla.inputs import Inputs, PeriodBefore
from sla.period import Period, local, local_midnight_ms
from sla.quantities import Downtime
from sla.rules import Chronic, Claim, Deadline
from sla.rules_text import chronic_text
from sla.statement import StatementVerdict
from sla.terms import Terms

HOUR_MS = 3_600_000
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def claim_of(
    claim: Claim, outages: Sequence[Downtime], period: Period, *, length: str, as_of_ms: int
) -> dict[str, Any]:
    """{"deadline_ms", "state"}, and "notice_ms" where an earlier word is owed.

    Of several incidents the first one decides, so that a claim in time is in time for all. A deadline counted in days,
    months or billing cycles ends with the last local day; one in hours runs to the millisecond. `length` is the
    contract's period, which a billing cycle is.
    """
    if claim.by == "automatic":
        return {"deadline_ms": None, "state": "automatic"}
    deadline = _until(claim.deadline, outages, period, length)
    past = deadline is not None and as_of_ms >= deadline
    found = {"deadline_ms": deadline, "state": "past_deadline" if past else "on_request"}
    return found if claim.notice is None else found | {"notice_ms": _until(claim.notice, outages, period, length)}


def _until(deadline: Deadline | None, outages: Sequence[Downtime], period: Period, length: str) -> int | None:
    if deadline is None:
        return None
    spans = [(outage.pieces[0][0], outage.pieces[-1][1]) for outage in outages]
    if deadline.unit == "billing cycles":
        return _cycles_later(period, deadline.count, length)
    if deadline.anchor == "period_end":
        return until_ms(period.to_ms, deadline, period.tz, ends=True)
    ends = deadline.anchor == "incident_end"
    found = [until_ms(end if ends else start, deadline, period.tz, ends=ends) for start, end in spans]
    return min(found, default=None)


def until_ms(
    anchor_ms: int, deadline: Deadline, tz: str, *, ends: bool, holidays: Collection[date] = frozenset()
) -> int:
    """The first instant after the deadline. The day of the anchor does not count; with `ends` the anchor is exclusive.

    Business days are Monday to Friday without `holidays`.
    """
    if deadline.unit == "hours":
        return anchor_ms + deadline.count * HOUR_MS
    first = local(anchor_ms - (1 if ends else 0), tz).date() + timedelta(days=1)
    if deadline.unit == "months":
        return local_midnight_ms(months_later(first, deadline.count), tz)
    if deadline.unit == "business days":
        return local_midnight_ms(_business_days(first, deadline.count, holidays), tz)
    return local_midnight_ms(first + timedelta(days=deadline.count), tz)


def _business_days(first: date, count: int, holidays: Collection[date]) -> date:
    """The day after so many business days, of which `first` may be the first."""
    at = first
    while count:
        count -= at.weekday() < 5 and at not in holidays
        at += timedelta(days=1)
    return at


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    after = date(first.year + (first.month == 12), first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), after - timedelta(days=1))


def _cycles_later(period: Period, count: int, length: str) -> int:
    """The end of the cycle that many after the one of this period."""
    end = local(period.to_ms - 1, period.tz).date() + timedelta(days=1)
    if length == "week":
        return local_midnight_ms(end + timedelta(days=7 * count), period.tz)
    return local_midnight_ms(months_later(end, count * _MONTHS.get(length, 1)), period.tz)


def chronic_of(
    terms: Terms, verdict: StatementVerdict, measured: Measured, inputs: Inputs, *, provisional: bool
) -> tuple[dict[str, Any], ...]:
    """Each rule of chronic breach: {"rule", "reached"}; null where this period or those before leave it open."""
    open_still = provisional or verdict in ("UNDETERMINED", "NO_DATA")
    return tuple(
        {
            "rule": chronic_text(rule),
            "reached": None if open_still else _reached(rule, _now(rule, verdict, measured, terms), inputs, terms),
        }
        for rule in terms.chronic
    )


def _now(rule: Chronic, verdict: StatementVerdict, measured: Measured, terms: Terms) -> bool | None:
    """Whether this period counts; None where its unknown time decides, or there is no target to miss."""
    if rule.below is None:
        return {"MET": False, "NOT_MET": True}.get(verdict)
    shares = measured.bounds if terms.options.unknown == "exclude" else None
    below = {
        compared(share, terms.options) < rule.below
        for share in (measured.availability, *(shares or ()))
        if share is not None
    }
    return below.pop() if len(below) == 1 else None


def _reached(rule: Chronic, now: bool | None, inputs: Inputs, terms: Terms) -> bool | None:
    before = [_counts(rule, each, terms) for each in inputs.history or ()] if rule.of > 1 else []
    if inputs.history is None:
        before = [None] * (rule.of - 1)
    counted = [*before[-(rule.of - 1) :], now]
    if counted.count(True) >= rule.missed:
        return True
    return None if counted.count(True) + counted.count(None) >= rule.missed else False


def _counts(rule: Chronic, before: PeriodBefore, terms: Terms) -> bool | None:
    """Whether a period before counts; a bare met or missed leaves it open where that says nothing about the edge."""
    edge = terms.target if rule.below is None else rule.below
    if not isinstance(before, str):
        return edge is not None and before < edge
    if rule.below is None or terms.target is None:
        return before == "missed" if rule.below is None else None
    says = rule.below >= terms.target if before == "missed" else rule.below <= terms.target
    return before == "missed" if says else None
