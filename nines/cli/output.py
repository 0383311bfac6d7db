"""How commands print: JSON for programs, tables for people, nothing between."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from unicodedata import combining, east_asian_width

import click

from reporting.wording import plain

Command = TypeVar("Command", bound=Callable[..., Any])


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`--format`, the first one being the default."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How it is printed."
    )


def say(*lines: str, err: bool = False) -> None:
    """Lines of text with nothing in them that a terminal would obey: names and answers come from anybody."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" ")))
        click.echo(indent + plain(line), err=err)


def print_json(value: Any) -> None:
    """One JSON document on standard output, indented for a terminal and for diffs alike."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()  # None: standard output was closed by the caller


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), empty: str
) -> None:
    """A plain table with aligned columns; `right` names the columns of figures; `empty` is said when no row exists."""
    if not rows:
        say(empty)
        return
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(_cells(columns[i]), *(_cells(row[i]) for row in rows)) for i in range(len(columns))]
    head = _line(columns, widths, right)
    click.echo(click.style(head, bold=True) if is_terminal() and not os.environ.get("NO_COLOR") else head)
    for row in rows:
        click.echo(_line(row, widths, right))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = (
        " " * (width - _cells(cell)) + cell if number in right else cell + " " * (width - _cells(cell))
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _cells(text: str) -> int:
    """How many columns of a terminal it takes: East Asian characters two, combining marks none."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """A moving sign on a terminal while something takes longer than a second; one plain line elsewhere."""
    if not sys.stderr.isatty():
        say(f"{text} ...", err=True)
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(plain(text))):
        yield


def text_of(file: str) -> str:
    """The file's text, - being standard input."""
    try:
        with click.open_file(file, encoding="utf-8") as source:
            text: str = source.read()
            return text
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: is no UTF-8 text; save the file as UTF-8") from None
