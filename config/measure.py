"""How availability is taken, which maintenance is accepted, what is taken out: options of ACCOUNTING.md section 3."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from config import hours, option_values, units
from config.pay import by_of
from config.problems import At
from config.typed import Duration, Flag, Frozen, Share, Whole

Effect = Annotated[
    Literal["exclude", "count_up", "ignore"],
    BeforeValidator(partial(units.one_of, choices=("exclude", "count_up", "ignore"))),
    WithJsonSchema({"type": "string", "enum": ["exclude", "count_up", "ignore"]}),
]


def choice(*words: str) -> tuple[BeforeValidator, WithJsonSchema]:
    return BeforeValidator(partial(units.one_of, choices=words)), WithJsonSchema(
        {"type": "string", "enum": list(words)}
    )


def text(reader: Any, *examples: Any, kind: Any = "string") -> tuple[BeforeValidator, WithJsonSchema]:
    """A value kept as canonical text (or JSON data), which its reader makes and reads again."""
    return BeforeValidator(reader), WithJsonSchema({"type": kind, "examples": list(examples)})


_Start = Literal["first_failure", "last_success", "midpoint", "confirmation"]
_HOURS = {"mon-fri": "08:00-18:00", "holidays": "DE-BE"}

Base = Annotated[str, *text(option_values.base, "actual", "730 h")]
PeriodRule = Annotated[str, *text(option_values.period, "month", "quarter", "billing month from day 15")]


ServiceHours = Annotated[
    Literal["always"] | dict[str, list[str]], *text(hours.service_hours, "always", _HOURS, kind=["string", "object"])
]


class Measure(Frozen):
    """How availability is taken, where it differs from the defaults of ACCOUNTING.md section 3."""

    by: Annotated[str, BeforeValidator(by_of), WithJsonSchema({"type": "string"})] = "time"
    unknown: Annotated[Literal["exclude", "up", "down"], *choice("exclude", "up", "down")] = "exclude"
    min_coverage: Share = Decimal(95)
    outage_start: Annotated[_Start, *choice("first_failure", "last_success", "midpoint", "confirmation")] = (
        "first_failure"
    )
    min_outage: Annotated[str | None, *text(option_values.min_outage, ">= 60 s", "> 5 min")] = None
    min_outage_before_exclusions: Flag = False
    merge_gap_ms: Duration = Field(0, alias="merge_gap")
    bucket: Annotated[str, *text(option_values.bucket, "exact", "1 min")] = "exact"
    bad: Annotated[str, *text(option_values.bad, ">= 100 %", "> 5 %")] = ">= 100 %"
    min_run: Whole = 1
    degraded: Annotated[str, *text(option_values.degraded, "up", 0.5, kind=["string", "number"])] = "up"
    service_hours: ServiceHours = "always"
    before_first_check: Annotated[Literal["unknown", "not_contracted"], *choice("unknown", "not_contracted")] = (
        "unknown"
    )
    compare: Annotated[
        Literal["exact"] | dict[str, Any],
        *text(option_values.compare, "exact", {"digits": 2, "mode": "half_up"}, kind=["string", "object"]),
    ] = "exact"
    digits: Whole = 3
    quorum_of: Annotated[Literal["all", "voting"], *choice("all", "voting")] = "all"

    @model_validator(mode="after")
    def _range(self) -> Self:
        if not 3 <= self.digits <= 9:
            raise At("digits", f"{self.digits} is not between 3 and 9; write e.g. 3")
        if self.min_run < 1:
            raise At("min_run", "0 buckets are no run; write 1 or more, e.g. 10")
        return self


class WindowTerms(Frozen):
    """Which announced maintenance is accepted, and what it does."""

    effect: Effect = "exclude"
    notice_ms: Duration = Field(0, alias="notice", description="least time between announcement and start")
    allowed: Annotated[
        dict[str, list[str]] | None,
        *text(hours.allowed_hours, {"sun": "00:00-06:00"}, "none", kind=["object", "string"]),
    ] = None
    cap: Annotated[str | None, *text(option_values.window_cap, "10 h per month", "10 h per year", "none")] = None


class ExclusionTerms(Frozen):
    """What agreed exclusions do, and of which categories they may be."""

    effect: Effect = "exclude"
    categories: Annotated[
        list[str] | None,
        *text(option_values.categories, ["force_majeure", "client"], "all", kind=["array", "string"]),
    ] = None
