"""How the figures came about and how good the data is: short paragraphs and a small table."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.report import reading, wording
from reporting.report.reading import Reading

KEPT = {
    "exclude": "both sides of the fraction are without it",
    "count_up": "it stays in the base and counts as up",
    "ignore": "it changes nothing",
}
UNMEASURED = {
    "exclude": "leaves both sides; both bounds are printed.",
    "up": "counts as up, as the contract says; both bounds are printed.",
    "down": "counts as down, as the contract says; both bounds are printed.",
}


@dataclass(frozen=True, slots=True)
class Paragraph:
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Quality:
    name: str
    due: str
    made: str
    share: str
    measured: str


def paragraphs(page: Reading) -> tuple[Paragraph, ...]:
    options = page.statement.options
    return (
        Paragraph(
            "Availability",
            " = (considered − counted downtime) ÷ considered, by time, in milliseconds, "
            "compared exactly with the target and printed rounded down.",
        ),
        Paragraph(
            "Down", " from the first failed check of a confirmed outage to the first good one." + _degraded(page)
        ),
        Paragraph("Maintenance", f" in accepted windows: {_kept(options, 'maintenance')}.{_notice(page)}"),
        Paragraph("Exclusions", f" by agreement: {_kept(options, 'exclusions')}."),
        Paragraph(
            "Unmeasured time", f" {UNMEASURED.get(str(options.get('unknown')), UNMEASURED['exclude'])}{_least(page)}"
        ),
        Paragraph("Calendar", f" of {page.statement.period['tz']}, cut at local midnight."),
        *_approval(page),
        *_known_later(page),
    )


def _approval(page: Reading) -> tuple[Paragraph, ...]:
    if page.statement.issuer.get("four_eyes", True):
        return ()
    return (
        Paragraph("Approval", " of exclusions and of issue lies with one person: the issuer works without four eyes."),
    )


def _known_later(page: Reading) -> tuple[Paragraph, ...]:
    """A contract signed before it was recorded says when it was."""
    version = reading.version_in_force(page.statement)
    from_ms, known_ms = version.get("from_ms"), version.get("known_from_ms")
    if from_ms is None or known_ms is None or known_ms <= from_ms:
        return ()
    days = page.calendar.day(from_ms, year=True), page.calendar.day(known_ms, year=True)
    return (Paragraph("Contract", f" in force since {days[0]}, on record since {days[1]}."),)


def options_line(page: Reading) -> str:
    """Every option in force, defaults included, by its name."""
    return f"{wording.FIXED}· ".join(
        f"{name} {_option(value)}" for name, value in sorted(page.statement.options.items())
    )


def _option(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_option(inner)}" for name, inner in sorted(value.items())) + ")"
    if isinstance(value, list):
        return " and ".join(map(_option, value)) or "none"
    if value is None:
        return "none"
    return {"True": "yes", "False": "no"}.get(str(value), str(value))


def changes(page: Reading) -> tuple[str, ...]:
    """What changed in the way of measuring within the period: printed, never silent."""
    return tuple(
        f"{page.calendar.short_minute(int(change['at_ms']))}, {service.name}, {change['endpoint']}: {change['text']}"
        for service in page.services
        for change in service.method_changes
    )


def _degraded(page: Reading) -> str:
    rule = str(page.statement.options.get("degraded", "up"))
    words = {"up": "counts as up", "down": "counts as down"}.get(rule, f"counts with weight {rule}")
    return f" Degraded {words}."


def _kept(options: dict[str, object], name: str) -> str:
    return KEPT.get(str(options.get(name)), KEPT["exclude"])


def _notice(page: Reading) -> str:
    notice = reading.notice_ms(page.statement)
    clause = reading.clause(page, "maintenance")
    tail = f" (clause {clause})" if clause else ""
    if not notice:
        return f" Entered before they begin{tail}; an overrun counts."
    return f" At least {wording.hours(notice)} notice{tail}; an overrun counts."


def _least(page: Reading) -> str:
    least = page.statement.options.get("min_coverage")
    if least is None or page.statement.options.get("unknown", "exclude") != "exclude":
        return ""
    return f" Under {wording.percent_of(str(least))} coverage there is no verdict."


def quality(page: Reading) -> tuple[Quality, ...]:
    """Checks due and carried out, the share carried out rounded down, and the coverage, per service."""
    return tuple(
        Quality(
            service.name,
            _number(service.checks.get("due")),
            _number(service.checks.get("made")),
            _share(service.checks.get("made"), service.checks.get("due")),
            wording.percent(service.coverage_pct),
        )
        for service in page.services
    )


def _number(value: int | None) -> str:
    return wording.DASH if value is None else wording.thousands(value)


def _share(made: int | None, due: int | None) -> str:
    if made is None or not due:
        return wording.DASH
    thousandths = min(made, due) * 100_000 // due
    return f"{thousandths // 1000}.{thousandths % 1000:03d}{wording.NARROW}%"


def grouped_hash(sha256: str) -> tuple[str, ...]:
    """A hash in two lines of four groups of eight digits."""
    groups = [sha256[at : at + 8] for at in range(0, len(sha256), 8)]
    return tuple(" ".join(groups[at : at + 4]) for at in range(0, len(groups), 4))
