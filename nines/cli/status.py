"""`nines status` and `nines outages`: what is going on, and what went on."""

from __future__ import annotations

import contextlib
import os
import time

import click

from ledger import outages as ledger_outages
from ledger.store import Ledger
from nines.cli.output import format_option, is_terminal, print_json, print_table, say
from nines.cli.places import Place
from nines.cli.zone import local_zone
from nines.clock import now_ms
from reporting import board_data, outages
from reporting.agreements import agreements
from reporting.board import Board, bad_news
from reporting.board_source import read_board
from reporting.incidents import incidents_of
from reporting.terminal import plain_board, screen

REDRAW_EVERY_S = 1.0


@click.command("status")
@click.option("--watch", is_flag=True, help="Stay and redraw each second; Ctrl-C ends it.")
@click.option("--check", is_flag=True, help="Exit 1 when something is down, over its budget, or nobody watches.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Letters instead of symbols.")
@format_option("table", "json")
@click.pass_obj
def status_command(place: Place, watch: bool, check: bool, ascii_only: bool, form: str) -> int:
    """The board: what breaks next, when, and what it costs. Then every service, worst first.

    \b
    nines status --watch
    nines status --check || echo look at it
    nines status --format json
    """
    with place.open_ledger() as ledger:
        if watch and is_terminal() and form == "table":
            with contextlib.suppress(KeyboardInterrupt):  # how a watch ends
                _watch(ledger, ascii_only=ascii_only)
            return 0
        board = read_board(ledger, now_ms=now_ms(), tz=local_zone().key)
    if form == "json":
        print_json(board_data.as_data(board))
    else:
        _show(board, ascii_only=ascii_only)
    return 1 if check and bad_news(board) else 0


def _show(board: Board, *, ascii_only: bool) -> None:
    if not is_terminal():
        click.echo(plain_board(board))
        return
    from rich.console import Console

    console = Console(highlight=False, no_color=bool(os.environ.get("NO_COLOR")))
    console.print(screen(board, width=console.width, ascii_only=ascii_only))


def _watch(ledger: Ledger, *, ascii_only: bool) -> None:
    """Redrawn in place on the terminal's other screen, so that what was there before comes back."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            board = read_board(ledger, now_ms=now_ms(), tz=local_zone().key)
            width, height = console.size
            live.update(screen(board, width=width, height=height, ascii_only=ascii_only, age_s=0), refresh=True)
            time.sleep(REDRAW_EVERY_S)


class ListUnlessNamed(click.Group):
    """A group that is its `list` where no command of it is named, with the list's options."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        if not arguments or (arguments[0].startswith("-") and arguments[0] not in context.help_option_names):
            arguments = ["list", *arguments]
        return super().parse_args(context, arguments)


@click.group("outages", cls=ListUnlessNamed)
def outages_command() -> None:
    """Outages of endpoints, with the evidence that bounds them. Without a command: the list.

    \b
    nines outages --open
    nines outages --format json
    nines outages show O-7K3F2
    """


@outages_command.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those that last.")
@click.option("--degraded", is_flag=True, help="Degraded stretches as well.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many.")
@format_option("table", "json")
@click.pass_obj
def list_outages(place: Place, open_only: bool, degraded: bool, limit: int, form: str) -> None:
    """Open outages first, then the newest. Times in your zone (TZ); in JSON, ms since 1970 and UTC.

    \b
    nines outages list --open
    nines outages list --limit 1000 --format json
    """
    with place.open_ledger() as ledger:
        kinds: tuple[ledger_outages.Kind, ...] = ("down", "degraded") if degraded else ("down",)
        found = ledger_outages.outages(ledger, kinds=kinds, open_only=open_only, limit=limit)
        names, incidents = endpoint_names(ledger), incidents_of(ledger, found)
    if form == "json":
        print_json(outages.as_data(found, now_ms=now_ms(), incidents=incidents))
        return
    rows = outages.table_rows(found, now_ms=now_ms(), zone=local_zone(), names=names)
    print_table(outages.TABLE_HEADS, rows, right=outages.TABLE_RIGHT, empty=outages.NO_OUTAGES)


@outages_command.command("show")
@click.argument("outage_id", metavar="ID")
@format_option("table", "json")
@click.pass_obj
def show_outage(place: Place, outage_id: str, form: str) -> None:
    """One outage (O-7K3F2) with its bounds: what was seen last before, first and last in, and first after it.

    \b
    nines outages show O-7K3F2
    """
    with place.open_ledger() as ledger:
        found, name = recorded_outage(ledger, outage_id)
        incidents = incidents_of(ledger, [found])
    if form == "json":
        print_json(outages.as_data([found], now_ms=now_ms(), incidents=incidents)[0])
        return
    incident = incidents[found.outage.id or ""]
    for line in outages.detail_lines(found, now_ms=now_ms(), zone=local_zone(), name=name, incident=incident):
        say(line)


def recorded_outage(ledger: Ledger, id: str) -> tuple[ledger_outages.Recorded, str]:
    """An outage and the name of its endpoint. Raises ClickException for an id that is not on record."""
    found = ledger_outages.outage(ledger, id)
    if found is None:
        raise click.ClickException(f"no outage {id} is on record; `nines outages list` shows them")
    return found, endpoint_names(ledger).get(found.endpoint, found.endpoint)


def endpoint_names(ledger: Ledger) -> dict[str, str]:
    """What endpoints are called, by id."""
    agreed = agreements(ledger)
    return {id: agreed.name("endpoint", id) for id in agreed.ids("endpoint")}
