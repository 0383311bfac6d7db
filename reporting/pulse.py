"""The daemon's pulse as the pages tell it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pulse:
    """Signs of life of the prober: its last stamp, and the last check on record. None where there is none yet."""

    stamp_ms: int | None
    last_check_ms: int | None
