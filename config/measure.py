"""How availability is taken, which maintenance is accepted, what is taken out: options of ACCOUNTING.md section 3."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from config import units
from config.problems import At
from config.typed import Duration, Frozen, Share, Whole

Effect = Annotated[
    Literal["exclude", "count_up", "ignore"],
    BeforeValidator(partial(units.one_of, choices=("exclude", "count_up", "ignore"))),
    WithJsonSchema({"type": "string", "enum": ["exclude", "count_up", "ignore"]}),
]


def choice(*words: str) -> tuple[BeforeValidator, WithJsonSchema]:
    return BeforeValidator(partial(units.one_of, choices=words)), WithJsonSchema(
        {"type": "string", "enum": list(words)}
    )


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
    by: Annotated[Literal["time"], *choice("time", "users", "requests", "periods")] = "time"
    unknown: Annotated[Literal["exclude", "up", "down"], *choice("exclude", "up", "down")] = "exclude"
    min_coverage: Share = Decimal(95)
    degraded: Annotated[str, BeforeValidator(_degraded), WithJsonSchema({"type": ["string", "number"]})] = "up"
    before_first_check: Annotated[Literal["unknown", "not_contracted"], *choice("unknown", "not_contracted")] = (
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
