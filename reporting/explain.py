"""`nines explain`: every stretch with its rule, then the arithmetic down to the credit, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from reporting.wording import at_zone, plain
from sla.explain import Line, explain, explain_service, terms_at_end
from sla.statement import ServiceStatement, Statement

_TIMED = ("stretch", "window", "outage")


def explain_lines(statement: Statement) -> Iterator[str]:
    """The statement step by step, one line per step. Times are the contract's; its zone is named once."""
    zone = ZoneInfo(statement.period["tz"])
    who = plain(str(statement.client.get("name") or "no client"))
    state = ", still running: provisional" if statement.as_of_ms < statement.period["to_ms"] else ""
    yield f"{who}, {statement.contract.get('id') or 'no contract'}, {statement.period['label']}{state}"
    yield f"Times are those of {statement.period['tz']}, half-open: the end is the first instant after."
    for service in statement.services:
        yield ""
        yield from _service_lines(service, statement, zone)


def explain_data(statement: Statement) -> list[dict[str, Any]]:
    """The same steps for JSON; times in ms, null where a step has none."""
    return [asdict(line) for line in explain(statement)]


def _service_lines(service: ServiceStatement, statement: Statement, zone: ZoneInfo) -> Iterator[str]:
    target = f", target {service.target_pct} %" if service.target_pct else ""
    yield f"{plain(service.name)}{target}" + (f" ({service.composition})" if service.composition else "")
    steps = list(explain_service(service, terms_at_end(statement)))
    timed = [step for step in steps if step.topic in _TIMED]
    yield from stretch_table(timed, zone)
    for heading, rest in groupby((step for step in steps if step.topic not in _TIMED), key=_heading):
        yield ""
        yield from [f"  {heading}"] if heading else []
        yield from _table([(step.text, _value(step, zone)) for step in rest], right=(1,))


def stretch_table(steps: Sequence[Line], zone: ZoneInfo) -> Iterator[str]:
    """Steps about time: from, to, length, rule, id, aligned."""
    yield from _table([_timed_cells(step, zone) for step in steps], right=(2,))


def _heading(step: Line) -> str:
    if step.topic in ("claim", "chronic"):
        return "further terms"
    if step.topic == "credit":
        return "credit"
    return "" if step.part is None else f"part {step.part + 1}"


def _value(step: Line, zone: ZoneInfo) -> str:
    """What the step came to: of a claim the instant before which it must be made."""
    return _time(step.to_ms, zone) if step.topic == "claim" else step.value or ""


def _timed_cells(step: Line, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        _time(step.from_ms, zone),
        _time(step.to_ms, zone),
        step.value or "",
        plain(step.text),
        step.ref or "",
    )


def _time(at_ms: int | None, zone: ZoneInfo) -> str:
    """With its offset's name, for the hour that exists twice; milliseconds only where there are any."""
    if at_ms is None:
        return ""
    local = at_zone(at_ms, zone)
    fraction = f".{at_ms % 1000:03d}" if at_ms % 1000 else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{fraction} {local.tzname()}"


def _table(rows: Sequence[tuple[str, ...]], *, right: Sequence[int]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield ("  " + "  ".join(cells)).rstrip()
