"""Options of a contract that are more than a word or a number: text to canonical text, and that to typed values.

A canonical text reads back as itself, so bodies of the ledger and files go the same way. Every refusal is a ValueError
that says what a right value looks like.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from config import units
from config.problems import At, unknown_key
from sla.figures import places
from sla.rules import Edge
from sla.terms import Comparing, Least, WindowCap

CATEGORIES = ("force_majeure", "client", "third_party", "agreed")
_MODES = ("half_up", "half_even", "down", "up")
_PERIODS = ("month", "week", "quarter", "year")
_LONGEST_BASE_MS = 400 * units.DAY_MS


def min_outage(value: object) -> str | None:
    """`>= 60 s`: a comparison and a duration; or `none`."""
    if value in (None, "none"):
        return None
    least = least_of(units.text_of(value))
    return f"{least.comparison} {units.duration_text(least.ms)}"


def least_of(text: str) -> Least:
    match = re.fullmatch(r"(>=|>)\s*(.+)", text)
    if match is None:
        raise ValueError(f'{text!r} is no comparison with a duration; write e.g. ">= 60 s" or "> 5 min"')
    return Least(">=" if match[1] == ">=" else ">", units.duration_ms(match[2]))


def bucket(value: object) -> str:
    """`exact`, or how long each stretch is that counts whole or not at all."""
    text = units.text_of(value)
    if text == "exact":
        return text
    length = units.duration_ms(text)
    if not units.SECOND_MS <= length <= units.DAY_MS:
        raise ValueError(f"{text} is not between 1 s and 24 h; write exact, or e.g. 1 min")
    return units.duration_text(length)


def bucket_of(text: str) -> int | None:
    return None if text == "exact" else units.duration_ms(text)


def bad(value: object) -> str:
    """`>= 100 %`, `> 5 %`: which share of a bucket's time must be down."""
    edge = bad_of(units.text_of(value))
    return f"{edge.comparison} {edge.value} %"


def bad_of(text: str) -> Edge:
    match = re.fullmatch(r"(>=|>)\s*(\d+(?:\.\d+)?)\s*%", text)
    if match is None:
        raise ValueError(f'{text!r} is no comparison with a percentage; write e.g. ">= 100 %" or "> 5 %"')
    edge = Edge(">=" if match[1] == ">=" else ">", Decimal(match[2]))
    if edge.value > 100 or (edge.value == 100 and edge.comparison == ">"):
        raise ValueError(f'{text!r} is never reached; write ">= 100 %" at most')
    if not edge.value and edge.comparison == ">=":
        raise ValueError(f'{text!r} is always reached; write "> 0 %" for any downtime')
    return edge


def degraded(value: object) -> str:
    """`up`, `down`, or how much of degraded time counts: 0 to 1, at most 4 decimals."""
    text = units.text_of(value)
    if text in ("up", "down"):
        return text
    try:
        weight = units.number(text)
    except ValueError:
        weight = Decimal(-1)
    if not 0 <= weight <= 1:
        raise ValueError(f"{text!r} is not known here; write up, down, or a weight from 0 to 1, e.g. 0.5")
    if places(weight) > 4:
        raise ValueError(f"{text} has more than 4 decimals; write e.g. {weight.quantize(Decimal('0.0001'))}")
    return text


def compare(value: object) -> str | dict[str, Any]:
    """`exact`, or how the availability is rounded before it is compared: {digits, mode}."""
    if value == "exact":
        return "exact"
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not known here; write exact, or e.g. {{digits: 2, mode: half_up}}")
    for key in value:
        if key not in ("digits", "mode"):
            raise At(key, unknown_key(key, ("digits", "mode")))
    if "digits" not in value:
        raise ValueError("has no digits; write e.g. {digits: 2, mode: half_up}")
    digits = units.whole(value["digits"])
    if digits > 9:
        raise At("digits", f"{digits} is above 9; write e.g. 2")
    return {"digits": digits, "mode": units.one_of(value.get("mode", "half_up"), _MODES)}


def comparing_of(value: str | dict[str, Any]) -> Comparing | None:
    return None if isinstance(value, str) else Comparing(value["digits"], value["mode"])


def base(value: object) -> str:
    """`actual`, or the fixed length that every period is taken to have: `730 h`, `43800 min`."""
    text = units.text_of(value)
    if text == "actual":
        return text
    if re.fullmatch(r"\d+", text):
        raise ValueError(f"{text} has no unit; write e.g. {text} h")
    length = units.duration_ms(text)
    if not units.HOUR_MS <= length <= _LONGEST_BASE_MS:
        raise ValueError(f"{text} is not between 1 h and 400 d; write actual, or e.g. 730 h or 43800 min")
    return units.duration_text(length)


def base_of(text: str) -> int | None:
    return None if text == "actual" else units.duration_ms(text)


def period(value: object) -> str:
    """`month`, `week`, `quarter`, `year`, or `billing month from day 15`."""
    text = " ".join(units.text_of(value).split())
    match = re.fullmatch(r"billing month from day (\d{1,2})", text)
    if match and 1 <= int(match[1]) <= 31:
        return "month" if int(match[1]) == 1 else f"billing month from day {int(match[1])}"
    if text not in _PERIODS:
        raise ValueError(
            f"{text!r} is not known here; write month, week, quarter, year or e.g. billing month from day 15 (1 to 31)"
        )
    return text


def window_cap(value: object) -> str | None:
    """`10 h per month`, `10 h per year`: most window time that is accepted; or `none`."""
    if value in (None, "none"):
        return None
    cap = cap_of(units.text_of(value))
    return f"{units.duration_text(cap.ms)} per {cap.per}"


def cap_of(text: str) -> WindowCap:
    match = re.fullmatch(r"(.+?)\s+per\s+(month|year)", text)
    if match is None:
        raise ValueError(f"{text!r} is no cap of window time; write e.g. 10 h per month or 10 h per year")
    return WindowCap(units.duration_ms(match[1]), "month" if match[2] == "month" else "year")


def categories(value: object) -> list[str] | None:
    """The categories of exclusions that the contract knows; or `all`."""
    if value in (None, "all"):
        return None
    found = [units.one_of(item, CATEGORIES) for item in units.listed(value)]
    if not found:
        raise ValueError(f"is empty; write e.g. [{', '.join(CATEGORIES[:2])}], or effect: ignore")
    return [name for name in CATEGORIES if name in found]
