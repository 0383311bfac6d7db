"""PNGs of what nines draws, in build/gallery: reports page by page, and the terminal board.

    python tools/gallery.py [FOLDER]

The reports are those of the sample month, and some under less usual terms. The PDFs are turned into pictures by
pdftoppm (Debian: poppler-utils). The board is drawn as the terminal shows it, in the middle of the sample month's
second outage.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import matplotlib
from fontTools.ttLib import TTFont
from gallery_terms import statements
from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from ledger.store import open_ledger
from nines.clock import now_ms
from nines.demo.month import write_month
from nines.demo.papers import make_papers
from nines.demo.story import ZONE, Month, last_full_month
from reporting.board import Board
from reporting.board_source import read_board
from reporting.report import render_report
from reporting.terminal import screen

DPI = 110  # as the pictures that the reports were drawn after
IN_THE_MIDDLE = (19, "14:10:40")  # the order login has been down for some minutes
PAGE, INK = (0x0F, 0x13, 0x17), (0xE7, 0xEB, 0xEE)  # page and text of the dark theme
SIZE, CELL_W, CELL_H, MARGIN = 17, 10, 22, 16
THEME = TerminalTheme(
    PAGE,
    INK,
    [(0, 0, 0), (205, 49, 49), (13, 188, 121), (229, 229, 16), (36, 114, 200), (188, 63, 188), (17, 168, 205), INK],
)


def main(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    month = last_full_month(now_ms())
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("whole", "half"):
            (Path(scratch) / name).mkdir()
        _reports(month, Path(scratch) / "whole", target)
        _terms(Path(scratch), target)
        board = _board(month, Path(scratch) / "half")
    draw(screen(board, width=100, height=30, age_s=0), target / "board-terminal.png", columns=100)
    draw(screen(board, width=80, height=30, age_s=0), target / "board-terminal-80.png", columns=80)
    draw(screen(board, width=100, ascii_only=True), target / "board-terminal-ascii.png", columns=100)
    for picture in sorted(target.glob("*.png")):
        sys.stdout.write(f"{picture}\n")


def _reports(month: Month, scratch: Path, target: Path) -> None:
    for pdf in make_papers(write_month(scratch, month), scratch).reports:
        _pictures(pdf, target)


def _terms(scratch: Path, target: Path) -> None:
    """Reports under less usual terms."""
    for name, statement in statements():
        pdf = scratch / f"terms-{name}.pdf"
        pdf.write_bytes(render_report(statement, sample=True))
        _pictures(pdf, target)


def _pictures(pdf: Path, target: Path) -> None:
    command = ["pdftoppm", "-r", str(DPI), "-png", str(pdf), str(target / pdf.stem)]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        sys.exit("the gallery needs pdftoppm; type: sudo apt-get install -y poppler-utils")


def _board(month: Month, scratch: Path) -> Board:
    at_ms = month.instant_ms(*IN_THE_MIDDLE)
    sample = write_month(scratch, month, until_ms=at_ms)
    with open_ledger(sample.database, at_ms=at_ms) as ledger:
        return read_board(ledger, now_ms=at_ms, tz=ZONE)


def draw(text: Text, path: Path, *, columns: int) -> None:
    """Write the text to a PNG, one terminal line per line, `columns` cells wide."""
    console = Console(width=columns, color_system="truecolor", force_terminal=True, legacy_windows=False)
    lines = console.render_lines(text, console.options.update(no_wrap=True, overflow="crop"), pad=False)
    size = (columns * CELL_W + 2 * MARGIN, len(lines) * CELL_H + 2 * MARGIN)
    image = Image.new("RGB", size, PAGE)
    pen = _Pen(ImageDraw.Draw(image))
    for number, line in enumerate(lines):
        pen.line(line, top=MARGIN + number * CELL_H)
    image.save(path)


class _Pen:
    def __init__(self, drawing: ImageDraw.ImageDraw) -> None:
        self._drawing = drawing
        mono = resources.files("reporting").joinpath("assets/fonts/JetBrainsMono-Regular.ttf")
        fallback = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf"
        self._fonts = [_Face(Path(str(mono))), _Face(fallback)]

    def line(self, segments: list[Segment], *, top: int) -> None:
        left = MARGIN
        for segment in segments:
            ink, paper = _colours(segment.style or Style.null())
            width = cell_len(segment.text) * CELL_W
            if paper != PAGE:
                self._drawing.rectangle((left, top, left + width - 1, top + CELL_H - 1), fill=paper)
            bold = bool(segment.style and segment.style.bold)
            for character in segment.text:
                self._character(character, left=left, top=top, ink=ink, bold=bold)
                left += cell_len(character) * CELL_W

    def _character(self, character: str, *, left: int, top: int, ink: tuple[int, int, int], bold: bool) -> None:
        face = next((face for face in self._fonts if character in face), self._fonts[-1])
        where = (left, top + CELL_H - 6)
        self._drawing.text(where, character, fill=ink, font=face.font, anchor="ls", stroke_width=0)
        if bold:  # the one bundled weight, drawn twice
            self._drawing.text((left + 1, where[1]), character, fill=ink, font=face.font, anchor="ls")


class _Face:
    def __init__(self, path: Path) -> None:
        self.font = ImageFont.truetype(str(path), SIZE)
        with TTFont(path) as table:
            self._known = frozenset(table.getBestCmap())

    def __contains__(self, character: str) -> bool:
        return ord(character) in self._known


def _colours(style: Style) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    ink = tuple(style.color.get_truecolor(THEME)) if style.color and not style.color.is_default else INK
    paper = tuple(style.bgcolor.get_truecolor(THEME)) if style.bgcolor and not style.bgcolor.is_default else PAGE
    if style.dim:
        ink = tuple((a + b) // 2 for a, b in zip(ink, PAGE, strict=True))
    return (paper, ink) if style.reverse else (ink, paper)  # type: ignore[return-value]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/gallery"))
