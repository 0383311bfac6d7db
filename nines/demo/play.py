"""The whole demo in its order, and what it says on the way."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from types import FrameType

import click
from rich.console import Console

from ledger.store import open_ledger
from nines.cli.output import print_table
from nines.clock import now_ms
from nines.demo.extras import demo_package
from nines.demo.folders import Folders, folders
from nines.demo.live import play_live
from nines.demo.month import write_month
from nines.demo.papers import make_papers
from nines.demo.story import last_full_month
from nines.demo.view import PlainView, TerminalView, View
from nines.demo.watching import counted_lines
from reporting.credits import TABLE_HEADS, TABLE_RIGHT, table_rows
from reporting.report.libraries import require_pango


def play(out: Path, *, keep: bool) -> None:
    """Both acts. Under a minute; stopped by Ctrl-C, SIGTERM or SIGHUP at any point it leaves nothing running."""
    _check_machine()
    with _stopped_like_ctrl_c(), folders(out, keep=keep) as places:
        click.echo("nines demo: loopback only, with a config and a ledger of its own.")
        _first_act(places)
        _second_act(places)
        click.echo(_farewell(places, keep=keep))


def _check_machine() -> None:
    """Say what is missing before anything starts. Raises MissingExtra or PangoMissing."""
    for needed in ("trustme", "aiosmtpd"):
        demo_package(needed)
    require_pango()


def _first_act(places: Folders) -> None:
    click.echo("\nAct 1: half a minute under the real daemon\n")
    view = _view()
    try:
        mails = asyncio.run(play_live(places.live, view))
    finally:
        view.close()
    if mails:
        click.echo(f"\nThe first of {len(mails)} mails that came in at the sink:\n")
        click.echo(indent(f"Subject: {mails[0].subject}\n\n{mails[0].text}", "  | ", lambda line: True))
    at_ms = now_ms()
    with open_ledger(places.live / "nines.db", at_ms=at_ms) as ledger:
        click.echo("\nWhat was recorded, and what of it counts:")
        for line in counted_lines(ledger, at_ms=at_ms):
            click.echo(line)


def _second_act(places: Folders) -> None:
    month = last_full_month(now_ms())
    click.echo(f"\nAct 2: SAMPLE, a made-up {month.title} for two clients\n")
    sample = write_month(places.sample, month)
    papers = make_papers(sample, places.out)
    print_table(TABLE_HEADS, table_rows(papers.rows), right=TABLE_RIGHT, empty="")
    click.echo("")
    for path in (*papers.reports, papers.credits):
        click.echo(path)


def _farewell(places: Folders, *, keep: bool) -> str:
    if not keep:
        return "\nNothing is left running. With --keep the configs and ledgers stay for a closer look."
    database = places.sample / "nines.db"
    return f"\nNothing is left running. To look closer: nines --db {database} explain sample-logistics last"


def _view() -> View:
    console = Console()
    return TerminalView(console) if console.is_terminal else PlainView(click.echo)


@contextlib.contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo by the same way as Ctrl-C, so that everything is cleared away."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)

    # SIGINT too: a shell starts what it puts in the background with SIGINT ignored.
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: interrupt, signal.SIGHUP: interrupt}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
