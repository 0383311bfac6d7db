"""Taking the config in: what the file says becomes dated definitions in the ledger, and a record in its journal."""

from __future__ import annotations

import getpass
import os

from config.definitions import changes
from config.load import load
from ledger.definitions import StoreResult, in_force, store
from ledger.persons import os_user
from ledger.store import Ledger, open_ledger
from nines.cli.places import Place
from nines.clock import now_ms


def apply_config(place: Place, *, open_period: bool = False) -> StoreResult:
    """Read, check, and store what is new. ConfigError or LedgerError leave everything as it was."""
    config = load(place.config_path)
    with open_ledger(place.database, at_ms=now_ms(), create=True, migrate=True) as ledger:
        at_ms = now_ms()
        fresh = changes(config, in_force(ledger, at_ms), at_ms=at_ms, open_period=open_period)
        actor = os_user(ledger, login_name(), at_ms=at_ms)
        read = config.sources.sha256
        return store(ledger, fresh, at_ms=at_ms, actor=actor, source_sha256=read, open_period=open_period)


def login_name() -> str:
    """The login of who runs this; its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def differs(place: Place, ledger: Ledger) -> bool:
    """Whether the file on disk says something that the ledger does not hold yet."""
    at_ms = now_ms()
    return bool(changes(load(place.config_path), in_force(ledger, at_ms), at_ms=at_ms, open_period=True))
