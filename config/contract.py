"""A contract as written (CONTRACTS.md): who, what, since when, and terms that later versions inherit."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.credits import as_json, credits_of
from config.measure import Base, ExclusionTerms, Measure, PeriodRule, WindowTerms, choice
from config.problems import At, unknown_key
from config.typed import Day, DayRanges, Frozen, Id, Ids, Share, Words, Zone
from sla.money import MINOR_DIGITS, MoneyError, minor_digits, parse_amount
from sla.terms import Tiers


def target_of(value: object) -> Decimal:
    """What is owed, in percent: above 0, at most 100."""
    found = units.share(value)
    if found == 0:
        raise ValueError("0 % promises nothing; leave the target out, or write e.g. 99.9")
    return found


def fee_of(value: object) -> str:
    """`2500.00 EUR`, `2500.00` (the client's currency) or `{amount: 2500.00, currency: EUR}`, never negative."""
    if isinstance(value, dict):
        return fee_of(_fee_text(value))
    text = units.text_of(value)
    return _amount(text, text)


def _fee_text(value: dict[str, Any]) -> str:
    for key, only in (("per", "month"), ("of", "service")):
        if key in value and value[key] != only:
            raise At(key, f"{value[key]!r} is not computed by this version; write {only}")
    for key in value:
        if key not in ("amount", "currency", "per", "of"):
            raise At(key, unknown_key(key, ("amount", "currency", "per", "of")))
    if "amount" not in value:
        raise ValueError("has no amount; write e.g. 2500.00 EUR")
    return f"{value['amount']} {value.get('currency', '')}".strip()


def _amount(text: str, shown: str) -> str:
    words = text.split()
    if len(words) == 1 and words[0] in MINOR_DIGITS:
        raise ValueError(f"{shown!r} has no amount; write e.g. 2500.00 {words[0]}")
    try:
        money = parse_amount(
            text, None if len(words) > 1 else "UYW"
        )  # four digits: the client's currency decides later
    except MoneyError as error:
        raise ValueError(str(error).replace(" UYW", " EUR") if len(words) > 1 else _no_amount(shown)) from None
    if money.minor < 0:
        raise ValueError(f"{shown} is below zero; write e.g. {text.lstrip('-')}")
    return text


def _no_amount(shown: str) -> str:
    return f"{shown!r} is no amount; write e.g. 2500.00 EUR"


def cap_of(value: object) -> Decimal | None:
    """`100 %` of the period's fee, or `none`."""
    items = units.listed(value)
    if value == "none" or value is None or len(items) != 1:
        if len(items) > 1:
            raise ValueError("has several caps; this version computes one, of the period's fee: write e.g. 100 %")
        return None
    if isinstance(items[0], Decimal):
        return items[0]
    return units.percent(units.text_of(items[0]).removesuffix(" of period"))


def minimum_of(value: object) -> str:
    """`> 1.00` or `>= 1.00 EUR`: the least that is paid out."""
    text = units.text_of(value)
    match = re.fullmatch(r"(>=|>)\s*(.+)", text)
    if match is None:
        raise ValueError(f'{text!r} is no comparison with an amount; write e.g. "> 1.00"')
    return f"{match[1]} {_amount(match[2], match[2])}"


def clauses_of(value: object) -> dict[str, str]:
    """Subject to clause, printed: `{maintenance: "5.2"}`."""
    if not isinstance(value, dict):
        raise ValueError('is no mapping; write e.g. {maintenance: "5.2", credits: "7"}')
    return {str(subject): units.text_of(clause) for subject, clause in value.items()}


def currency_code(value: object) -> str:
    """A code of ISO 4217."""
    text = units.text_of(value)
    try:
        minor_digits(text)
    except MoneyError as error:
        raise ValueError(str(error)) from None
    return text


Currency = Annotated[str, BeforeValidator(currency_code), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]


class Terms(Frozen):
    """What a version may change. Left out: as the version, contract or plan before says, else the default."""

    LATER: ClassVar = ("several_rules", "several_services", "claim", "chronic", "review")
    target: Annotated[Decimal, BeforeValidator(target_of), WithJsonSchema({"type": ["number", "string"]})] | None = None
    objective: Share | None = None
    fee: Annotated[str, BeforeValidator(fee_of), WithJsonSchema({"type": ["string", "number", "object"]})] | None = None
    credits: Annotated[
        tuple[Tiers, ...],
        BeforeValidator(credits_of),
        PlainSerializer(as_json),
        WithJsonSchema({"type": ["object", "array"], "examples": [{"< 99.9": "10 %", "< 99.0": "25 %"}]}),
    ] = ()
    cap: Annotated[Decimal | None, BeforeValidator(cap_of), WithJsonSchema({"type": ["string", "array"]})] = Decimal(
        100
    )
    minimum: Annotated[str, BeforeValidator(minimum_of), WithJsonSchema({"type": "string"})] | None = None
    rounding: Annotated[Literal["half_up", "half_even"], *choice("half_up", "half_even")] = "half_up"
    period: PeriodRule = "month"
    base: Base = "actual"
    partial_period: Annotated[Literal["prorate", "counts_up"], *choice("prorate", "counts_up")] = "prorate"
    measure: Measure = Measure()
    maintenance: WindowTerms = WindowTerms()
    exclusions: ExclusionTerms = ExclusionTerms()
    clauses: Annotated[dict[str, str], BeforeValidator(clauses_of), WithJsonSchema({"type": "object"})] = Field(
        default_factory=dict
    )


class Plan(Terms):
    """Terms that contracts may start from."""

    id: SkipJsonSchema[Id] = ""


class Version(Terms):
    """Terms from the start of that local day on."""

    starts: Day = Field(alias="from")


class Contract(Terms):
    """Who buys what, since when; its own terms are the first version's."""

    id: SkipJsonSchema[Id] = ""
    client: Id
    services: Ids
    starts: Day | None = Field(None, alias="from")
    until: Day | None = None
    paused: DayRanges = ()
    number: Words | None = None
    timezone: Zone | None = None
    currency: Currency | None = None
    plan: Id | None = None
    versions: tuple[Version, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_service(cls, data: object) -> object:
        if not isinstance(data, dict) or "service" not in data:
            return data
        if "services" in data:
            raise At("service", "stands beside services; write one of them")
        return {**{key: value for key, value in data.items() if key != "service"}, "services": data["service"]}

    @model_validator(mode="after")
    def _dates(self) -> Self:
        starts = [self.starts, *(version.starts for version in self.versions)]
        known = [day for day in starts if day is not None]
        if not known:
            raise At("from", "is missing; write the day it begins, e.g. from: 2026-01-01")
        for earlier, later in pairwise(known):
            if later <= earlier:
                raise At("versions", f"{later} does not come after {earlier}; order them by from, oldest first")
        if self.until is not None and self.until <= known[0]:
            raise At("until", f"{self.until} is not after from {known[0]}; it is the first day without the contract")
        return self
