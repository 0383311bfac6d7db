"""The terminal board: the picture of looks/board-terminal, narrow screens, folding, ASCII and hostile names."""

from __future__ import annotations

import io

import pytest
from reporting_boards import NOW, bare_row, row, specimen
from rich.cells import cell_len
from rich.console import Console

from reporting.board import Monitor, make_board
from reporting.terminal import plain_board, screen
from reporting.wording import plain

PICTURE = """\
nines board    November 2026    1 red  2 orange  3 yellow  8 green           live, 12:18:40 CET, 2 s
8 min 35 s until Tracking API (Acme) breaks 99.9 %. Red at 12:27:15 if it stays down: EUR 450.00.

   STATE           SERVICE        CLIENT    BUDGET LEFT OF       USED, ┃ IS 100 %            RED AT
✕ RED 1 ────────────────────────────────────────────────────────────────────────────────────────────
 ✕ Down 9 m 20 s   Checkout       Elm & Oak   2 m 35 s over      ██████████████┃▒▒ 112.0 % 12:16:05
◕ ORANGE 2 ─────────────────────────────────────────────────────────────────────────────────────────
 ✕ Down 4 m 12 s   Tracking API   Acme        8 m 35 s 42 m 57 s ███████████▏··┃    80.1 % 12:27:15
 ▲ Degraded        Card gateway   Bergmann    3 m 30 s 21 m 35 s ███████████▋··┃    83.8 %   Thu 26
◑ YELLOW 3 ─────────────────────────────────────────────────────────────────────────────────────────
 ● Up              HL7 feed       Corvid       1 h 9 m 3 h 34 m  █████████▍····┃    67.8 %        -
 ● Up              Webshop        Elm & Oak  19 m 33 s 43 m 11 s ███████▋······┃    54.8 %        -
 ● Up              Market data    Fjord       1 m 58 s 4 m 19 s  ███████▌······┃    54.5 %        -
◔ GREEN 8 ──────────────────────────────────────────────────────────────────────────────────────────
 ● Up              Portal         Acme       24 m 35 s 42 m 57 s █████▉········┃    42.8 %        -
 ● Up              Online banking Bergmann   28 m 40 s 43 m 4 s  ████▋·········┃    33.5 %        -
 ● Up              Patient portal Corvid     33 m 59 s 43 m 4 s  ██▉···········┃    21.1 %        -
 ● Up              EDI inbound    Delta      36 m 21 s 43 m 11 s ██▏···········┃    15.9 %        -
 ◆ Maint. to 14:00 Lab results    Corvid      6 h 29 m 7 h 9 m   █▎············┃     9.4 %        -
 ● 3 more up, all under 6 %: Booking, Label print, Meter intake

MONITOR  ● watching  coverage 99.979 %  not measured 21 s
NEXT     14:00 Lab results ends   Tue 02:00 maintenance Tracking API"""


def test_the_screen_is_the_picture() -> None:
    lines = screen(specimen(), width=100, height=23, age_s=2).plain.splitlines()
    assert lines == PICTURE.splitlines()


@pytest.mark.parametrize("width", [80, 85, 90, 99, 100, 120, 160])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_the_screen(width: int, ascii_only: bool) -> None:
    board = specimen(row("a name that is far longer than any column " * 2, "漢字" * 20, allowed=10, used=4))
    for line in screen(board, width=width, height=30, ascii_only=ascii_only, age_s=2).plain.splitlines():
        assert cell_len(line) <= width


def test_on_80_columns_client_and_bar_go_first() -> None:
    text = screen(specimen(), width=80, height=30, age_s=2).plain
    assert "┃" not in text
    assert "Elm & Oak" not in text
    assert " ✕ Down 4 m 12 s   Tracking API     8 m 35 s 42 m 57 s  80.1 % 12:27:15" in text


def test_what_does_not_fit_is_summed_and_red_and_orange_never() -> None:
    many = [row(f"Service {number:02}", allowed=100, used=number % 40) for number in range(60)]
    text = screen(specimen(*many), width=100, height=24, age_s=2).plain
    assert len(text.splitlines()) <= 24
    assert "more up, all under" in text
    assert all(name in text for name in ("Checkout", "Tracking API", "Card gateway"))


def test_ascii_uses_no_other_characters() -> None:
    text = screen(specimen(bare_row("gone", state="unknown")), width=100, height=40, ascii_only=True, age_s=2).plain
    assert text.isascii()
    assert " X Down 4 m 12 s" in text
    assert " # Maint. to 14:00" in text
    assert " ? Unknown" in text


def test_names_are_text_never_markup_or_control_codes() -> None:
    hostile = specimen(bare_row("[red]x[/red]"), bare_row(plain("a\x1b[2Jb\u202ec\nd")))
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(screen(hostile, width=100))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]x[/red]" in printed
    assert "a [2Jbc d" in printed


def test_the_plain_table_has_no_box_drawing_and_no_colour() -> None:
    text = plain_board(specimen())
    assert text.isascii()
    assert "Down 4 m 12 s    Tracking API    Acme       99.9 %  8 m 35 s     42 m 57 s  80.1 %   12:27:15" in text
    assert len(text.splitlines()) == 4 + len(specimen().rows)


def test_a_daemon_that_is_off_takes_line_one() -> None:
    stale = specimen(monitor=Monitor(seen_ms=NOW - 60_000, alive=False))
    assert screen(stale, width=100, height=30).plain.startswith("The daemon is off, last seen 12:17.")
    assert plain_board(stale).startswith("The daemon is off")


def test_an_empty_board_says_so() -> None:
    empty = make_board([], at_ms=NOW, tz="UTC", label="November 2026", monitor=Monitor(seen_ms=None, alive=False))
    text = screen(empty, width=100).plain
    assert text.startswith("The daemon has not run yet")
    assert "Nothing is watched yet." in text
