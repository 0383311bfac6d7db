"""The verdict in sentences: missed first, one sentence per service or group, the credit last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from reporting.report import reading, wording
from reporting.report.consequences import breaches
from reporting.report.reading import Reading
from sla.figures import exact_text
from sla.statement import Credit, ServiceStatement

NO_FIGURE = {"no_checks": "no check was made", "all_excluded": "all of its time is excluded"}
SPOKEN_ALONE = 3  # more services of one verdict than this share a sentence


def verdict_sentences(page: Reading) -> tuple[str, ...]:
    """What happened, in the order a reader needs it; the last sentence is the credit."""
    by_verdict = {
        verdict: [service for service in page.services if service.verdict == verdict] for verdict in reading.RANK
    }
    return (
        *_each_or_together(by_verdict["NOT_MET"], _missed, "missed their targets"),
        *_each_or_together(by_verdict["UNDETERMINED"], _undetermined, "cannot be decided"),
        *_each_or_together(by_verdict["NO_DATA"], _no_data, "have no figure"),
        *_met(by_verdict["MET"], page),
        *_each_or_together(by_verdict["NO_TARGET"], _no_target, "have no target"),
        *_chronic(page),
        *_credit(page),
    )


def _chronic(page: Reading) -> tuple[str, ...]:
    """A breach that is chronic by the contract's own rule: more than a credit may follow."""
    reached = [(service.name, breaches(service)) for service in page.services]
    return tuple(f"{name} is in chronic breach, missed {wording.listed(rules)}." for name, rules in reached if rules)


Speaker = Callable[[ServiceStatement], str]


def _each_or_together(services: list[ServiceStatement], one: Speaker, together: str) -> tuple[str, ...]:
    if len(services) > SPOKEN_ALONE:
        names = wording.listed([service.name for service in services])
        return (f"{wording.capital(wording.counted(len(services), 'service'))} {together}: {names}.",)
    return tuple(one(service) for service in services)


def _missed(service: ServiceStatement) -> str:
    if service.target_pct is None:
        return f"{service.name} missed its target in part of the period: {reading.achieved(service)} in all."
    figures = f"{reading.achieved(service)} against {wording.percent(service.target_pct)}"
    if service.provisional:
        to_date = f"{reading.achieved(service)} to date against {wording.percent(service.target_pct)}"
        return f"{service.name} has already missed its target: {to_date}."
    return f"{service.name} missed its target: {figures}."


def _undetermined(service: ServiceStatement) -> str:
    unmeasured = wording.prose_duration(service.split_ms.get("unknown", 0), round_window=True)
    return f"{service.name} cannot be decided: between {reading.bounds(service)}, {unmeasured} were not measured."


def _no_data(service: ServiceStatement) -> str:
    return f"{service.name} has no figure: {NO_FIGURE.get(service.reason or '', 'nothing was considered')}."


def _no_target(service: ServiceStatement) -> str:
    return f"{service.name} reached {reading.achieved(service)}; no target is agreed."


def _met(services: list[ServiceStatement], page: Reading) -> tuple[str, ...]:
    if not services:
        return ()
    if page.provisional:
        verb = "is" if len(services) == 1 else "are"
        return (f"{_names(services)} {verb} within the allowed downtime so far.",)
    if len(services) == 1 and len(page.services) == 1:
        return (f"{services[0].name} met its target: {_against(services[0])}.",)
    if len(services) == len(page.services):
        everyone = "Both" if len(services) == 2 else f"All {wording.counted(len(services), 'service').split(' ')[0]}"
        return (f"{everyone} services met their targets.",)
    return (f"{_names(services)} met {'its target' if len(services) == 1 else 'theirs'}.",)


def _against(service: ServiceStatement) -> str:
    if service.target_pct is None:
        return f"{reading.achieved(service)} in all"
    return f"{reading.achieved(service)} against {wording.percent(service.target_pct)}"


def _names(services: list[ServiceStatement]) -> str:
    if len(services) > SPOKEN_ALONE:
        return f"The other {wording.counted(len(services), 'service')}"
    return wording.listed([service.name for service in services])


def credit_total(credits_: Sequence[Credit]) -> str | None:
    """The sum of the amounts; None where one of them has no amount yet."""
    if any(credit.amount is None for credit in credits_):
        return None
    return str(sum((Decimal(credit.amount or 0) for credit in credits_), Decimal(0)))


def _credit(page: Reading) -> tuple[str, ...]:
    credits_ = [service.credit for service in page.services if service.credit is not None]
    if not credits_:
        return ()
    if page.provisional:
        return ("A service credit is decided when the period has ended.",)
    credits_ = [credit for credit in credits_ if credit.state != "none" or credit.amount is not None]
    if not credits_:
        return ("No service credit is decided without a figure.",)
    if any(credit.state == "fee_missing" for credit in credits_):
        names = [s.name for s in page.services if s.credit is not None and s.credit.state == "fee_missing"]
        return (f"The service credit cannot be computed yet: the fee of {wording.listed(names)} is not recorded.",)
    missing = sorted({str(credit.inputs["missing"]) for credit in credits_ if "missing" in credit.inputs})
    if missing:
        return (f"The service credit cannot be computed yet: {wording.listed(missing)} is not recorded.",)
    if not all(credit.determined for credit in credits_):
        return (_undecided(credits_, page),)
    return _due(credits_, page)


def _due(credits_: Sequence[Credit], page: Reading) -> tuple[str, ...]:
    total, days = credit_total(credits_), sum((Fraction(credit.service_days or 0) for credit in credits_), Fraction(0))
    told = [f"A service credit of {wording.money(total, page.currency)} is due."] if total and Decimal(total) else []
    told += [f"Service days added to the term: {exact_text(days)}."] if days else []
    return tuple(told) or ("No service credit is due.",)


def _undecided(credits_: Sequence[Credit], page: Reading) -> str:
    low, high = (
        sum((Decimal(getattr(c, end) or c.amount or 0) for c in credits_), Decimal(0)) for end in ("low", "high")
    )
    if low == high:
        return "The service credit needs a decision: too little was measured."
    return f"The service credit cannot be decided: between {_money(low, page)} and {_money(high, page)}."


def _money(value: Decimal, page: Reading) -> str:
    return wording.money(str(value), page.currency)
