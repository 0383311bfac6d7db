"""`nines demo`: the whole product once, on this machine, by itself."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("nines-demo"),
    show_default=True,
    help="Folder for the reports and the credits.",
)
@click.option("--keep", is_flag=True, help="Keep the configs and ledgers of both acts beside them.")
def demo_command(out: Path, keep: bool) -> None:
    """Watch three small servers for half a minute, then make a sample month's reports and credits.

    Under a minute, loopback only. It reads no config and no ledger of yours and leaves nothing running.

    \b
    nines demo
    nines demo --out /tmp/look --keep
    """
    from nines.demo.daemon import DaemonDied
    from nines.demo.extras import MissingExtra
    from nines.demo.folders import ForeignFolder
    from nines.demo.play import play
    from nines.demo.watching import NothingSeen
    from reporting.report import ReportError

    try:
        play(out, keep=keep)
    except (MissingExtra, ForeignFolder, DaemonDied, NothingSeen, ReportError) as error:
        raise click.ClickException(str(error)) from error
