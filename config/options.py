"""The options of a contract's version: as stored in its body, and as the accounting reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from config import hours, option_values
from config.calendars import days_off
from sla.terms import Options, WindowTerms

Version = Mapping[str, Any]


def options_body(terms: Mapping[str, Any], starts: date) -> dict[str, Any]:
    """JSON data of every option that a version has, defaults included.

    The holidays are recorded as days, so that the ledger keeps what they were.
    """
    measure = {**terms["measure"], "min_coverage": str(terms["measure"]["min_coverage"])}
    written = measure["service_hours"]
    if isinstance(written, Mapping) and written.get("holidays"):
        measure["service_hours"] = {**written, "days": days_off(written["holidays"], starts)}
    return {
        "period": terms["period"],
        "partial_period": terms["partial_period"],
        "base": terms["base"],
        "rounding": terms["rounding"],
        "measure": measure,
        "maintenance": terms["maintenance"],
        "exclusions": terms["exclusions"],
    }


def options_of(version: Version, tz: str) -> Options:
    """The options of a stored version, every one of them."""
    measure, degraded = version["measure"], version["measure"]["degraded"]
    return Options(
        timezone=tz,
        by=measure["by"].removeprefix("value "),
        maintenance=version["maintenance"]["effect"],
        exclusions=version["exclusions"]["effect"],
        unknown=measure["unknown"],
        min_coverage=Decimal(measure["min_coverage"]),
        outage_start=measure["outage_start"],
        min_outage=None if measure["min_outage"] is None else option_values.least_of(measure["min_outage"]),
        min_outage_before_exclusions=measure["min_outage_before_exclusions"],
        merge_gap_ms=measure["merge_gap_ms"],
        bucket_ms=option_values.bucket_of(measure["bucket"]),
        bad=option_values.bad_of(measure["bad"]),
        min_run=measure["min_run"],
        degraded=degraded if degraded in ("up", "down") else Decimal(degraded),
        service_hours=hours.service_hours_of(measure["service_hours"]),
        before_first_check=measure["before_first_check"],
        partial_period=version["partial_period"],
        base_ms=option_values.base_of(version["base"]),
        compare=option_values.comparing_of(measure["compare"]),
        period=version["period"],
        digits=measure["digits"],
        quorum_of=measure["quorum_of"],
        rounding=version["rounding"],
        windows=_windows(version["maintenance"]),
        exclusion_categories=_categories(version["exclusions"]["categories"]),
    )


def _windows(maintenance: Mapping[str, Any]) -> WindowTerms:
    allowed, cap = maintenance["allowed"], maintenance["cap"]
    return WindowTerms(
        notice_ms=maintenance["notice_ms"],
        allowed=None if allowed is None else hours.week_of(allowed),
        cap=None if cap is None else option_values.cap_of(cap),
    )


def _categories(named: list[str] | None) -> tuple[str, ...] | None:
    return None if named is None else tuple(named)


def option_problems(terms: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What the options of a version say against each other: (key, key within it) and why."""
    measure, found = terms["measure"], {}
    if measure["bucket"] == "exact":
        if measure["min_run"] != 1:
            found["measure", "min_run"] = "counts buckets, and there are none; write bucket: 1 min beside it"
        if option_values.bad_of(measure["bad"]) != option_values.bad_of(">= 100 %"):
            found["measure", "bad"] = "is a share of a bucket, and there is none; write bucket: 1 min beside it"
    if measure["min_outage_before_exclusions"] and measure["min_outage"] is None:
        found["measure", "min_outage_before_exclusions"] = 'has nothing to test; write min_outage: ">= 60 s" beside it'
    return found


def with_recorded_days(version: dict[str, Any], recorded: Version) -> dict[str, Any]:
    """The version with the holidays as they were recorded, where it says otherwise the same about its hours.

    So a newer table of holidays changes nothing that is agreed; a new version takes its days from the new table.
    """
    now, was = version["measure"]["service_hours"], recorded["measure"]["service_hours"]
    if isinstance(now, str) or isinstance(was, str) or "days" not in was or "days" not in now:
        return version
    if version["from"] != recorded["from"] or now | {"days": was["days"]} != was:
        return version
    return {**version, "measure": {**version["measure"], "service_hours": dict(was)}}
