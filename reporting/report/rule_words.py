"""What a credit rule was applied to, as a reader meets it: the inputs of a credit line, named in words."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from reporting.report import wording

SILENT = {"repeated": "no", "tickets": ""}  # inputs that say nothing with this value
FRACTIONS = ("points", "counted", "base")
NAMES = {"by_outage": "by outage"}  # other names are a contract's own and stay as it writes them


def applied_text(name: str, value: str) -> str:
    """`units 7`, `downtime 3 h 34 min 00 s`, `availability steps 2`; empty where the value says nothing."""
    if SILENT.get(name) == value:
        return ""
    if name == "repeated":
        return "doubled or more, for the period before was missed as well"
    if name == "downtime_ms":
        return f"downtime {_length(Fraction(value))}"
    if name in FRACTIONS and "/" in value:
        return f"{name} {wording.exact_number(Fraction(value))}"
    return f"{NAMES.get(name, name)} {_number(value)}"


def _length(ms: Fraction) -> str:
    whole = wording.prose_duration(int(ms))
    return whole if ms.denominator == 1 else f"{whole} and {ms - int(ms)} ms"


def _number(text: str) -> str:
    """A plain number with narrow thousands; anything else as it is."""
    plain = text.replace(".", "", 1).isdigit()
    return wording.amount(f"{Decimal(text):f}") if plain else text
