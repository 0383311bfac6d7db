"""What of the agreement is printed: every option in force, defaults included, and the client-visible terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sla.canonical import sha256
from sla.figures import duration_text
from sla.hours import week_json
from sla.money import Money, format_minor
from sla.rules_text import caps_json, chronic_text, claim_json, rule_json
from sla.terms import Comparing, Contract, Options, ServiceHours, Terms, WindowTerms

INTERNAL = frozenset({"objective"})  # our own line: never shown to the client


def options_json(options: Options) -> dict[str, Any]:
    """Every name of ACCOUNTING.md section 3. Durations in ms; null where the option is `none`."""
    return {
        "maintenance": options.maintenance,
        "exclusions": options.exclusions,
        "unknown": options.unknown,
        "min_coverage": decimal_text(options.min_coverage),
        "outage_start": options.outage_start,
        "min_outage": options.min_outage and f"{options.min_outage.comparison} {options.min_outage.ms} ms",
        "min_outage_before_exclusions": options.min_outage_before_exclusions,
        "merge_gap": options.merge_gap_ms,
        "bucket": "exact" if options.bucket_ms is None else options.bucket_ms,
        "bad": f"{options.bad.comparison} {decimal_text(options.bad.value)} %",
        "min_run": options.min_run,
        "degraded": options.degraded if isinstance(options.degraded, str) else decimal_text(options.degraded),
        "service_hours": _service_hours(options.service_hours),
        "before_first_check": options.before_first_check,
        "partial_period": options.partial_period,
        "base": "actual" if options.base_ms is None else options.base_ms,
        "compare": _compare(options.compare),
        "period": options.period,
        "timezone": options.timezone,
        "digits": options.digits,
        "quorum_of": options.quorum_of,
        "rounding": options.rounding,
        "windows": _windows(options.windows),
    }


def _service_hours(hours: ServiceHours | None) -> Any:
    if hours is None:
        return "always"
    return {**week_json(hours.week), "holidays": list(hours.holidays)}


def _compare(compare: Comparing | None) -> Any:
    return "exact" if compare is None else {"digits": compare.digits, "mode": compare.mode}


def _windows(windows: WindowTerms) -> dict[str, Any]:
    return {
        "notice": windows.notice_ms,
        "allowed": None if windows.allowed is None else week_json(windows.allowed),
        "cap": None if windows.cap is None else {"ms": windows.cap.ms, "per": windows.cap.per},
    }


def why_counted(options: Options, quiet_ms: int) -> str:
    """The options that decide which downtime counts, in the words of a contract, and what did not count."""
    least, rules = options.min_outage, []
    if options.merge_gap_ms:
        rules.append(f"outages at most {_length(options.merge_gap_ms)} apart are one")
    if least is not None:
        tested = "before" if options.min_outage_before_exclusions else "after"
        rules.append(f"outages count that last {least.comparison} {_length(least.ms)}, {tested} exclusions")
    if options.bucket_ms is not None:
        run = f", {options.min_run} or more in a row" if options.min_run > 1 else ""
        bad = f"down {options.bad.comparison} {decimal_text(options.bad.value)} % of their time"
        rules.append(f"stretches of {_length(options.bucket_ms)} count that are {bad}{run}")
    spared = f"{_length(quiet_ms)} of downtime does not count: " if quiet_ms else ""
    return spared + "; ".join(rules)


def _length(ms: int) -> str:
    return duration_text(ms, rounding="exact")


def decimal_text(number: Decimal) -> str:
    """As it was written, never in powers of ten: 99.90 stays 99.90."""
    return f"{number:f}"


def money_json(money: Money) -> dict[str, str]:
    return {"amount": format_minor(money.minor, money.currency), "currency": money.currency}


def terms_json(terms: Terms, contract: Contract) -> dict[str, Any]:
    """One version's client-visible terms in full. The version's hash is of these."""
    written = {key: value for key, value in contract.printed.items() if key not in INTERNAL}
    if terms.options.exclusion_categories is not None:
        written["exclusion_categories"] = list(terms.options.exclusion_categories)
    return written | {
        "target": None if terms.target is None else decimal_text(terms.target),
        "fee": None if terms.fee is None else money_json(terms.fee),
        "fee_terms": {"by": terms.fee_terms.by, "of": terms.fee_terms.of},
        "measure": {"by": terms.options.by},
        "credits": [rule_json(rule) for rule in terms.credits],
        "several_rules": terms.several_rules,
        "several_services": terms.several_services,
        "cap": caps_json(terms.caps),
        "minimum": None if terms.minimum is None else {"more_than": terms.minimum[0], **money_json(terms.minimum[1])},
        "claim": claim_json(terms.claim),
        "chronic": [chronic_text(rule) for rule in terms.chronic],
        "review": terms.review,
        "clauses": dict(terms.clauses),
        "options": options_json(terms.options),
    }


def versions_json(contract: Contract, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """The versions in force within [from_ms, to_ms); the first one holds until the next, however late it began."""
    starts = [terms.from_ms for terms in contract.versions]
    ends = [*starts[1:], to_ms]
    return [
        {
            "hash": sha256(printed := terms_json(terms, contract)),
            "from_ms": terms.from_ms if contract.id else None,  # plain facts hold at any time
            "known_from_ms": terms.known_from_ms,
            "terms": printed,
        }
        for terms, start, end in zip(contract.versions, starts, ends, strict=True)
        if start < to_ms and end > from_ms
    ]
