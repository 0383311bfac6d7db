"""How a process of ours starts another one of ours."""

from __future__ import annotations

import sys
from pathlib import Path


def child_command(role: str, *, config: Path, database: str | Path) -> list[str]:
    """The command line of a child; `-P`: what stands in the folder that we run in is no part of us."""
    return [sys.executable, "-P", "-m", "nines", "--config", str(config), "--db", str(database), "child", role]
