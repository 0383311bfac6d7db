"""The viewer's time zone, as the system names it."""

from __future__ import annotations

import os
import sys
from datetime import UTC
from zoneinfo import ZoneInfo


def local_zone() -> ZoneInfo:
    """The viewer's zone, as the system names it; UTC where it names none."""
    name = os.environ.get("TZ", "").removeprefix(":") or _system_zone()
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError):
        return ZoneInfo(str(UTC))


def _system_zone() -> str:
    if sys.platform != "linux":
        return ""
    target = os.path.realpath("/etc/localtime")
    return target.partition("/zoneinfo/")[2]
