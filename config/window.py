"""Announced maintenance: one-off or recurring by cron, with a duration or an end by the clock, in a zone."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Self

from croniter import croniter
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.problems import At
from config.typed import Duration, Frozen, Id, Ids, Words, Zone

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_EXAMPLE = 'write minute, hour, day of the month, month, day of the week, e.g. "0 2 * * sun"'
LONGEST_MS = 31 * units.DAY_MS
MOST_AN_HOUR = 4


def cron_text(value: object) -> str:
    """Five cron fields that name at least one instant. Never random, never hashed."""
    text = " ".join(units.text_of(value).split()).lower()
    fields = text.split(" ")
    if len(fields) != 5:
        raise ValueError(f"{text!r} has {len(fields)} field{'s' * (len(fields) != 1)} of five; {_EXAMPLE}")
    for field, (name, least, most) in zip(fields, _FIELDS, strict=True):
        _check_field(field, name, least, most)
    if not croniter.is_valid(text, strict=True):
        raise ValueError(f"{text!r} is no cron expression, or names a day that never comes; {_EXAMPLE}")
    minutes = croniter.expand(text)[0][0]
    if minutes == ["*"] or len(minutes) > MOST_AN_HOUR:
        raise ValueError(
            f"{text!r} begins more than {MOST_AN_HOUR} times an hour, which no one can announce; {_EXAMPLE}"
        )
    return text


def _check_field(field: str, name: str, least: int, most: int) -> None:
    if re.search(r"(?<![a-z])[rh](?![a-z])", field):
        raise ValueError(f"{field!r} draws the {name} by lot, and a window is announced; {_EXAMPLE}")
    for number in re.findall(r"(?<![\d/#])\d+", field):
        if not least <= int(number) <= most:
            raise ValueError(f"{name} {number} does not exist; write {least} to {most}, e.g. 0 2 * * sun")


def _start(value: object) -> str:
    return units.wall_time(value).isoformat(sep=" ")


def _until(value: object) -> str:
    text = units.text_of(value)
    return units.clock(text) if re.fullmatch(r"[\d:]{1,5}", text) else _start(text)


_text = {"type": "string"}


class Maintenance(Frozen):
    """One definition of a window: `start` (one-off) or `cron`, and `duration` or `until`."""

    id: SkipJsonSchema[Id] = ""
    title: Words = "Planned maintenance"
    covers: Ids = Field(alias="for", description="endpoints and services")
    start: (
        Annotated[str, BeforeValidator(_start), WithJsonSchema({**_text, "examples": ["2026-11-25 02:00"]})] | None
    ) = None
    cron: Annotated[str, BeforeValidator(cron_text), WithJsonSchema({**_text, "examples": ["0 2 * * sun"]})] | None = (
        None
    )
    duration_ms: Duration | None = Field(None, alias="duration", description="elapsed time")
    until: Annotated[str, BeforeValidator(_until), WithJsonSchema({**_text, "examples": ["04:00"]})] | None = None
    timezone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _shape(cls, data: object) -> object:
        if isinstance(data, dict):
            _one_of_two(data, "start", "cron", 'start: 2026-11-25 02:00 (once) or cron: "0 2 * * sun" (recurring)')
            names = ("duration_ms", "until") if "duration_ms" in data else ("duration", "until")
            _one_of_two(data, *names, 'duration: 2 h (elapsed time) or until: "04:00" (by the clock)')
        return data

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.duration_ms is not None and not units.SECOND_MS <= self.duration_ms <= LONGEST_MS:
            shown = units.duration_text(self.duration_ms)
            raise At("duration", f"{shown} is not between 1 s and 31 d; write e.g. 2 h")
        if self.until is None or len(self.until) == 5:
            return self
        if self.cron is not None:
            raise At("until", 'is one date, but the window recurs; write a time of day, e.g. "04:00"')
        if self.start is not None and datetime.fromisoformat(self.until) <= datetime.fromisoformat(self.start):
            raise At("until", f"{self.until[:16]} is not after start {self.start[:16]}; write when it ends")
        return self


def _one_of_two(data: dict[str, Any], first: str, second: str, example: str) -> None:
    given = [key for key in (first, second) if data.get(key) is not None]
    if len(given) == 2:
        raise At(second, f"stands beside {first}; write one of them: {example}")
    if not given:
        raise ValueError(f"has neither {first} nor {second}; write {example}")
