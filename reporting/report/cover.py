"""Page 1: who, when, what was promised, what was kept, what is owed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from reporting.report import reading, wording
from reporting.report.budget import MANY_SERVICES, budget_figures
from reporting.report.dates import period_line
from reporting.report.leftout import left_out
from reporting.report.reading import Reading
from reporting.report.sentences import credit_total, verdict_sentences
from sla.statement import ServiceStatement

WORDS = {
    "NOT_MET": "NOT MET",
    "MET": "MET",
    "NO_DATA": "NO DATA",
    "UNDETERMINED": "UNDETERMINED",
    "NO_TARGET": "NO TARGET",
}
MARKS = {
    "NOT_MET": "missed",
    "MET": "met",
    "NO_DATA": "nodata",
    "UNDETERMINED": "undetermined",
    "NO_TARGET": "nodata",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the four equal cells of the meta strip."""

    label: str
    bold: str
    second: str


@dataclass(frozen=True, slots=True)
class VerdictRow:
    name: str
    composition: str
    target: str
    achieved: str
    mark: str
    word: str
    note: str
    allowed: str
    counted: str
    credit: str


def meta_strip(page: Reading) -> tuple[Cell, ...]:
    return (_period_cell(page), _number_cell(page), _contract_cell(page), _issue_cell(page))


def _period_cell(page: Reading) -> Cell:
    return Cell("Period", period_line(page.calendar, page.from_ms, page.to_ms), str(page.statement.period["tz"]))


def _number_cell(page: Reading) -> Cell:
    statement = page.statement
    number = statement.number or "not numbered"
    previous = f"continues {statement.previous[:8]}…" if statement.previous else "no statement before it"
    return Cell("Statement", f"{number}, revision {statement.revision}", previous)


def _contract_cell(page: Reading) -> Cell:
    contract = page.statement.contract
    versions = contract.get("versions") or ()
    since = versions[-1].get("from_ms") if versions else None
    second = "" if since is None else f"in force since {page.calendar.day(since, year=True)}"
    return Cell("Contract", str(contract.get("number") or contract.get("id") or wording.DASH), second)


def _issue_cell(page: Reading) -> Cell:
    state = page.statement.state
    second = "the period is still running" if page.provisional else "not issued yet" if state == "DRAFT" else ""
    label = "As of" if state == "DRAFT" else "Issued"
    return Cell(label, page.calendar.minute(page.statement.as_of_ms), second)


def fits_one_page(page: Reading) -> bool:
    """An estimate from the measures of the page: a cover that spills over is not followed by a forced break."""
    lines = sum(-(-len(sentence) // 60) for sentence in verdict_sentences(page))
    names = sum(-(-len(service.name) // 18) - 1 for service in page.services)
    bars = min(len(page.services), MANY_SERVICES)
    rows = len(left_out(page))
    return 62 + 8.2 * lines + 12 * len(page.services) + 11 * bars + 4.2 * names * 2 + 6 * rows + 60 < 263


def verdict_rows(page: Reading) -> tuple[VerdictRow, ...]:
    return tuple(_verdict_row(service) for service in page.services)


def _verdict_row(service: ServiceStatement) -> VerdictRow:
    narrow = reading.is_narrow(service)
    allowed, counted, _ = budget_figures(service)
    return VerdictRow(
        name=service.name,
        composition=service.composition,
        target=f"{len(service.parts)} parts" if len(service.parts) > 1 else wording.percent(service.target_pct),
        achieved=reading.achieved(service),
        mark="narrow" if narrow else MARKS[service.verdict],
        word=WORDS[service.verdict],
        note=_verdict_note(service, narrow),
        allowed=allowed,
        counted=counted,
        credit=_credit_figure(service),
    )


def _verdict_note(service: ServiceStatement, narrow: bool) -> str:
    if service.provisional:
        return "to date"
    if service.verdict == "UNDETERMINED":
        return "coverage too low" if service.reason == "coverage" else "bounds disagree"
    return "narrowly" if narrow else ""


def _credit_figure(service: ServiceStatement) -> str:
    credit = service.credit
    if credit is not None and not service.provisional and credit.amount is None and Fraction(credit.service_days or 0):
        return f"{credit.service_days} days" if credit.determined else "open"
    if credit is None or service.provisional or credit.amount is None:
        return "open" if credit is not None and credit.state == "fee_missing" else wording.DASH
    if not credit.determined:
        return "open"
    return wording.amount(credit.amount) if Decimal(credit.amount) else wording.DASH


def credit_sum(page: Reading) -> str | None:
    """The sum of the credit column; None where the sum is not known or nothing could be owed."""
    known = (service.credit for service in page.services if service.credit is not None)
    credits_ = [credit for credit in known if credit.state != "none" or credit.amount is not None]
    if not credits_ or page.provisional or not all(credit.determined for credit in credits_):
        return None
    total = credit_total(credits_)
    return None if total is None else wording.amount(total)
