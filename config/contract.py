"""A contract as written (CONTRACTS.md): who, what, since when, and terms that later versions inherit."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.claims import Fee, caps_of, chronic_of, claim_of, fee_of, minimum_of
from config.credits import as_json, credits_of
from config.measure import Base, ExclusionTerms, Measure, PeriodRule, WindowTerms, choice
from config.problems import At
from config.typed import Day, DayRanges, Frozen, Id, Ids, Share, Words, Zone
from sla.money import MoneyError, minor_digits
from sla.rules import Cap, Chronic, Claim, Rule
from sla.terms import WHOLE_FEE


def target_of(value: object) -> Decimal:
    """What is owed, in percent: above 0, at most 100."""
    found = units.share(value)
    if found == 0:
        raise ValueError("0 % promises nothing; leave the target out, or write e.g. 99.9")
    return found


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

    target: Annotated[Decimal, BeforeValidator(target_of), WithJsonSchema({"type": ["number", "string"]})] | None = None
    objective: Share | None = None
    fee: Annotated[Fee, BeforeValidator(fee_of), WithJsonSchema({"type": ["string", "number", "object"]})] | None = None
    credits: Annotated[
        tuple[Rule, ...],
        BeforeValidator(credits_of),
        PlainSerializer(as_json),
        WithJsonSchema({"type": ["object", "array"], "examples": [{"< 99.9": "10 %", "< 99.0": "25 %"}]}),
    ] = ()
    several_rules: Annotated[Literal["sum", "highest"], *choice("sum", "highest")] = "sum"
    several_services: Annotated[Literal["sum", "highest"], *choice("sum", "highest")] = "sum"
    cap: Annotated[tuple[Cap, ...], BeforeValidator(caps_of), WithJsonSchema({"type": ["string", "array"]})] = (
        WHOLE_FEE,
    )
    minimum: Annotated[str, BeforeValidator(minimum_of), WithJsonSchema({"type": "string"})] | None = None
    rounding: Annotated[Literal["half_up", "half_even"], *choice("half_up", "half_even")] = "half_up"
    period: PeriodRule = "month"
    base: Base = "actual"
    partial_period: Annotated[Literal["prorate", "counts_up"], *choice("prorate", "counts_up")] = "prorate"
    measure: Measure = Measure()
    maintenance: WindowTerms = WindowTerms()
    exclusions: ExclusionTerms = ExclusionTerms()
    claim: Annotated[Claim, BeforeValidator(claim_of), WithJsonSchema({"type": ["string", "object"]})] = Claim()
    chronic: Annotated[
        tuple[Chronic, ...], BeforeValidator(chronic_of), WithJsonSchema({"type": ["string", "array"]})
    ] = ()
    review: Day | None = None
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
