"""A statement in a few lines of a terminal: the verdict first, the money last, as on the report's first page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sla.figures import duration_text, percent_text
from sla.statement import ServiceStatement, Statement

_WORDS = {
    "MET": "MET",
    "NOT_MET": "NOT MET",
    "UNDETERMINED": "UNDETERMINED",
    "NO_DATA": "NO DATA",
    "NO_TARGET": "NO TARGET",
}


def summary_lines(statement: Statement) -> Iterator[str]:
    """Lines of text, no markup, no trailing newline; every figure is the statement's own."""
    client = statement.client.get("name") or "no client"
    number = statement.contract.get("number") or statement.contract.get("id") or "no contract"
    yield f"{client}, {number}, {statement.period['label']} ({statement.period['tz']}), {statement.state}"
    for service in statement.services:
        yield ""
        yield from _service_lines(service)


def _service_lines(service: ServiceStatement) -> Iterator[str]:
    verdict = _WORDS[service.verdict] + (", so far" if service.provisional else "")
    reason = f" ({service.reason})" if service.reason else ""
    yield f"{service.name}: {verdict}{reason}"
    yield _line("availability", _achieved(service))
    if service.bounds_pct and service.split_ms["unknown"]:
        yield _line("bounds", f"{service.bounds_pct[0]} to {service.bounds_pct[1]} %")
    if service.coverage_pct is not None:
        yield _line("coverage", f"{service.coverage_pct} %")
    for name, length_ms in service.split_ms.items():
        if length_ms:
            yield _line(name.replace("_", " "), duration_text(length_ms))
    if service.budget:
        yield _line("allowed", duration_text(service.budget.allowed_ms))
        yield _line("counted", duration_text(service.budget.used_ms))
    yield _line("credit", _credit(service))


def _line(label: str, text: str) -> str:
    return f"  {label:<22}{text}"


def _achieved(service: ServiceStatement) -> str:
    if service.availability_pct is None:
        return "no figure"
    against = f" against {service.target_pct} %" if service.target_pct else ""
    return f"{percent_text(service)} %{against}"


def _credit(service: ServiceStatement) -> str:
    credit = service.credit
    if credit is None or credit.state == "none":
        return "none"
    if credit.state == "fee_missing":
        return "the fee is missing: set `fee:` in the contract"
    if "missing" in credit.inputs:
        return f"{credit.inputs['missing']} is not known, needs a decision"
    days = "" if credit.service_days in (None, "0") else f"{credit.service_days} service days"
    if credit.amount is None or (days and not Decimal(credit.amount)):
        return (days or "none") + ("" if credit.determined else ", needs a decision")
    if not credit.determined:
        return f"{credit.currency} {credit.low} to {credit.high}, needs a decision"
    return ", ".join(filter(None, (f"{credit.currency} {credit.amount}", days)))
