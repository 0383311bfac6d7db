"""How a figure is set in print: exact integers and decimal text in, text with the right spaces out.

Nothing here rounds towards the reader's comfort: percentages are cut, used budget is rounded up, and a duration
that holds milliseconds prints them, so that what stands on the page adds up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from sla.figures import exact_text, floored

NARROW = "\u202f"  # before a percent sign and between thousands
FIXED = "\u00a0"  # inside durations, after a currency, before a month
DASH = "–"
MINUS = "−"
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def percent(text: str | None) -> str:
    """Decimal text with its sign, digits as they are: `99.871 %`; a dash for None."""
    return DASH if text is None else f"{text}{NARROW}%"


def quotient(counted: Fraction, base: Fraction) -> str:
    """(base - counted) / base in percent to six decimals, cut; an ellipsis says that more would follow."""
    exact = (base - counted) / base * 100
    text = floored(exact, 6)
    return f"{text}{'' if Fraction(text) == exact else '…'}{NARROW}%"


def used_percent(used_ms: int, allowed_ms: int) -> str:
    """Share of the budget that is used, rounded up to one decimal: `128.9 %`."""
    tenths = -(-used_ms * 1000 // allowed_ms)
    return f"{thousands(tenths // 10)}.{tenths % 10}{NARROW}%"


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", NARROW)


def seconds(ms: int) -> str:
    """Whole seconds with narrow thousands; milliseconds only where there are any."""
    whole, rest = divmod(ms, 1000)
    return thousands(whole) + (f".{rest:03d}" if rest else "")


def column_duration(ms: int, *, fine: bool = False) -> str:
    """`h:mm:ss`, with `.mmm` where it holds milliseconds or its column does (`fine`); a true minus when negative."""
    sign, ms = (MINUS, -ms) if ms < 0 else ("", ms)
    whole, rest = divmod(ms, 1000)
    clock = f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return sign + clock + (f".{rest:03d}" if rest or fine else "")


def prose_duration(ms: int, *, round_window: bool = False) -> str:
    """`3 h 28 min 06 s`; for round windows the zero tail is dropped: `2 h 00 min`."""
    whole, rest = divmod(ms, 1000)
    hours, minutes, secs = whole // 3600, whole // 60 % 60, whole % 60
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    if round_window and not secs and not rest and whole:
        return _joined(f"{hours} h {minutes:02d} min" if hours else f"{minutes} min")
    if hours:
        return _joined(f"{hours} h {minutes:02d} min {secs:02d}{fraction} s")
    if minutes:
        return _joined(f"{minutes} min {secs:02d}{fraction} s")
    return _joined(f"{secs}{fraction} s")


def _joined(text: str) -> str:
    return text.replace(" ", FIXED)


def hours(ms: int) -> str:
    """A period's length: `745 h`, and finer only where it is no whole number of hours."""
    return f"{thousands(ms // 3_600_000)}{FIXED}h" if ms % 3_600_000 == 0 else prose_duration(ms, round_window=True)


def amount(text: str) -> str:
    """Decimal text with narrow thousands: `5 000.00`."""
    whole, dot, decimals = text.partition(".")
    return thousands(int(whole)) + dot + decimals


def exact_number(value: Fraction) -> str:
    """A number with narrow thousands, exact where its decimals end, else six of them and an ellipsis."""
    text = exact_text(value)
    return amount(text) if "/" not in text else f"{amount(floored(value, 6))}…"


UNITS = {"ms": "milliseconds", "user_ms": "users × milliseconds"}


def unit(name: str) -> str:
    """The unit of a measure, spelled out."""
    return UNITS.get(name, name.replace("_", " "))


def money(text: str, currency: str | None) -> str:
    """The ISO code stands before the amount: `EUR 5 000.00`."""
    return f"{currency or ''}{FIXED}{amount(text)}".strip(FIXED)


def percent_of(text: str) -> str:
    """A share as written in the contract: `10`, `12.5`."""
    plain = f"{Decimal(text):f}"
    return f"{plain.rstrip('0').rstrip('.') if '.' in plain else plain}{NARROW}%"


def listed(items: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def counted(number: int, one: str, many: str | None = None) -> str:
    """`one outage`, `four outages`, `13 outages`."""
    word = NUMBER_WORDS[number] if number < len(NUMBER_WORDS) else thousands(number)
    return f"{word} {one if number == 1 else many or one + 's'}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Free text as one sentence: trimmed, white space collapsed, ended by a full stop."""
    plain = re.sub(r"\s+", " ", text).strip()
    return plain if not plain or plain[-1] in ".!?" else plain + "."
