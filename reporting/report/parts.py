"""The parts of a period whose target or measure changed: each with its own figure and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reporting.report import reading, wording
from reporting.report.cover import WORDS
from reporting.report.reading import Reading
from sla.figures import printed_pct
from sla.statement import Part


@dataclass(frozen=True, slots=True)
class PartRow:
    name: str
    days: str
    target: str
    achieved: str
    verdict: str
    allowed: str
    counted: str


def part_rows(page: Reading) -> tuple[PartRow, ...]:
    """Rows for every service whose period was cut; nothing for the others."""
    cut = (service for service in page.services if len(service.parts) > 1)
    return tuple(_row(service.name, part, page) for service in cut for part in service.parts)


def _row(name: str, part: Part, page: Reading) -> PartRow:
    figure = part.availability_pct
    counted = reading.whole_ms(Fraction(part.measure.counted))
    return PartRow(
        name=name,
        days=page.calendar.days(part.from_ms, part.to_ms),
        target=wording.percent(part.target_pct),
        achieved=wording.percent(None if figure is None else printed_pct(figure, target_pct=part.target_pct)),
        verdict=WORDS[part.verdict],
        allowed=wording.DASH if part.budget is None else wording.column_duration(part.budget.allowed_ms),
        counted=wording.column_duration(counted),
    )
