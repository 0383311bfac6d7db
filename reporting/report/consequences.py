"""What else follows from the figure: until when a credit may be claimed, a chronic breach, what was entered."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.report import reading, wording
from reporting.report.dates import Calendar
from reporting.report.reading import Reading
from sla.explain import is_owed
from sla.statement import Credit, ServiceStatement

REACHED = {True: "reached", False: "not reached", None: "not decided: a period of the row has no verdict"}


@dataclass(frozen=True, slots=True)
class Consequence:
    service: str  # empty where it holds for all of them
    subject: str
    text: str


def consequences(page: Reading) -> tuple[Consequence, ...]:
    """Claims, chronic breaches and entered values; what all services share stands once, without a name."""
    each = [(service.name, found) for service in page.services for found in _of(service, page)]
    rows: dict[tuple[str, str], list[str]] = {}
    for name, found in each:
        rows.setdefault(found, []).append(name)
    everyone = len(page.services)
    return tuple(
        Consequence("" if len(names) == everyone else wording.listed(names), *found) for found, names in rows.items()
    )


def breaches(service: ServiceStatement) -> tuple[str, ...]:
    """The rules of chronic breach that this period reached."""
    return tuple(str(rule["rule"]) for rule in service.chronic if rule.get("reached") is True)


def _of(service: ServiceStatement, page: Reading) -> list[tuple[str, str]]:
    credit, found = service.credit, []
    claimable = credit is not None and not service.provisional and is_owed(credit)
    if credit is not None and claimable and credit.claim.get("state") in ("on_request", "past_deadline"):
        found.append(("Claim", f"{_claim(credit, page)}{_clause(page, 'claim')}."))
    for rule in service.chronic:
        words = "not decided before the period has ended" if service.provisional else REACHED[rule.get("reached")]
        text = f"{_row(str(rule['rule']))}: {words}{_clause(page, 'chronic')}."
        found.append(("Chronic breach", text))
    if credit is not None and (entered := _entered(credit)):
        found.append(("Entered", f"{entered}."))
    return found


def _row(rule: str) -> str:
    return f"Missed {rule}" if "in a row" in rule else f"Missed {rule} periods"


def _clause(page: Reading, subject: str) -> str:
    clause = reading.clause(page, subject)
    return f"; clause {clause}" if clause else ""


def _claim(credit: Credit, page: Reading) -> str:
    """`on request, until the end of 31 January 2027`: the deadline is exclusive, its last day is named."""
    deadline, notice = credit.claim.get("deadline_ms"), credit.claim.get("notice_ms")
    until = "without a deadline" if deadline is None else f"until {_last(int(deadline), page.calendar)}"
    passed = ", which has passed" if credit.claim["state"] == "past_deadline" else ""
    told = "" if notice is None else f"; the incident to be told until {_last(int(notice), page.calendar)}"
    return f"Credited on request, {until}{passed}{told}"


def _last(deadline_ms: int, calendar: Calendar) -> str:
    local = calendar.local(deadline_ms)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return f"the end of {calendar.day(deadline_ms - 1, year=True)}"
    return calendar.minute(deadline_ms)


def _entered(credit: Credit) -> str:
    """What no probe knows and somebody entered, by its name; what is at stake is told elsewhere."""
    kept = (
        (name, value) for name, value in credit.inputs.items() if name not in ("exposure", "missing", "fee") and value
    )
    return ", ".join(f"{_name(name)} {value}" for name, value in kept)


def _name(name: str) -> str:
    named = {
        "history": "Periods before, oldest first:",
        "credited": "credited in the year before",
        "annual_fee": "annual fee",
        "hourly_rate": "hourly rate",
    }
    return named.get(name, name.removeprefix("values."))
