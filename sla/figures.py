"""How exact figures are printed (ACCOUNTING.md 1.5): floored, never flattering, never contradicting the verdict."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from sla.statement import ServiceStatement

JSON_DIGITS = 6  # availability in statement/1 carries at least these


def floored(value: Fraction, digits: int) -> str:
    """Decimal text with exactly `digits` places, rounded down."""
    return _placed(floor(value * 10**digits), digits)


def raised(value: Fraction, digits: int) -> str:
    """Decimal text with exactly `digits` places, rounded up."""
    return _placed(ceil(value * 10**digits), digits)


def rounded(value: Fraction, digits: int, mode: Literal["half_up", "half_even", "down", "up"]) -> Fraction:
    """The value with that many decimals; a half goes up, or to the even neighbour. Values are never negative here."""
    scaled = value * 10**digits
    whole = {"half_up": floor(scaled + Fraction(1, 2)), "half_even": round(scaled)}
    return Fraction(whole.get(mode, floor(scaled) if mode == "down" else ceil(scaled)), 10**digits)


def _placed(scaled: int, digits: int) -> str:
    whole, part = divmod(abs(scaled), 10**digits)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def places(number: Decimal) -> int:
    """How many decimals were written."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def digits_for(target: Decimal | None, digits: int) -> int:
    """At least `digits`, and as many as the target has: a floored met value then never prints below the target."""
    return digits if target is None else max(digits, places(target))


def bounds_text(low: Fraction, high: Fraction, *, target: Decimal | None, digits: int) -> tuple[str, str]:
    """Percent bounds: low floored, high raised, with more digits until a missed high does not print as met."""
    needed = digits_for(target, digits)
    while target is not None and high < target and Fraction(raised(high, needed)) >= Fraction(target):
        needed += 1
    return floored(low, needed), raised(high, needed)


def printed_pct(availability_pct: str, *, target_pct: str | None, digits: int = 3) -> str:
    """A statement's availability as people read it: its exact text floored to the digits of ACCOUNTING.md 1.5."""
    target = None if target_pct is None else Decimal(target_pct)
    return floored(Fraction(availability_pct), digits_for(target, digits))


def percent_text(service: ServiceStatement) -> str | None:
    """A service's availability as people read it, by the digits of its own options; None without a figure."""
    if service.availability_pct is None:
        return None
    digits = max(int(part.options["digits"]) for part in service.parts)
    return printed_pct(service.availability_pct, target_pct=service.target_pct, digits=digits)


def exact_text(value: Fraction) -> str:
    """Exact decimal text where it is finite, else a fraction: `0.5`, `1/3`."""
    power = _finite_places(value.denominator)
    return f"{value.numerator}/{value.denominator}" if power is None else floored(value, power)


def _finite_places(denominator: int) -> int | None:
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None


def whole_seconds(ms: int, *, rounding: Literal["down", "up"]) -> int:
    """What is used is rounded up, what is left or allowed down; a negative rest grows by that."""
    return -(-ms // 1000) if rounding == "up" else ms // 1000


def duration_text(ms: int, *, rounding: Literal["down", "up", "exact"] = "down") -> str:
    """`57 min 24 s`, `3 h 28 min 06 s`, `44 min 38.4 s` (exact). Negative ones carry a true minus."""
    whole = ms if rounding == "exact" else 1000 * whole_seconds(ms, rounding=rounding)
    seconds, part = divmod(abs(whole), 1000)
    return ("−" if whole < 0 else "") + _in_units(seconds, f".{part:03d}".rstrip("0").rstrip("."))


def _in_units(seconds: int, part: str) -> str:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours} h {minutes:02d} min" + (f" {rest:02d}{part} s" if rest or part else "")
    if minutes:
        return f"{minutes} min" + (f" {rest}{part} s" if rest or part else "")
    return f"{rest}{part} s"


def duration_clock(ms: int, *, rounding: Literal["down", "up"] = "down") -> str:
    """`3:28:06`, for columns."""
    whole = whole_seconds(ms, rounding=rounding)
    seconds = abs(whole)
    return f"{'−' if whole < 0 else ''}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
