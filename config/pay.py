"""Units of pay, edges, conditions: the words of contracts to the values of `sla.rules`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from config import units
from sla.money import MoneyError, parse_amount
from sla.rules import (
    Amount,
    Counting,
    DaysOfFee,
    Edge,
    GreatestOf,
    HourlyRate,
    HoursOfFee,
    If,
    Lost,
    LostFee,
    MissedPeriods,
    NoCredit,
    Pay,
    Percent,
    PercentPlusSteps,
    PerUnit,
    Rule,
    ServiceDays,
    Tiers,
)

_NUMBER = r"\d+(?:\.\d+)?"
_PLUS = re.compile(
    rf"({_NUMBER}) % plus ({_NUMBER}) % per (started|completed) ({_NUMBER}) % below ({_NUMBER})"
    rf"(?:,? at most ({_NUMBER}) %)?"
)
_DAYS = {"": "period", " of 30": "30", " of the year": "year"}
_FORMS = (
    "10 %, 1 day, 1 day of 30, 1 day of the year, 1 hour, 3 service days, 20.00, 20.00 each, lost fee or hourly rate"
)


def pay_of(value: object) -> Pay:
    """`10 %`, `1 day of 30`, `20.00 each`, `10 x lost fee` and the other units of pay. Raises ValueError."""
    text = re.sub(r"\s+", " ", units.text_of(value))
    if match := _PLUS.fullmatch(text):
        return _plus(match)
    if match := re.fullmatch(rf"({_NUMBER}) days?( of 30| of the year)?", text):
        return DaysOfFee(Decimal(match[1]), _DAYS[match[2] or ""])  # type: ignore[arg-type]
    if match := re.fullmatch(rf"({_NUMBER}) (hour|service day)s?", text):
        return (HoursOfFee if match[2] == "hour" else ServiceDays)(Decimal(match[1]))
    if match := re.fullmatch(rf"(?:({_NUMBER}) x )?lost fee", text):
        return LostFee(Decimal(match[1] or 1))
    if text == "hourly rate":
        return HourlyRate()
    if match := re.fullmatch(rf"({_NUMBER})(?: ([A-Z]{{3}}))?( each)?", text):
        return _amount(match, text)
    if text.endswith("%") or re.fullmatch(units.DECIMAL, text):
        return Percent(units.percent(text))
    raise ValueError(f"{text!r} is no unit of pay; write {_FORMS}")


def _plus(match: re.Match[str]) -> PercentPlusSteps:
    count: Counting = "started" if match[3] == "started" else "completed"
    value, more, step, below = (Decimal(match[group]) for group in (1, 2, 4, 5))
    if not step:
        raise ValueError("steps of 0 % never end; write e.g. per completed 1 %")
    return PercentPlusSteps(value, more, step, below, count, None if match[6] is None else Decimal(match[6]))


def _amount(match: re.Match[str], text: str) -> Pay:
    """Money shows its decimals or its currency: a bare `10` may as well be a percentage."""
    number, code, each = match[1], match[2], bool(match[3])
    if "." not in number and not code and not each:
        return Percent(units.percent(text))  # which asks for the sign
    if code:
        _money(f"{number} {code}")
    return Amount(Decimal(number), code, each)


def _money(text: str) -> None:
    try:
        parse_amount(text)
    except MoneyError as error:
        raise ValueError(str(error)) from None


def edge_on(value: object, on: str) -> Edge:
    """`< 99.9`; of downtime `>= 5 min`: a comparison and a duration."""
    text = units.text_of(value)
    if on != "downtime":
        if on != "availability" and (match := re.fullmatch(rf"([<>]=?)\s*({_NUMBER})\s*[^\d\s%].*", text)):
            raise ValueError(f"{text!r} has a unit, and a value is entered without one; write {match[1]} {match[2]}")
        return units.edge(value)
    match = re.fullmatch(r"(<=|>=|<|>)\s*(.+)", text)
    if match is None:
        raise ValueError(f"{text} is no edge of downtime; write a comparison and a duration, e.g. >= {text or '5 min'}")
    return Edge(match[1], Decimal(units.duration_ms(match[2])))  # type: ignore[arg-type]


def length_edge(value: object) -> Edge:
    """`>= 15 min`, `> 6 min`: how long is long enough."""
    found = edge_on(value, "downtime")
    if found.comparison not in (">", ">="):
        raise ValueError(f"{units.text_of(value)!r} holds for shorter ones; write e.g. >= 15 min")
    return found


def count_edge(value: object) -> Edge:
    """`> 1`: how many are enough."""
    text = units.text_of(value)
    if re.fullmatch(r"\d+", text):
        raise ValueError(f"{text} is a bare number where an edge is meant; write >= {text} (that many or more)")
    found = units.edge(value)
    if found.comparison not in (">", ">=") or found.value != int(found.value):
        raise ValueError(f"{units.text_of(value)!r} is no least number; write e.g. > 1")
    return found


def if_of(value: object) -> If:
    """`missed`, `missed 2 in a row`, `availability < 99.9`, `downtime > 4 h`."""
    text = re.sub(r"\s+", " ", units.text_of(value))
    if text == "missed":
        return If(missed=1)
    if match := re.fullmatch(r"missed ([1-9]\d?) in a row", text):
        return If(missed=int(match[1]))
    if match := re.fullmatch(r"(availability|downtime) ?([<>].*)", text):
        quantity = "availability" if match[1] == "availability" else "downtime"
        return If(quantity=quantity, edge=edge_on(match[2], match[1]))  # type: ignore[arg-type]
    raise ValueError(
        f"{text!r} is no condition; write missed, missed 2 in a row, availability < 99.9 or downtime > 4 h"
    )


def subject_of(value: object) -> str:
    """`availability`, `downtime`, or the NAME of `value NAME`."""
    text = units.text_of(value)
    if text in ("availability", "downtime"):
        return text
    return value_name(text)


def value_name(text: str) -> str:
    """The NAME of `value NAME`."""
    match = re.fullmatch(r"value ([a-z][a-z0-9_]*)", text)
    if match is None:
        raise ValueError(f"{text!r} is not known here; write availability, downtime or value NAME, e.g. value jitter")
    if match[1] in ("time", "users", "requests", "periods", "availability", "downtime"):
        raise ValueError(f"value {match[1]} has the name of a measure; write another one, e.g. value jitter")
    return match[1]


def by_of(value: object) -> str:
    """What is measured: `time`, `users`, `requests`, `periods`, or `value NAME`."""
    text = units.text_of(value)
    if text in ("time", "users", "requests", "periods"):
        return text
    try:
        return f"value {value_name(text)}"
    except ValueError:
        raise ValueError(
            f"{text!r} is not known here; write time, users, requests, periods or value NAME, e.g. value uptime"
        ) from None


def size_of(pay: Pay) -> tuple[Any, Decimal] | None:
    """What a pay is compared by with others of its kind; None for what depends on the facts."""
    if isinstance(pay, Percent):
        return Percent, pay.value
    if isinstance(pay, DaysOfFee):
        return (DaysOfFee, pay.of), pay.count
    if isinstance(pay, HoursOfFee | ServiceDays):
        return type(pay), pay.count
    return ((Amount, pay.each), pay.amount) if isinstance(pay, Amount) else None


def with_pays(rule: Rule, change: Callable[[Pay], Pay]) -> Rule:
    """The rule with every pay changed."""
    if isinstance(rule, Tiers):
        return replace(rule, rows=tuple(replace(row, pay=change(row.pay)) for row in rule.rows))
    if isinstance(rule, MissedPeriods):
        return replace(rule, rows=tuple((count, change(pay)) for count, pay in rule.rows))
    if isinstance(rule, GreatestOf):
        return replace(rule, pays=tuple(map(change, rule.pays)))
    if isinstance(rule, Lost | NoCredit):
        return rule
    if isinstance(rule, PerUnit):
        first = None if rule.first is None else change(rule.first)
        return replace(rule, pay=change(rule.pay), first=first)
    return replace(rule, pay=change(rule.pay))


def in_currency(pay: Pay, currency: str | None) -> Pay:
    """An amount with its currency put in. Raises MoneyError."""
    if not isinstance(pay, Amount):
        return pay
    money = parse_amount(f"{pay.amount:f} {pay.currency or ''}".strip(), currency)
    if currency is not None and money.currency != currency:
        raise MoneyError(f"{pay.amount:f} {pay.currency} is not in the fee's currency; write it in {currency}")
    return replace(pay, currency=money.currency)
