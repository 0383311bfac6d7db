"""The phases of an attempt in few bytes: `d300 c900 t4200 f31000 b400`, microseconds; names of others in full."""

from __future__ import annotations

from collections.abc import Mapping

_LETTERS = {"dns": "d", "connect": "c", "tls": "t", "first_byte": "f", "body": "b"}
_NAMES = {letter: name for name, letter in _LETTERS.items()}


def write_phases(phases_us: Mapping[str, int] | None) -> str | None:
    """None where nothing was timed."""
    if not phases_us:
        return None
    return " ".join(f"{_LETTERS.get(name, name + '=')}{us}" for name, us in phases_us.items())


def read_phases(text: str | None) -> dict[str, int]:
    """Phase to microseconds, in the order in which they came."""
    return dict(_phase(part) for part in (text or "").split())


def _phase(part: str) -> tuple[str, int]:
    name, found, us = part.partition("=")
    return (name, int(us)) if found else (_NAMES[part[0]], int(part[1:]))
