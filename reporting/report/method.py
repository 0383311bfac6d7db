"""How the figures came about and how good the data is: short paragraphs and a small table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reporting.report import reading, wording
from reporting.report.reading import Reading
from sla.rules_text import length_text

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
        Paragraph("Availability", f" = {_formula(page)}, {_compared(options)} and printed rounded down."),
        Paragraph("Down", f"{STARTS[str(options.get('outage_start', 'first_failure'))]}{_degraded(page)}"),
        *_which_counts(page),
        *_service_hours(options),
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
    """Every option in force at the period's end, defaults included, by its name."""
    terms = reading.terms_in_force(page.statement)
    measure = {"measure": (terms.get("measure") or {}).get("by", "time")}
    if (categories := terms.get("exclusion_categories")) is not None:
        measure["exclusion_categories"] = categories
    return _options({**page.statement.options, **measure})


CREDIT_TERMS = ("credits", "several_rules", "several_services", "cap", "minimum", "fee_terms", "claim", "chronic")


def credit_terms_line(page: Reading) -> str:
    """The rules of the credit as agreed, in full; empty without any."""
    terms = reading.terms_in_force(page.statement)
    return _options({name: terms[name] for name in CREDIT_TERMS if name in terms}) if terms.get("credits") else ""


def earlier_options(page: Reading) -> tuple[str, ...]:
    """Where the measure changed within the period: the options of an earlier part that differ."""
    told = []
    for part in page.services[0].parts[:-1] if page.services else ():
        other = {name: value for name, value in part.options.items() if page.statement.options.get(name) != value}
        if other:
            told.append(f"{page.calendar.days(part.from_ms, part.to_ms)}: {_options(other)}")
    return tuple(told)


def _options(options: Mapping[str, object]) -> str:
    return f"{wording.FIXED}· ".join(f"{name} {_option(value, name)}" for name, value in sorted(options.items()))


IN_MS = ("merge_gap", "bucket", "base", "notice", "ms")
LENGTH = re.compile(r"\b(\d+) ms\b")


def _option(value: object, name: str = "") -> str:
    """A value as a contract writes it: durations in their units, weekly hours and lists in brackets."""
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_option(inner, key)}" for key, inner in value.items()) + ")"
    if isinstance(value, list):
        return " and ".join(_option(each) for each in value) or "none"
    if value is None:
        return "none"
    if name in IN_MS and str(value).isdigit():
        return length_text(int(str(value)))
    text = LENGTH.sub(lambda match: length_text(int(match[1])), str(value))
    return {"True": "yes", "False": "no"}.get(text, text)


def changes(page: Reading) -> tuple[str, ...]:
    """What changed in the way of measuring within the period: printed, never silent."""
    return tuple(
        f"{page.calendar.short_minute(int(change['at_ms']))}, {service.name}, {change['endpoint']}: {change['text']}"
        for service in page.services
        for change in service.method_changes
    )


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STARTS = {
    "first_failure": " from the first failed check of a confirmed outage to the first good one.",
    "last_success": " from the last good check before a confirmed outage to the first good one after it.",
    "midpoint": " from half way between the last good and the first failed check to the first good one.",
    "confirmation": " from the check that confirmed an outage to the first good one.",
}
FORMULAS = {
    "time": "(considered − counted downtime) ÷ considered, by time, in milliseconds",
    "users": "1 − users affected × downtime ÷ (all users × time considered)",
    "requests": "the mean over the stretches of the series of the share of requests that did not fail",
    "periods": "periods that met ÷ all periods looked at",
}


def _formula(page: Reading) -> str:
    by = next((service.measure.by for service in page.services), "time")
    return FORMULAS.get(by, f"what was good of {by} ÷ all of it")


def _compared(options: Mapping[str, object]) -> str:
    compare = options.get("compare", "exact")
    if not isinstance(compare, Mapping):
        return "compared exactly with the target"
    mode = str(compare["mode"]).replace("_", " ")
    return f"rounded to {compare['digits']} digits ({mode}), then compared with the target"


def _which_counts(page: Reading) -> tuple[Paragraph, ...]:
    """The rules on which downtime counts, each in a sentence; nothing where all of it does."""
    options, said = page.statement.options, []
    if options.get("merge_gap"):
        said.append(f"outages at most {length_text(int(options['merge_gap']))} apart are one")
    if options.get("min_outage"):
        when = "before" if options.get("min_outage_before_exclusions") else "after"
        said.append(f"an outage counts that lasts {_option(options['min_outage'])}, {when} exclusions")
    if options.get("bucket", "exact") != "exact":
        run = int(options.get("min_run") or 1)
        row = f", {run} or more in a row" if run > 1 else ""
        length = length_text(int(options["bucket"]))
        said.append(f"a stretch of {length} counts whole that is down {options.get('bad')} of its time{row}")
    return (Paragraph("Counted", f": {'; '.join(said)}."),) if said else ()


def _service_hours(options: Mapping[str, Any]) -> tuple[Paragraph, ...]:
    hours = options.get("service_hours", "always")
    if not isinstance(hours, Mapping):
        return ()
    holidays = hours.get("holidays") or ()
    alike: dict[str, list[str]] = {}
    for day in (day for day in DAYS if hours.get(day)):
        alike.setdefault(_option(hours[day]), []).append(day.capitalize())
    week = "; ".join(f"{wording.listed(days)} {spans}" for spans, days in alike.items())
    closed = f"; not on public holidays of {wording.listed([str(each) for each in holidays])}" if holidays else ""
    return (Paragraph("Service hours", f" {week}{closed}. Other time is in no figure."),)


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
    terms = page.statement.options.get("windows")
    windows = terms if isinstance(terms, Mapping) else {}
    allowed, cap = windows.get("allowed"), windows.get("cap")
    within = f", within {_option(allowed).strip('()')}" if allowed else ""
    most = f", at most {length_text(int(cap['ms']))} a {cap['per']}" if cap else ""
    begin = f"At least {wording.hours(notice)} notice" if notice else "Entered before they begin"
    return f" {begin}{within}{most}{tail}; an overrun counts."


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
