"""Money: exact, in the digits of its currency."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla import money
from sla.money import Money, MoneyError, apportion, parse_amount, round_minor


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [("2500.00 EUR", 250_000, "EUR"), ("2500 EUR", 250_000, "EUR"), ("12 JPY", 12, "JPY"), ("1.5 BHD", 1500, "BHD")],
)
def test_amounts_become_minor_units_and_read_back(text: str, minor: int, currency: str) -> None:
    found = parse_amount(text)
    assert found == Money(minor, currency)
    assert parse_amount(money.format(found), currency) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2500", "names no currency; write e.g. 2500 EUR"),
        ("12.345 EUR", "has more decimals than EUR has; write 2 at most"),
        ("1.5 JPY", "has more decimals than JPY has; write 0 at most"),
        ("2.500,00 EUR", "is no amount; write e.g. 2500.00 EUR"),
        ("1e3 EUR", "is no amount"),
        ("10.00 EUX", "'EUX' is no ISO 4217 currency; write e.g. EUR"),
        ("NaN EUR", "is no amount"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_right_one(text: str, told: str) -> None:
    with pytest.raises(MoneyError, match=told):
        parse_amount(text)


@given(st.integers(-(10**9), 10**9), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_printed_amounts_read_back(minor: int, currency: str) -> None:
    assert parse_amount(money.format(Money(minor, currency)), currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("exact", "up", "even"), [("0.5", 1, 0), ("1.5", 2, 2), ("2.5", 3, 2), ("-0.5", -1, 0), ("2.4999", 2, 2)]
)
def test_halves(exact: str, up: int, even: int) -> None:
    assert (round_minor(Fraction(exact)), round_minor(Fraction(exact), "half_even")) == (up, even)


@given(st.integers(0, 10**6), st.lists(st.fractions(0, 100), min_size=1, max_size=6))
def test_apportioned_units_sum_to_the_total_and_stray_less_than_one(total: int, shares: list[Fraction]) -> None:
    found = apportion(total, shares)
    assert sum(found) == total
    whole = sum(shares)
    if whole:
        assert all(abs(units - total * share / whole) < 1 for units, share in zip(found, shares, strict=True))
