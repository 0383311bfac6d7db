"""One command of the command line, run in this process as the console script would."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nines.cli import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.data["files"][0]["counts"]
        return found

    @property
    def refused(self) -> list[tuple[int, str]]:
        return [(row["line"], row["message"]) for row in self.data["files"][0]["refused"]]


Nines = Callable[..., Said]


def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs commands in a folder; one that shows a traceback fails the test."""
    monkeypatch.chdir(folder)
    for name in ("NINES_CONFIG", "NINES_DB"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["nines", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(ended.value.code if isinstance(ended.value.code, int) else 0, captured.out, captured.err)

    return run
