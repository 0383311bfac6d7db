"""`nines run`: the daemon."""

from __future__ import annotations

import asyncio
import logging

import click

from config.problems import ConfigError
from ledger.errors import AWAY, LedgerError
from ledger.opening import path_of, was_there
from nines.cli.apply import apply_config
from nines.cli.places import Place
from nines.daemon.supervisor import Supervisor
from nines.logs import log_to_stderr
from nines.notify import notify, reloading

log = logging.getLogger("nines.supervisor")


@click.command("run")
@click.option("--verbose", is_flag=True, help="Log more.")
@click.pass_obj
def run_command(place: Place, verbose: bool) -> None:
    """Check endpoints, record outages, send alerts, until SIGTERM. SIGHUP takes the config in again.

    A config that is bad at SIGHUP changes nothing: the old one stays in force, and the log says what is wrong.
    A ledger that is locked, full, read-only or gone at the start is waited for; nothing is probed until it can be had.
    The log goes to standard error, one line per event; the board is served where `listen` says (127.0.0.1:8090).

    \b
    nines run
    nines --config /etc/nines/nines.yaml --db /var/lib/nines/nines.db run
    """
    log_to_stderr(verbose=verbose)
    away = _begin(place)
    supervisor = Supervisor(
        config=place.config_path.absolute(),
        database=place.database,
        begin=lambda: apply_config(place),
        reload=lambda: _reload(place),
    )
    asyncio.run(supervisor.run(away))


def _begin(place: Place) -> LedgerError | None:
    """Store what the file says. The error where a ledger that is here, or was, cannot be had for now."""
    try:
        apply_config(place)
    except AWAY as error:
        if not was_there(path_of(place.database)):
            raise  # a first start: somebody sits before it
        return error
    return None


def _reload(place: Place) -> bool:
    """Store what the file says now; False leaves everything as it was."""
    reloading()
    try:
        apply_config(place)
    except (ConfigError, LedgerError) as error:
        problems = error.problems if isinstance(error, ConfigError) else (error,)
        for problem in problems:
            log.error("the config is not taken in, the old one stays in force: %s", problem)
        notify("READY=1")
        return False
    return True
