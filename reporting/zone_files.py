"""Which zone files cut the periods: printed in every statement, for two versions may cut a period differently."""

from __future__ import annotations

import importlib
import zoneinfo
from functools import cache
from pathlib import Path


@cache
def tzdata_version() -> str:
    """`2026c`; `unknown` where the system's files do not say."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "tzdata.zi").is_file():
            with (folder / "tzdata.zi").open(encoding="utf-8") as file:
                return file.readline().removeprefix("# version").strip()
        if (folder / "UTC").is_file():
            return "unknown"
    return str(importlib.import_module("tzdata").IANA_VERSION)
