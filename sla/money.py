"""Money: integer minor units and an ISO 4217 currency. No float anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal

Rounding = Literal["half_up", "half_even"]

# ISO 4217, list one, funds and metals left out. Most have cents; the others are named with their digits.
_TWO_DIGITS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY
TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_OTHER_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS: dict[str, int] = dict.fromkeys(_TWO_DIGITS.split(), 2) | {
    code: digits for digits, codes in _OTHER_DIGITS.items() for code in codes.split()
}


class MoneyError(ValueError):
    """An amount or currency that cannot be read; the message says what a right one looks like."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's minor unit (cents for EUR, yen for JPY, fils for BHD)."""

    minor: int
    currency: str


def minor_digits(currency: str) -> int:
    """Decimals of the currency's minor unit. Raises MoneyError for a code that ISO 4217 does not know."""
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise MoneyError(f"{currency!r} is no ISO 4217 currency; write e.g. EUR, USD or JPY")
    return digits


def parse_amount(text: str, currency: str | None = None) -> Money:
    """`2500.00 EUR`, or `2500.00` where the currency is known from elsewhere. Raises MoneyError."""
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)(?:\s+([A-Z]{3}))?", text.strip())
    if match is None:
        raise MoneyError(f"{text!r} is no amount; write e.g. 2500.00 EUR")
    code = match[2] or currency
    if code is None:
        raise MoneyError(f"{text!r} names no currency; write e.g. {match[1]} EUR")
    scaled = Decimal(match[1]).scaleb(minor_digits(code))
    if scaled != scaled.to_integral_value():
        raise MoneyError(f"{text!r} has more decimals than {code} has; write {minor_digits(code)} at most")
    return Money(int(scaled), code)


def format(money: Money) -> str:
    """`2500.00`: decimal text with the currency's digits, without its code."""
    return format_minor(money.minor, money.currency)


def format_minor(minor: int, currency: str) -> str:
    """Minor units as decimal text with the currency's digits."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}" + (f".{part:0{digits}d}" if digits else "")


def round_minor(exact: Fraction, mode: Rounding = "half_up") -> int:
    """Exact minor units to whole ones. Half up rounds halves away from zero, half even to the even neighbour."""
    if mode == "half_even":
        return round(exact)
    half_up = floor(abs(exact) + Fraction(1, 2))
    return -half_up if exact < 0 else half_up


def apportion(total: int, shares: Sequence[Fraction]) -> tuple[int, ...]:
    """`total` in whole units by exact shares: each floored, the largest remainders (first of equals) take the rest."""
    whole = sum(shares, Fraction(0))
    if not whole:
        return (total, *([0] * (len(shares) - 1))) if shares else ()
    exact = [total * share / whole for share in shares]
    units = [floor(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (units[index] - exact[index], index))
    for index in by_remainder[: total - sum(units)]:
        units[index] += 1
    return tuple(units)
