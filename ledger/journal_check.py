"""Whether the journal is what was written: the chain, its bodies and their erasures, the triggers that guard it, and
anchors held outside.

Without an anchor this finds accidents and clumsy hands. Who owns the database can recompute the whole chain; that is
found by an anchor alone, and only up to the record that it names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.anchors import Anchor
from ledger.errors import DamagedDatabase
from ledger.journal import BODY_ERASED, HASHED, record_text
from ledger.progress import Progress, silent
from ledger.query import all_rows, run, scalar
from ledger.store import Ledger
from ledger.stored import bytes_kept, bytes_of, tree_faults, triggers
from ledger.triggers import TRIGGERS, triggers_of

Row: TypeAlias = Mapping[Any, Any]

TELL_EVERY = 1_000
_WHOLE_NUMBERS = ("v", "seq", "at_ms")
_MAY_BE_NULL = ("subject_id", "prev")
_ROWS = f"""SELECT j.{", j.".join(HASHED)}, j.hash, b.seq AS body_seq, b.body, b.erased_ms, b.erased_reason
FROM journal AS j LEFT JOIN journal_body AS b ON b.seq = j.seq ORDER BY j.seq"""
_STRAY = "SELECT seq FROM journal_body WHERE seq NOT IN (SELECT seq FROM journal) ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Proven:
    """The last record that an anchor vouches for; with it stand all before it."""

    seq: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Verification:
    """`problems` in the order of the chain, one line each; empty: no accident found. `anchors`: how many were held
    against the chain; `proven`: up to where they prove it.
    """

    records: int
    problems: tuple[str, ...]
    anchors: int = 0
    proven: Proven | None = None

    @property
    def sound(self) -> bool:
        return not self.problems


def verify(ledger: Ledger, *, anchors: Iterable[Anchor] = (), progress: Progress = silent) -> Verification:
    """Walk the chain once, row by row: sequence, links, hashes, bodies, erasures; then triggers, pages and anchors.

    Raises LedgerError where the database cannot be read.
    """
    walk = _Walk(ledger.id, tuple(anchors))
    try:
        with ledger.read() as connection, bytes_kept(connection):
            of = int(scalar(connection, "SELECT COUNT(*) FROM journal")) if progress is not silent else 0
            for row in run(connection, _ROWS).mappings():
                walk.take(row)
                if walk.records % TELL_EVERY == 0:
                    progress("journal", walk.records, of)
            strays = [f"journal body {row.seq} belongs to no record" for row in all_rows(connection, _STRAY)]
            guards = list(_unguarded(connection))
            pages = _damaged_pages(connection)
    except DBAPIError as error:
        raise DamagedDatabase(str(ledger.path)) from error
    lines = (*walk.lines(), *strays, *guards, *pages, *walk.anchor_lines())
    return Verification(walk.records, tuple(map(_printable, lines)), len(walk.anchors), walk.proven)


def _printable(line: str) -> str:
    """Bytes that are no text, which a terminal could not be given, as `\\udc80`."""
    return line.encode("utf-8", "backslashreplace").decode()


def _unguarded(connection: Connection) -> Iterator[str]:
    """Triggers of the ledger's revision that are missing or differ, and others on the tables that may not change."""
    found = triggers(connection)
    revision = str(scalar(connection, "SELECT version_num FROM alembic_version"))
    wanted = {sql.split()[2]: sql for sql in triggers_of(revision)}
    guarded = {sql.split(" ON ")[1].split()[0] for sql in TRIGGERS}
    for name, sql in wanted.items():
        if name not in found:
            yield f"trigger {name} is missing: the database itself does not refuse changes any more"
        elif found[name][1] != sql:
            yield f"trigger {name} was changed: the database itself does not refuse changes any more"
    for name in sorted(found.keys() - wanted.keys()):
        if found[name][0] in guarded:
            yield f"trigger {name} on {found[name][0]} is none of this program's"


def _damaged_pages(connection: Connection) -> list[str]:
    tables = ("journal", "journal_body")
    return [f"table {table}: {fault}" for table in tables for fault in tree_faults(connection, table)]


@dataclass
class _Walk:
    """What is known of the chain so far. `erased`: bodies that are gone and that no later record told of yet."""

    ledger_id: str
    anchors: tuple[Anchor, ...]
    records: int = 0
    proven: Proven | None = None
    _seq: int = 0
    _prev: Any = None
    _faults: list[tuple[int, str]] = field(default_factory=list)
    _erased: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    _against: list[str] = field(default_factory=list)
    _by_seq: dict[int, list[Anchor]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for anchor in self.anchors:
            if anchor.ledger_id != self.ledger_id:
                self._against.append(f"{_said(anchor)}: it is of ledger {anchor.ledger_id}, not of {self.ledger_id}")
            else:
                self._by_seq.setdefault(anchor.seq, []).append(anchor)

    def take(self, row: Row) -> None:
        """The next row of the chain."""
        seq = row["seq"]
        faults = [*self._chain_faults(row), *self._body_faults(row), *self._erasure_faults(row)]
        self._faults += [(seq, fault) for fault in faults]
        self.records += 1
        self._seq, self._prev = seq, row["hash"]
        for anchor in self._by_seq.pop(seq, ()):
            self._hold(anchor, row)

    def _hold(self, anchor: Anchor, row: Row) -> None:
        if anchor.hash != row["hash"]:
            self._against.append(f"{_said(anchor)}: record {anchor.seq} has another hash now, the chain was rewritten")
        elif not self._faults:
            self.proven = Proven(anchor.seq, row["at_ms"])

    def _chain_faults(self, row: Row) -> Iterator[str]:
        if row["seq"] != self._seq + 1:
            yield _gap(self._seq + 1, row["seq"])
        if row["prev"] != self._prev:
            yield "it does not follow the record before it"
        if row["ledger_id"] != self.ledger_id:
            yield f"it belongs to ledger {row['ledger_id']}"
        if not _is_well_typed(row) or _sha256(record_text(row)) != row["hash"]:
            yield "it was changed after it was written"

    def _body_faults(self, row: Row) -> Iterator[str]:
        body, erased = row["body"], (row["erased_ms"], row["erased_reason"])
        if body is None and None in erased:
            yield "its body is gone without an erasure on record"
        elif body is None:
            self._erased[row["seq"]] = erased
        elif not isinstance(body, str) or _sha256(body) != row["body_sha256"]:
            yield "its body was changed after it was written"
        if body is not None and erased != (None, None):
            yield "its body is there and said to be erased"

    def _erasure_faults(self, row: Row) -> Iterator[str]:
        """A record of an erasure and the row that was erased say the same."""
        told = _erasure(row)
        if told is None:
            return
        seq, erased_ms, reason = told
        found = self._erased.pop(seq, None) if isinstance(seq, int) else None
        if found is None:
            yield f"it tells that the body of record {seq} was erased, which is not so"
        elif found != (erased_ms, reason) or erased_ms != row["at_ms"]:
            self._faults.append((seq, f"its erasure has another date or reason than record {row['seq']} gives it"))

    def lines(self) -> tuple[str, ...]:
        """What is wrong with the records, in their order."""
        silent = [(seq, "its body is gone without an erasure on record") for seq in self._erased]
        ordered = sorted(self._faults + silent, key=lambda fault: fault[0])
        return tuple(f"journal record {seq}: {what}" for seq, what in ordered)

    def anchor_lines(self) -> tuple[str, ...]:
        """What the anchors say against the chain."""
        left = [anchor for anchors in self._by_seq.values() for anchor in anchors]
        return (*self._against, *(f"{_said(anchor)}: {self._absent(anchor)}" for anchor in left))

    def _absent(self, anchor: Anchor) -> str:
        if anchor.seq > self._seq:
            return f"the chain ends at record {self._seq} and once reached record {anchor.seq}: it was cut off"
        return f"record {anchor.seq} is missing"


def _said(anchor: Anchor) -> str:
    return f"anchor of record {anchor.seq} (line {anchor.line})"


def _gap(first: int, found: int) -> str:
    if found < first:
        return "it stands out of order"
    return (
        f"record {first} is missing before it"
        if found == first + 1
        else f"{found - first} records are missing before it"
    )


def _is_well_typed(row: Row) -> bool:
    """The hash is of JSON: only what is of its column's type can have been hashed."""
    numbers = all(type(row[name]) is int for name in _WHOLE_NUMBERS)
    texts = (
        row[name] for name in HASHED if name not in _WHOLE_NUMBERS and not (name in _MAY_BE_NULL and row[name] is None)
    )
    return numbers and all(isinstance(value, str) for value in texts)


def _erasure(row: Row) -> tuple[Any, Any, Any] | None:
    """(seq, erased_ms, reason) of a record that tells of one; None for any other record."""
    if row["action"] != BODY_ERASED:
        return None
    try:
        told = json.loads(row["body"])
        return told["seq"], told["erased_ms"], told["reason"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return (row["subject_id"], None, None)  # its body is not what was written, which is a fault of its own


def _sha256(text: str) -> str:
    return hashlib.sha256(bytes_of(text)).hexdigest()
