"""Where this run finds its config and its ledger: options, environment, then the defaults of `config.places`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from config.places import config_place, database_place
from nines.clock import now_ms

if TYPE_CHECKING:  # the commands that need neither config nor ledger start without them
    from config.model import Config
    from ledger.store import Ledger


@dataclass(frozen=True)
class Place:
    """The two options of the command line, and what they lead to."""

    config_option: str | None = None
    database_option: str | None = None

    @cached_property
    def config_path(self) -> Path:
        return config_place(self.config_option, os.environ, Path.cwd())

    @cached_property
    def database(self) -> str:
        return database_place(self.database_option, os.environ, Path.cwd())

    def load_config(self) -> Config:
        """The config as it stands on disk; ConfigError with every problem."""
        from config.load import load

        return load(self.config_path)

    def open_ledger(self) -> Ledger:
        """The ledger for a command that reads or decides; it must exist."""
        from ledger.store import open_ledger

        return open_ledger(self.database, at_ms=now_ms())
