"""Downtime budget used: the figures beside the bars, and which services get a bar."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.report import bars, reading, wording
from reporting.report.reading import Reading
from sla.statement import Budget, ServiceStatement

MANY_SERVICES = 8


@dataclass(frozen=True, slots=True)
class BudgetRow:
    name: str
    picture: str  # name of the asset
    svg: str
    alt: str
    used: str
    left: str
    over: bool


def budget_figures(service: ServiceStatement) -> tuple[str, str, str]:
    """Allowed, counted and what is left or over, as printed: the three add up at the precision of print.

    Whole seconds where the counted downtime is whole, else milliseconds; allowed is always rounded down.
    """
    counted = reading.whole_ms(reading.counted_ms(service))
    budget = service.budget
    if not service.considered_ms:
        return wording.DASH, wording.DASH, ""
    if budget is None:
        return wording.DASH, wording.prose_duration(counted), ""
    fine = budget.used_ms % 1000 != 0
    allowed = budget.allowed_ms if fine else budget.allowed_ms // 1000 * 1000
    left = allowed - budget.used_ms
    rest = f"{wording.prose_duration(abs(left))} {'over' if left < 0 else 'left'}"
    return wording.prose_duration(allowed), wording.prose_duration(budget.used_ms), rest


def budget_rows(page: Reading) -> tuple[BudgetRow, ...]:
    chosen = _services_with_bars(page)
    scale = bars.scale_for([reading.used_share(service) for service in chosen])
    return tuple(_budget_row(service, scale, at) for at, service in enumerate(chosen))


LABEL_MM = 30 + 8  # half of the label under the line of 100 %, and the zero before it


def label_mm(page: Reading) -> str:
    """Space between the zero and the label that is centred under the line of 100 %."""
    scale = bars.scale_for([reading.used_share(service) for service in _services_with_bars(page)])
    return f"{bars.WIDTH_MM * 100 / scale - LABEL_MM:.2f}"


def _services_with_bars(page: Reading) -> list[ServiceStatement]:
    """All with a budget; over eight services the missed and narrow ones and the three fullest others."""
    chosen = [service for service in page.services if service.budget is not None and service.considered_ms]
    if len(chosen) <= MANY_SERVICES:
        return chosen
    pressing = [service for service in chosen if service.verdict == "NOT_MET" or reading.is_narrow(service)]
    others = [service for service in chosen if service not in pressing]
    return pressing + others[:3]


def bars_left_out(page: Reading) -> str:
    """The services whose bar is not drawn, in one line."""
    drawn = _services_with_bars(page)
    rest = [s for s in page.services if s.budget is not None and s.considered_ms and s not in drawn]
    if not rest:
        return ""
    most = max(rest, key=reading.used_share)
    share = _used_figure(most.budget) if most.budget else wording.DASH
    return f"The other {wording.counted(len(rest), 'service')} used at most {share} of the downtime allowed."


def _budget_row(service: ServiceStatement, scale: int, at: int) -> BudgetRow:
    budget = service.budget
    assert budget is not None  # chosen for having one
    used = _used_figure(budget)
    left = budget_figures(service)[2]
    return BudgetRow(
        name=service.name,
        picture=f"bar-{at}.svg",
        svg=bars.bar_svg(reading.used_share(service), scale, figure=used),
        alt=f"{service.name} used {used} of its allowed downtime, {left}.",
        used=used,
        left=left,
        over=budget.remaining_ms < 0,
    )


def _used_figure(budget: Budget) -> str:
    """A target of 100 % leaves no budget: any downtime exhausts it."""
    if budget.allowed_ms:
        return wording.used_percent(budget.used_ms, budget.allowed_ms)
    return "exhausted" if budget.used_ms else f"0.0{wording.NARROW}%"
