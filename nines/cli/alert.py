"""`nines alert test`: does the channel reach anybody?"""

from __future__ import annotations

import asyncio

import click

from nines.cli.output import say
from nines.cli.places import Place
from nines.clock import now_ms


@click.group("alert")
def alert_command() -> None:
    """Alert channels."""


@alert_command.command("test")
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...")
@click.pass_obj
def test(place: Place, channels: tuple[str, ...]) -> int:
    """Send a marked test alert through the named channels (default: all). Exit 1 when one does not take it.

    \b
    nines alert test
    nines alert test operations
    """
    from nines.daemon.settings import revealer
    from reporting.alerts.channel import NotDelivered
    from reporting.alerts.channels import channels_of
    from reporting.alerts.worker import send_test

    config = place.load_config()
    known = channels_of(config.alerts, revealer(config))
    chosen = channels or tuple(known)
    if unknown := [name for name in chosen if name not in known]:
        raise click.UsageError(f"no channel is called {unknown[0]}; known: {', '.join(known) or 'none'}")
    if not chosen:
        raise click.ClickException(f"{place.config_path} has no alerts; see `nines config example`")
    failed = 0
    for name in chosen:
        try:
            asyncio.run(send_test(known[name], at_ms=now_ms(), tz=config.timezone or "UTC"))
        except NotDelivered as error:
            failed += 1
            say(f"{name}: not delivered: {error}")
        else:
            say(f"{name}: delivered")
    return 1 if failed else 0
