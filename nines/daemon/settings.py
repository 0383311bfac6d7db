"""What the children take from the config that is no definition: rates, and how secrets are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from config.model import Config
from config.secret import Secret
from probes.prober import Rates


def spool_place(config: Config, database: Path) -> Path:
    """The folder of what waits for the database."""
    return Path(config.spool.path) if config.spool.path else database.with_name(f"{database.name}.spool")


def rates_of(config: Config) -> Rates:
    """Attempts per second that the config allows."""
    return Rates(per_host_per_s=Fraction(config.rates.per_host_per_s), global_per_s=Fraction(config.rates.global_per_s))


def revealer(config: Config) -> Callable[[Secret], str]:
    """Looks a secret up under `secrets_dir` (default: systemd's credentials) each time it is needed."""
    folder = config.secrets_dir or os.environ.get("CREDENTIALS_DIRECTORY")
    return lambda secret: secret.reveal(Path(folder) if folder else None, os.environ)
