"""The only wall clock of the product. Everything else is handed its `at`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]


def now_ms() -> int:
    """Milliseconds since the epoch, UTC, by the system's clock."""
    return time.time_ns() // 1_000_000
