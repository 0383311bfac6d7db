"""What of the agreement is printed: every option in force, defaults included, and the client-visible terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sla.canonical import sha256
from sla.money import Money, format_minor
from sla.rules_text import caps_json, chronic_text, claim_json, rule_json
from sla.terms import Contract, Options, Terms

INTERNAL = frozenset({"objective"})  # our own line: never shown to the client


def options_json(options: Options) -> dict[str, Any]:
    """Every name of ACCOUNTING.md section 3. Durations in ms; null where the option is `none`."""
    return {
        "maintenance": options.maintenance,
        "exclusions": options.exclusions,
        "unknown": options.unknown,
        "min_coverage": decimal_text(options.min_coverage),
        "outage_start": "first_failure",
        "min_outage": None,
        "min_outage_before_exclusions": False,
        "merge_gap": 0,
        "bucket": "exact",
        "bad": ">= 100 %",
        "min_run": 1,
        "degraded": options.degraded if isinstance(options.degraded, str) else decimal_text(options.degraded),
        "service_hours": "always",
        "before_first_check": options.before_first_check,
        "partial_period": options.partial_period,
        "base": "actual",
        "compare": "exact",
        "period": options.period,
        "timezone": options.timezone,
        "digits": options.digits,
        "quorum_of": "all",
        "rounding": options.rounding,
        "windows": {"notice": options.windows.notice_ms, "allowed": None, "cap": None},
    }


def decimal_text(number: Decimal) -> str:
    """As it was written, never in powers of ten: 99.90 stays 99.90."""
    return f"{number:f}"


def money_json(money: Money) -> dict[str, str]:
    return {"amount": format_minor(money.minor, money.currency), "currency": money.currency}


def terms_json(terms: Terms, contract: Contract) -> dict[str, Any]:
    """One version's client-visible terms in full. The version's hash is of these."""
    written = {key: value for key, value in contract.printed.items() if key not in INTERNAL}
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
