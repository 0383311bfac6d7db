"""A contract as written (CONTRACTS.md): who, what, since when, and terms that later versions inherit."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.claims import Fee, caps_of, chronic_of, claim_of, fee_of, minimum_of
from config.credits import as_json, credits_of
from config.pay import by_of
from config.problems import At
from config.typed import Day, DayRanges, Duration, Frozen, Id, Ids, Share, Whole, Words, Zone
from sla.money import MoneyError, minor_digits
from sla.rules import Cap, Chronic, Claim, Rule
from sla.terms import WHOLE_FEE

Effect = Annotated[
    Literal["exclude", "count_up", "ignore"],
    BeforeValidator(partial(units.one_of, choices=("exclude", "count_up", "ignore"))),
    WithJsonSchema({"type": "string", "enum": ["exclude", "count_up", "ignore"]}),
]


def _choice(*words: str) -> tuple[BeforeValidator, WithJsonSchema]:
    return BeforeValidator(partial(units.one_of, choices=words)), WithJsonSchema(
        {"type": "string", "enum": list(words)}
    )


def target_of(value: object) -> Decimal:
    """What is owed, in percent: above 0, at most 100."""
    found = units.share(value)
    if found == 0:
        raise ValueError("0 % promises nothing; leave the target out, or write e.g. 99.9")
    return found


def _degraded(value: object) -> str:
    """`up`, `down`, or how much of degraded time counts: 0 to 1."""
    text = units.text_of(value)
    if text in ("up", "down"):
        return text
    try:
        weight = units.number(text)
    except ValueError:
        weight = Decimal(-1)
    if not 0 <= weight <= 1:
        raise ValueError(f"{text!r} is not known here; write up, down, or a weight from 0 to 1, e.g. 0.5")
    return text


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


class Measure(Frozen):
    """How availability is taken, where it differs from the defaults of ACCOUNTING.md section 3."""

    LATER: ClassVar = (
        "service_hours",
        "min_outage",
        "bucket",
        "bad",
        "min_run",
        "outage_start",
        "merge_gap",
        "compare",
        "quorum_of",
    )
    by: Annotated[str, BeforeValidator(by_of), WithJsonSchema({"type": "string"})] = "time"
    unknown: Annotated[Literal["exclude", "up", "down"], *_choice("exclude", "up", "down")] = "exclude"
    min_coverage: Share = Decimal(95)
    degraded: Annotated[str, BeforeValidator(_degraded), WithJsonSchema({"type": ["string", "number"]})] = "up"
    before_first_check: Annotated[Literal["unknown", "not_contracted"], *_choice("unknown", "not_contracted")] = (
        "unknown"
    )
    digits: Whole = 3

    @model_validator(mode="after")
    def _range(self) -> Self:
        if not 3 <= self.digits <= 9:
            raise At("digits", f"{self.digits} is not between 3 and 9; write e.g. 3")
        return self


class WindowTerms(Frozen):
    """Which announced maintenance is accepted, and what it does."""

    LATER: ClassVar = ("allowed", "cap")
    effect: Effect = "exclude"
    notice_ms: Duration = Field(0, alias="notice", description="least time between announcement and start")


class ExclusionTerms(Frozen):
    LATER: ClassVar = ("categories",)
    effect: Effect = "exclude"


class Terms(Frozen):
    """What a version may change. Left out: as the version, contract or plan before says, else the default."""

    LATER: ClassVar = ("objective", "base")
    target: Annotated[Decimal, BeforeValidator(target_of), WithJsonSchema({"type": ["number", "string"]})] | None = None
    fee: Annotated[Fee, BeforeValidator(fee_of), WithJsonSchema({"type": ["string", "number", "object"]})] | None = None
    credits: Annotated[
        tuple[Rule, ...],
        BeforeValidator(credits_of),
        PlainSerializer(as_json),
        WithJsonSchema({"type": ["object", "array"], "examples": [{"< 99.9": "10 %", "< 99.0": "25 %"}]}),
    ] = ()
    several_rules: Annotated[Literal["sum", "highest"], *_choice("sum", "highest")] = "sum"
    several_services: Annotated[Literal["sum", "highest"], *_choice("sum", "highest")] = "sum"
    cap: Annotated[tuple[Cap, ...], BeforeValidator(caps_of), WithJsonSchema({"type": ["string", "array"]})] = (
        WHOLE_FEE,
    )
    minimum: Annotated[str, BeforeValidator(minimum_of), WithJsonSchema({"type": "string"})] | None = None
    rounding: Annotated[Literal["half_up", "half_even"], *_choice("half_up", "half_even")] = "half_up"
    period: Annotated[Literal["month"], *_choice("month", "week", "quarter", "year")] = "month"
    partial_period: Annotated[Literal["prorate", "counts_up"], *_choice("prorate", "counts_up")] = "prorate"
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
