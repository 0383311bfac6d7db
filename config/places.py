"""Where the config, the ledger and the secrets are: decided from options, environment and the current folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SYSTEM_CONFIG = Path("/etc/nines/nines.yaml")
SYSTEM_LEDGER = Path("/var/lib/nines/nines.db")


def config_place(option: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """--config, NINES_CONFIG, ./nines.yaml, else /etc/nines/nines.yaml; ./nines.yaml where none of them exists."""
    chosen = option or environ.get("NINES_CONFIG")
    if chosen:
        return Path(chosen)
    here = (cwd / "nines.yaml").exists() or not SYSTEM_CONFIG.exists()
    return Path("nines.yaml") if here else SYSTEM_CONFIG


def database_place(option: str | None, environ: Mapping[str, str], cwd: Path) -> str:
    """--db, NINES_DB, ./nines.db where ./nines.yaml stands beside it, else /var/lib/nines/nines.db."""
    chosen = option or environ.get("NINES_DB")
    if chosen:
        return chosen
    return "nines.db" if (cwd / "nines.yaml").exists() else str(SYSTEM_LEDGER)


def secrets_place(secrets_dir: str | None, environ: Mapping[str, str]) -> Path | None:
    """The folder that `file:` reads: the config's secrets_dir, else $CREDENTIALS_DIRECTORY."""
    chosen = secrets_dir or environ.get("CREDENTIALS_DIRECTORY")
    return Path(chosen) if chosen else None
