"""The types of config fields: each reads text by `config.units`, and shows editors what to write."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from config import units
from config.secret import Secret, secret, secret_or_text

_IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class Frozen(BaseModel):
    """A config value: immutable, unknown keys refused. YAML names are aliases, field names carry the unit."""

    OURS: ClassVar[tuple[str, ...]] = ("id",)  # fields that nines fills in: no file may write them

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, arbitrary_types_allowed=True
    )


def identifier(value: object) -> str:
    """An id: letters, digits, `-`, `_` and `.`, 64 at most."""
    text = units.text_of(value)
    if not re.fullmatch(_IDENTIFIER, text):
        raise ValueError(f"{text!r} is no id; write letters, digits, - _ and ., e.g. acme-api")
    return text


def identifiers(value: object) -> tuple[str, ...]:
    """One id or several, none twice."""
    found = tuple(identifier(item) for item in units.listed(value))
    twice = [name for name in found if found.count(name) > 1]
    if twice:
        raise ValueError(f"names {twice[0]} twice; once is enough")
    if not found:
        raise ValueError("is empty; write e.g. [web, api]")
    return found


def _words(value: object) -> str:
    """Text for people, on one line."""
    text = " ".join(units.text_of(value).split())
    if not text or len(text) > 200 or not text.isprintable():
        raise ValueError("is empty, too long or not printable; write 1 to 200 characters on one line")
    return text


def _plain(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text; quote it")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_plain(item) for item in units.listed(value))


def _networks(value: object) -> tuple[str, ...]:
    if value == "true":
        return ("0.0.0.0/0", "::/0")
    return () if value == "false" else tuple(units.network(item) for item in units.listed(value))


def schema_of(kind: Any, *examples: Any, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, "examples": list(examples), **more})


_TEXT_OR_NUMBER = ["string", "number"]
_TEXT_OR_LIST = ["string", "array"]
_DATE = r"^\d{4}-\d{2}-\d{2}$"

Duration = Annotated[int, BeforeValidator(units.duration_ms), schema_of("string", "60 s", "5 min", "2 h")]
Whole = Annotated[int, BeforeValidator(units.whole), schema_of("integer", 2, minimum=0)]
Flag = Annotated[bool, BeforeValidator(units.flag), schema_of("boolean", True)]
Words = Annotated[str, BeforeValidator(_words), schema_of("string", "Order API", minLength=1, maxLength=200)]
Plain = Annotated[str, BeforeValidator(_plain), schema_of("string")]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), schema_of(_TEXT_OR_LIST, "OK")]
Id = Annotated[str, BeforeValidator(identifier), schema_of("string", "acme-api", pattern=f"^{_IDENTIFIER}$")]
Ids = Annotated[tuple[str, ...], BeforeValidator(identifiers), schema_of(_TEXT_OR_LIST, ["web", "api"])]
Zone = Annotated[str, BeforeValidator(units.zone_name), schema_of("string", "Europe/Berlin", "UTC")]
Day = Annotated[date, BeforeValidator(units.day), schema_of("string", "2026-01-01", pattern=_DATE)]
Percent = Annotated[Decimal, BeforeValidator(units.percent), schema_of("string", "95 %")]
Share = Annotated[Decimal, BeforeValidator(units.share), schema_of(_TEXT_OR_NUMBER, 99.9, "99.90")]
Size = Annotated[int, BeforeValidator(units.size_bytes), schema_of("string", "1 MiB")]
Networks = Annotated[
    tuple[str, ...], BeforeValidator(_networks), schema_of(["array", "string", "boolean"], ["10.0.0.0/8"])
]
Statuses = Annotated[
    frozenset[int],
    BeforeValidator(units.statuses),
    PlainSerializer(units.statuses_text),
    schema_of(["string", "integer", "array"], 200, "200-299", [200, 204]),
]
DayRanges = Annotated[
    tuple[tuple[date, date], ...],
    BeforeValidator(lambda value: tuple(units.day_range(item) for item in units.listed(value))),
    schema_of("array", ["2026-11-20/2026-11-22"], items={"type": "string"}),
]
SecretOnly = Annotated[
    Secret,
    BeforeValidator(secret),
    PlainSerializer(lambda found: found.reference),
    schema_of("string", "file:smtp-password", "${NINES_SECRET_SMTP}"),
]
SecretOrText = Annotated[
    Secret,
    BeforeValidator(secret_or_text),
    PlainSerializer(lambda found: found.reference),
    schema_of("string", "Bearer ${NINES_SECRET_API}"),
]
