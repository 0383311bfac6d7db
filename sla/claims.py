"""Until when a credit may be claimed, counted from its anchor; and chronic breach, flagged (CONTRACTS.md)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

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
    terms: Terms, verdict: StatementVerdict, inputs: Inputs, *, provisional: bool
) -> tuple[dict[str, Any], ...]:
    """Each rule of chronic breach: {"rule", "reached"}; null where this period or those before are not decided."""
    now = {"MET": "met", "NOT_MET": "missed"}.get(verdict)
    return tuple(
        {
            "rule": chronic_text(rule),
            "reached": None if now is None or provisional else _reached(rule, now == "missed", inputs, terms),
        }
        for rule in terms.chronic
    )


def _reached(rule: Chronic, missed: bool, inputs: Inputs, terms: Terms) -> bool | None:
    if inputs.history is None:
        return None if rule.of > 1 and (missed or rule.missed < rule.of) else missed
    before = [_missed(each, terms) for each in inputs.history][-(rule.of - 1) :] if rule.of > 1 else []
    return sum([*before, missed]) >= rule.missed


def _missed(before: PeriodBefore, terms: Terms) -> bool:
    if isinstance(before, str):
        return before == "missed"
    return terms.target is not None and before < terms.target
