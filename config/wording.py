"""Stored values as the YAML that says them, for messages with an entry to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config import units
from config.credits import credits_of, shown


def value_text(value: Any, key: str = "") -> str:
    """Any stored value in flow YAML: `99.90`, `{< 99.9: 10 %, < 99.0: 25 %}`, `{notice: 72 h}`, `none`."""
    if value is None:
        return "nothing"
    if key == "credits":
        return _rules(value)
    if isinstance(value, Mapping) and "for" in value:
        return _window(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(_option(name, part) for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return str(value)


def _option(name: str, value: Any) -> str:
    if name.endswith("_ms"):
        return f"{name.removesuffix('_ms')}: {units.duration_text(value)}"
    return f"{name}: {value_text(value)}"


def _rules(rules: Any) -> str:
    found = shown(credits_of(rules)) if rules else []
    return value_text(found)


def _window(body: Mapping[str, Any]) -> str:
    start, until = str(body["start"])[:16], body["until"]
    return f"{start} until {until[:16]}" if until else f"{start} for {units.duration_text(body['duration_ms'])}"


def entry_text(day: str, key: str, now: Any, was: Any) -> str:
    """The entry under `versions:` that brings the new value in from that day: `{from: 2026-11-25, target: 99.95}`."""
    shown = "~" if now is None else value_text(differing(now, was), key)
    shown = f'"{shown}"' if key == "minimum" and now else shown
    return f"{{from: {day}, {key}: {shown}}}"


def differing(value: Any, other: Any) -> Any:
    """Of a mapping of options only those that differ; anything else as it is."""
    if not isinstance(value, Mapping) or not isinstance(other, Mapping):
        return value
    return {name: part for name, part in value.items() if other.get(name) != part} or value
