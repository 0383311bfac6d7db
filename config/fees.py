"""The fee of a period from the fee that was agreed: by the month, the quarter, the year, or entered by finance."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from config.claims import Fee, fee_of
from sla.money import Money, parse_amount, round_minor
from sla.rules import FeeTerms

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def months_of(period: str) -> int | None:
    """How many months a contract's period lasts; None for a week."""
    return _MONTHS.get("month" if period.startswith("billing month") else period)


def fee_terms_of(stored: Any, period: str) -> tuple[Money | None, FeeTerms]:
    """The fee of one period and how it is found. A share of a longer fee is rounded half up, as it is billed."""
    if stored is None:
        return None, FeeTerms()
    fee = fee_of(stored)
    agreed = None if fee.amount is None else parse_amount(fee.amount)
    return _of_the_period(agreed, fee, period), FeeTerms(fee.by, fee.of, _annual_minor(agreed, fee))


def _annual_minor(agreed: Money | None, fee: Fee) -> int | None:
    return None if agreed is None or fee.per == "period" else agreed.minor * 12 // _MONTHS[fee.per]


def _of_the_period(agreed: Money | None, fee: Fee, period: str) -> Money | None:
    months = months_of(period)
    if agreed is None or fee.per == "period" or months is None:
        return agreed
    return Money(round_minor(Fraction(agreed.minor * months, _MONTHS[fee.per])), agreed.currency)


def no_fee_of(fee: Fee | None, period: str) -> str | None:
    """What is wrong with a fee by the month where the period is a week."""
    if fee is None or fee.per == "period" or months_of(period) is not None:
        return None
    return f"a fee by the {fee.per} is no fee of a {period}; write what one {period} costs, with per: period"
