"""`nines child`: the hidden command by which the processes of the daemon start each other."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nines.cli.places import Place
from nines.logs import log_to_stderr


@click.command("child", hidden=True)
@click.argument("role", type=click.Choice(["probe", "web", "orders"]))
@click.option("--verbose", is_flag=True)
@click.pass_obj
def child_command(place: Place, role: str, verbose: bool) -> None:
    """One child of `nines run`; the supervisor starts the first two, and the prober the last."""
    log_to_stderr(verbose=verbose)
    if role == "probe":
        from nines.daemon.probe_child import run_probe_child

        run_probe_child(config_path=place.config_path, database=place.database)
    elif role == "orders":
        from nines.daemon.orders_child import run_orders_child

        run_orders_child(config_path=place.config_path, database=Path(place.database), out=sys.stdout.buffer)
    else:
        from nines.daemon.web_child import PortTaken, run_web_child

        try:
            run_web_child(config_path=place.config_path, database=place.database)
        except PortTaken as error:
            raise click.ClickException(str(error)) from None
