"""What the children take from the config that is no definition: rates, folders, and how secrets are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from config.model import Config
from config.secret import Secret
from config.vantage import AUTO, NONE
from probes.gate import Rates
from probes.vantage import Outlook, Reference, default_gateway


def spool_place(config: Config, database: Path) -> Path:
    """The folder of what waits for the database."""
    return Path(config.spool.path) if config.spool.path else database.with_name(f"{database.name}.spool")


def hidden_from_commands(config: Config, database: Path) -> list[Path]:
    """Folders of our own that no command may look into: of the ledger, its spool, and the secrets."""
    folders = (database.parent, spool_place(config, database), _secrets_folder(config))
    return [folder for folder in folders if folder is not None]


def rates_of(config: Config) -> Rates:
    """Attempts per second that the config allows."""
    return Rates(per_host_per_s=Fraction(config.rates.per_host_per_s), global_per_s=Fraction(config.rates.global_per_s))


def outlook_of(config: Config) -> Outlook:
    """The reference hosts and the gateway; `auto` is the kernel's default route."""
    gateway: str | None = config.vantage.gateway
    if gateway in (AUTO, NONE):
        routes = Path("/proc/net/route")
        gateway = default_gateway(routes.read_text()) if gateway == AUTO and routes.exists() else None
    return Outlook(tuple(Reference(host, port) for host, port in config.vantage.hosts), gateway)


def revealer(config: Config) -> Callable[[Secret], str]:
    """Looks a secret up under `secrets_dir` (default: systemd's credentials) each time it is needed."""
    folder = _secrets_folder(config)
    return lambda secret: secret.reveal(folder, os.environ)


def _secrets_folder(config: Config) -> Path | None:
    folder = config.secrets_dir or os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None
