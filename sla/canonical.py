"""Canonical JSON and the statement's two directions: `as_json` and `from_json` (STATEMENT.md).

The canonical form is RFC 8785 limited to ASCII keys, no floats and integers below 2^53, so that the standard library
writes the same bytes: a checker needs nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sla.statement import Statement, Stretch

SCHEMA = "nines/statement/1"
LAW = 1
_LARGEST = 2**53


class CanonicalError(ValueError):
    """A value that canonical JSON cannot hold, or a document that is no statement/1."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of JSON data. Raises CanonicalError with the place of what cannot be written."""
    _check(value, "$")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(value: Any) -> str:
    """Hex SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: Any, place: str) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise CanonicalError(f"{place}: the key {key!r} is no ASCII text")
            _check(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            _check(inner, f"{place}[{index}]")
    elif not _is_scalar(value):
        raise CanonicalError(f"{place}: {value!r} cannot be written; use text, whole numbers below 2^53, true or null")


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, int):  # bool is one, and fits
        return -_LARGEST < value < _LARGEST
    return value is None


def as_json(statement: Statement) -> dict[str, Any]:
    """The statement as the JSON object of STATEMENT.md. `from_json` reads it back."""
    written = _written(statement)
    assert isinstance(written, dict)
    return {"schema": SCHEMA, "accounting": LAW, **written}


def _written(value: Any) -> Any:
    if isinstance(value, Stretch):
        return [value.from_ms, value.to_ms, value.time_class, value.ref, value.weight]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _written(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _written(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_written(inner) for inner in value]
    return value


def from_json(document: Mapping[str, Any]) -> Statement:
    """The statement that `as_json` wrote. Raises CanonicalError for anything else."""
    if document.get("schema") != SCHEMA:
        raise CanonicalError(f"schema: {document.get('schema')!r} is not {SCHEMA!r}")
    if document.get("accounting") != LAW:
        raise CanonicalError(
            f"accounting: law {document.get('accounting')!r} is not known here; this program knows {LAW}"
        )
    found: Statement = _read(Statement, document, "$")
    return found


def _read(kind: Any, value: Any, place: str) -> Any:
    if kind is Any:
        return value
    if kind is Stretch:
        return _read_stretch(value, place)
    if is_dataclass(kind):
        return _read_record(kind, value, place)
    return _read_plain(kind, value, place)


def _read_record(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, Mapping):
        raise CanonicalError(f"{place}: an object is expected, not {value!r}")
    kinds, given = _kinds(kind), {}
    for field in fields(kind):
        if field.name in value:
            given[field.name] = _read(kinds[field.name], value[field.name], f"{place}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise CanonicalError(f"{place}.{field.name} is missing")
    return kind(**given)


@cache
def _kinds(record: Any) -> dict[str, Any]:
    return get_type_hints(record)


def _read_stretch(value: Any, place: str) -> Stretch:
    if not isinstance(value, list) or len(value) != 5:
        raise CanonicalError(f"{place}: [from_ms, to_ms, class, ref, weight] is expected, not {value!r}")
    kinds = _kinds(Stretch)
    return Stretch(*(_read(kind, inner, place) for kind, inner in zip(kinds.values(), value, strict=True)))


def _read_plain(kind: Any, value: Any, place: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _read(next(each for each in inner if each is not type(None)), value, place)
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        if len(kinds) == len(value):
            return tuple(
                _read(each, item, f"{place}[{i}]") for i, (each, item) in enumerate(zip(kinds, value, strict=True))
            )
    if origin is Literal and value in inner:
        return value
    if origin is dict and isinstance(value, Mapping):
        return {key: _read(inner[1], item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise CanonicalError(f"{place}: {value!r} does not belong here")
