"""Where the ledger's texts hold somebody's name: bodies of the journal, and what people wrote into other tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.journal import said
from ledger.query import run

# table -> (what its rows are told by, the texts in it that people write or that name files of theirs)
_TEXTS = {
    "exclusion": ("id", ("clause", "text", "reason", "evidence")),
    "interval": ("id", ("cause", "text")),
    "window": ("id", ("title",)),
    "imported_outage": ("from_ms", ("cause", "text", "note")),
    "history_import": ("id", ("file", "options")),
    "definition": ("id", ("body",)),
}
JOURNAL = "journal_body"


@dataclass(frozen=True, slots=True)
class Naming:
    """One text that holds the name: its table, what the row is told by there, and the column."""

    table: str
    id: str
    column: str


def naming(connection: Connection, words: Sequence[str]) -> Iterator[Naming]:
    """Every text that holds one of the words as a whole, in any case. Nothing for no words."""
    if not words:
        return
    wanted = _pattern(words)
    for seq in bodies_naming(connection, words):
        yield Naming(JOURNAL, str(seq), "body")
    for table, (told_by, columns) in _TEXTS.items():
        query = f'SELECT {told_by} AS told_by, {", ".join(columns)} FROM "{table}" ORDER BY 1'
        for row in run(connection, query).mappings():
            yield from (
                Naming(table, str(row["told_by"]), column)
                for column in columns
                if row[column] is not None and wanted.search(_folded(row[column]))
            )


def bodies_naming(connection: Connection, words: Sequence[str]) -> tuple[int, ...]:
    """The records of the journal whose bodies hold one of the words, ascending."""
    if not words:
        return ()
    wanted = _pattern(words)
    rows = run(connection, "SELECT seq, body FROM journal_body WHERE body IS NOT NULL ORDER BY seq")
    return tuple(row.seq for row in rows if any(wanted.search(_folded(text)) for text in _texts(said(row.body))))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words: somebody called `ann` is not named by `annual`."""
    return re.compile("|".join(rf"(?<!\w){re.escape(_folded(word))}(?!\w)" for word in words))


def _folded(text: str) -> str:
    """Case, width, composed letters and the length of gaps do not tell names apart."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _texts(value: Any) -> Iterator[str]:
    """Every text in a body, keys included."""
    rest = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            rest += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            rest += part
