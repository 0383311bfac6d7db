"""Files of history as they come from elsewhere: CSV or JSON lines, plain or gzipped, one row on one line.

Lines are read one by one, so that a file of any length costs the same memory; the file's hash is taken on the way.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from config.problems import ConfigError, Problem, nearest

LONGEST_LINE = 2**20
_GZIP = b"\x1f\x8b"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row that is not taken. Prints as `checks.csv:14: at '2026-10-05 10:00' has no zone; write ...`."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The wanted cells of one row, in the order asked for; None where the row has no such cell or an empty one."""

    line: int
    values: Sequence[Any]


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed and counted as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.hash, self.count = file, hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self.hash.update(found)
        self.count += len(found)
        return len(found)


def sha256_of(path: Path) -> str:
    """The hash of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(slots=True)
class HistoryFile:
    """One file. `columns` are the names wanted, `called` what the file calls them where it does not do so.

    While `rows` goes on, `bytes_read` tells how far it is; afterwards `sha256` is of the bytes read, and `read_over`
    has the columns that nobody asked for.
    """

    path: Path
    columns: Sequence[str]
    required: Sequence[str]
    called: Mapping[str, str] = field(default_factory=dict)
    read_over: dict[str, None] = field(default_factory=dict)
    form: str = ""
    sha256: str = ""
    _raw: _Hashed | None = None

    @property
    def bytes_read(self) -> int:
        return 0 if self._raw is None else self._raw.count

    def rows(self) -> Iterator[Cells | Refusal]:
        """Each row or why it cannot be read. Raises ConfigError where the file as a whole is no such table."""
        with self.path.open("rb") as file:
            self._raw = _Hashed(file)
            yield from self._rows(io.BufferedReader(self._raw, _CHUNK))
            while self._raw.read(_CHUNK):  # what follows a gzip stream is part of the file too
                pass
            self.sha256 = self._raw.hash.hexdigest()

    def _rows(self, raw: io.BufferedReader) -> Iterator[Cells | Refusal]:
        zipped = raw.peek(2)[:2] == _GZIP
        lines = self._lines(gzip.GzipFile(fileobj=raw) if zipped else raw)
        first = next(((number, line) for number, line in lines if line.strip()), None)
        if first is None:
            raise self._refuse(None, "is empty; a file of history has a head row and rows, or one JSON object a line")
        number, line = first
        if line.lstrip().startswith("{"):
            self.form = "jsonl"
            yield self._json(number, line)
            yield from (self._json(number, line) for number, line in lines if line.strip())
            return
        self.form = "csv"
        yield from self._table(number, line, lines)

    def _lines(self, source: io.BufferedReader | gzip.GzipFile) -> Iterator[tuple[int, str]]:
        number = 0
        try:
            while line := source.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise self._refuse(number, "is longer than 1 MiB; this is no file of rows")
                if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                    line = line[3:]
                yield number, line.decode("utf-8", errors="surrogateescape")
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self._refuse(number + 1, "the gzip file is damaged or cut here; fetch it again") from None

    def _refuse(self, line: int | None, message: str) -> ConfigError:
        return ConfigError([Problem(str(self.path), line, "", message)])

    def _bad(self, line: int, message: str) -> Refusal:
        return Refusal(str(self.path), line, message)

    # -- JSON lines -----------------------------------------------------------------------------------------------

    def _json(self, number: int, line: str) -> Cells | Refusal:
        if (garbage := _garbage(line)) is not None:
            return self._bad(number, garbage)
        try:
            found = _DECODER.decode(line)
        except (ValueError, ArithmeticError, RecursionError) as error:
            if not line.endswith("\n"):
                return self._bad(number, "the file ends inside this row: it was cut; fetch it again")
            reason = str(error) if isinstance(error, _Refused) else "is no JSON"
            return self._bad(number, f'{reason}; write one object a line, e.g. {{"at": 1790000040000, ...}}')
        if not isinstance(found, dict):
            return self._bad(number, 'is no JSON object; write one a line, e.g. {"at": 1790000040000, ...}')
        wanted = [self.called.get(name, name) for name in self.columns]
        if len(self.read_over) < 50:
            self.read_over.update((key, None) for key in found if key not in wanted)
        return Cells(number, [None if found.get(name) == "" else found.get(name) for name in wanted])

    # -- CSV ------------------------------------------------------------------------------------------------------

    def _table(self, number: int, line: str, lines: Iterator[tuple[int, str]]) -> Iterator[Cells | Refusal]:
        head = self._head(number, line)
        places = [head.index(name) if name in head else None for name in self._names()]
        self.read_over.update((name, None) for name in head if name not in self._names())
        for number, line in lines:
            if not line.strip():
                continue
            cells = self._split(number, line, len(head))
            if isinstance(cells, Refusal):
                yield cells
            else:
                yield Cells(number, [None if place is None else cells[place].strip() or None for place in places])

    def _names(self) -> list[str]:
        return [self.called.get(name, name) for name in self.columns]

    def _head(self, number: int, line: str) -> list[str]:
        if (garbage := _garbage(line)) is not None:
            raise self._refuse(number, f"{garbage}; write CSV with a head row, or one JSON object a line")
        head = [name.strip() for name in next(csv.reader([line]))]
        if twice := next((name for name in head if head.count(name) > 1), None):
            raise self._refuse(number, f"the head row names {twice!r} twice")
        missing = [name for name in self.required if self.called.get(name, name) not in head]
        missing += [name for name, column in self.called.items() if column not in head and name not in missing]
        if missing:
            wanted = self.called.get(missing[0], missing[0])
            meant = nearest(wanted, head)
            hint = f"did you mean {meant!r}? Then --column {missing[0]}={meant}" if meant else _hint(head, missing[0])
            raise self._refuse(number, f"the head row has no column {wanted!r}; {hint}")
        return head

    def _split(self, number: int, line: str, width: int) -> list[str] | Refusal:
        if not line.endswith("\n"):
            return self._bad(
                number, "the last line has no end: the file may be cut here; fetch it again, or end the line"
            )
        if (garbage := _garbage(line)) is not None:
            return self._bad(number, garbage)
        if '"' not in line:
            cells = line.rstrip("\r\n").split(",")
        else:
            try:
                cells = next(csv.reader([line], strict=True))
            except csv.Error:
                return self._bad(number, "a quotation mark is not closed on its line; a row stands on one line")
        if len(cells) != width:
            return self._bad(number, f"has {len(cells)} cells where the head row has {width}")
        return cells


def _hint(head: Sequence[str], name: str) -> str:
    if len(head) == 1 and (";" in head[0] or "\t" in head[0]):
        return "cells are parted by commas here; save the file as CSV with commas"
    return f"it has {', '.join(head[:12])}; name the right one, e.g. --column {name}={head[0]}"


def _garbage(line: str) -> str | None:
    """What is wrong with the characters of a line; None for text."""
    if line.isascii():
        return "holds a NUL character; this is no text" if "\0" in line else None
    if any("\ud800" <= char <= "\udfff" for char in line):
        return "is no UTF-8 text; save the file as UTF-8"
    return None


class _Refused(ValueError):
    """JSON that Python would take and we do not."""


def _constant(name: str) -> None:
    raise _Refused(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise _Refused(f"names {twice!r} twice")
    return found


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_once)
