"""Tampering with the journal: whatever was done, verification finds it, or says what it cannot prove."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_scenes import add, chain, erased, raw, rechain, unguarded
from ledger_scenes import T0, new_ledger

from ledger.anchors import Anchor
from ledger.errors import LedgerError
from ledger.journal import PROGRAM, Head, head
from ledger.journal_check import Proven, verify
from ledger.store import Ledger, open_ledger

LENGTH = 6  # records of a chain; 4 was erased, which record 7 tells of


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


@cache
def template() -> Path:
    """A chain with an erased body, closed and checkpointed; copied, for each write of it waits for the disk."""
    folder = Path(mkdtemp(prefix="nines-chain-"))
    with new_ledger(folder) as ledger:
        chain(ledger, LENGTH)
        erased(ledger, 4)
    return folder / "nines.db"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return Path(shutil.copy(template(), tmp_path / "written.db"))


def problems(path: Path, *anchors: Anchor) -> tuple[str, ...]:
    with open_ledger(path, at_ms=T0) as ledger:
        return verify(ledger, anchors=anchors).problems


def anchor(at: Head, line: int = 1) -> Anchor:
    return Anchor(at.ledger_id, at.seq, at.hash, line)


CHANGED = "it was changed after it was written"
UNLINKED = "it does not follow the record before it"
GONE = "its body is gone without an erasure on record"
BODY = "its body was changed after it was written"
OTHERS = "v, ledger_id, at_ms, actor, actor_kind, action, subject, subject_id, body_sha256, prev"
SWAP = """UPDATE journal SET seq = -1 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3;
UPDATE journal SET seq = 3 WHERE seq = -1"""
AGAIN = "UPDATE journal SET seq = 8 WHERE seq = 2; UPDATE journal_body SET seq = 8 WHERE seq = 2"

TAMPERED: dict[str, tuple[str, list[str]]] = {
    "nothing": ("SELECT 1", []),
    "version": ("UPDATE journal SET v = 2 WHERE seq = 2", [f"2: {CHANGED}"]),
    "actor": ("UPDATE journal SET actor = 'P-OTHER' WHERE seq = 2", [f"2: {CHANGED}"]),
    "action": ("UPDATE journal SET action = 'Import' WHERE seq = 2", [f"2: {CHANGED}"]),
    "time": ("UPDATE journal SET at_ms = at_ms - 1 WHERE seq = 2", [f"2: {CHANGED}"]),
    "null for text": ("UPDATE journal SET subject_id = NULL WHERE seq = 2", [f"2: {CHANGED}"]),
    "empty for null": ("UPDATE journal SET subject_id = '' WHERE seq = 3", [f"3: {CHANGED}"]),
    "hash": ("UPDATE journal SET hash = 'f00d' WHERE seq = 2", [f"2: {CHANGED}", f"3: {UNLINKED}"]),
    "link": ("UPDATE journal SET prev = NULL WHERE seq = 2", [f"2: {UNLINKED}", f"2: {CHANGED}"]),
    "a record removed": (
        "DELETE FROM journal WHERE seq = 2; DELETE FROM journal_body WHERE seq = 2",
        ["3: record 2 is missing before it", f"3: {UNLINKED}"],
    ),
    "two records removed": (
        "DELETE FROM journal WHERE seq IN (2, 3); DELETE FROM journal_body WHERE seq IN (2, 3)",
        ["4: 2 records are missing before it", f"4: {UNLINKED}"],
    ),
    "the first removed": (
        "DELETE FROM journal WHERE seq = 1; DELETE FROM journal_body WHERE seq = 1",
        ["2: record 1 is missing before it", f"2: {UNLINKED}"],
    ),
    "two swapped": (
        SWAP,
        [
            f"2: {UNLINKED}",
            f"2: {CHANGED}",
            f"2: {BODY}",
            f"3: {UNLINKED}",
            f"3: {CHANGED}",
            f"3: {BODY}",
            f"4: {UNLINKED}",
        ],
    ),
    "one taken out and put in again": (
        AGAIN,
        ["3: record 2 is missing before it", f"3: {UNLINKED}", f"8: {UNLINKED}", f"8: {CHANGED}"],
    ),
    "one put in twice": (
        f"INSERT INTO journal SELECT 8, {OTHERS}, hash || ' ' FROM journal WHERE seq = 2; "
        "INSERT INTO journal_body SELECT 8, body, NULL, NULL FROM journal_body WHERE seq = 2",
        [f"8: {UNLINKED}", f"8: {CHANGED}"],
    ),
    "a body": ("UPDATE journal_body SET body = '7' WHERE seq = 2", [f"2: {BODY}"]),
    "a body removed": ("DELETE FROM journal_body WHERE seq = 2", [f"2: {GONE}"]),
    "a body emptied": ("UPDATE journal_body SET body = NULL WHERE seq = 2", [f"2: {GONE}"]),
    "a body erased in silence": (
        "UPDATE journal_body SET body = NULL, erased_ms = 1, erased_reason = 'asked' WHERE seq = 2",
        [f"2: {GONE}"],
    ),
    "a body said to be erased": (
        "UPDATE journal_body SET erased_reason = '' WHERE seq = 2",
        ["2: its body is there and said to be erased"],
    ),
    "the date of an erasure": (
        "UPDATE journal_body SET erased_ms = erased_ms + 1 WHERE seq = 4",
        ["4: its erasure has another date or reason than record 7 gives it"],
    ),
    "the reason of an erasure": (
        "UPDATE journal_body SET erased_reason = 'other' WHERE seq = 4",
        ["4: its erasure has another date or reason than record 7 gives it"],
    ),
    "an erased body back": (
        "UPDATE journal_body SET body = '{}', erased_ms = NULL, erased_reason = NULL WHERE seq = 4",
        [f"4: {BODY}", "7: it tells that the body of record 4 was erased, which is not so"],
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_the_owner_does_with_the_triggers_dropped_is_found(written: Path, what: str) -> None:
    statements, found = TAMPERED[what]
    with unguarded(written) as connection:
        connection.executescript(statements)
    said = problems(written)
    assert said == tuple(f"journal record {line}" for line in found)


def test_a_body_without_a_record_is_found(written: Path) -> None:
    with raw(written) as connection:
        connection.execute("INSERT INTO journal_body (seq, body) VALUES (99, '{}')")
    assert problems(written) == ("journal body 99 belongs to no record",)


def test_a_record_that_was_appended_past_the_program_is_found(written: Path) -> None:
    with raw(written) as connection:
        connection.execute(
            "INSERT INTO journal SELECT 8, v, ledger_id, at_ms, actor, actor_kind, 'import', subject, subject_id, "
            "body_sha256, hash, 'made up' FROM journal WHERE seq = 7"
        )
    assert problems(written) == (f"journal record 8: {CHANGED}", f"journal record 8: {GONE}")


def test_a_missing_changed_or_foreign_trigger_is_found(written: Path) -> None:
    with raw(written) as connection:
        connection.execute("DROP TRIGGER journal_is_not_updated")
        connection.execute("DROP TRIGGER journal_is_not_deleted")
        connection.execute("CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal BEGIN SELECT 1; END")
        connection.execute("CREATE TRIGGER quiet AFTER INSERT ON journal BEGIN SELECT 1; END")
    assert problems(written) == (
        "trigger journal_is_not_updated is missing: the database itself does not refuse changes any more",
        "trigger journal_is_not_deleted was changed: the database itself does not refuse changes any more",
        "trigger quiet on journal is none of this program's",
    )


def test_a_journal_of_another_ledger_is_found(ledger: Ledger) -> None:
    add(ledger)
    with ledger.decide() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = 'f00d' WHERE key = 'ledger_id'")
    assert verify(Ledger(ledger.path, ledger.engine, "f00d")).problems == (
        f"journal record 1: it belongs to ledger {ledger.id}",
    )


# -- anchors ----------------------------------------------------------------------------------------------------------


def test_anchors_that_hold_prove_the_chain_up_to_the_last_of_them(ledger: Ledger) -> None:
    heads = chain(ledger, 5)
    found = verify(ledger, anchors=[anchor(heads[3]), anchor(heads[1])])
    assert (found.records, found.problems, found.anchors) == (5, (), 2)
    assert found.proven == Proven(4, T0 + 4)


def test_without_an_anchor_nothing_is_proven(ledger: Ledger) -> None:
    chain(ledger, 2)
    assert (verify(ledger).sound, verify(ledger).proven) == (True, None)


def test_a_tail_that_was_cut_is_found_by_an_anchor_alone(ledger: Ledger) -> None:
    heads = chain(ledger, 5)
    with unguarded(ledger.path) as connection:
        connection.executescript("DELETE FROM journal_body WHERE seq > 3; DELETE FROM journal WHERE seq > 3")
    assert verify(ledger).problems == ()
    found = verify(ledger, anchors=[anchor(heads[1]), anchor(heads[4], line=7)])
    assert found.problems == (
        "anchor of record 5 (line 7): the chain ends at record 3 and once reached record 5: it was cut off",
    )
    assert found.proven == Proven(2, T0 + 2)


@pytest.mark.parametrize(
    ("forgery", "first"),
    [
        ("UPDATE journal SET actor = 'P-FORGER' WHERE seq = 2", 2),
        ("UPDATE journal_body SET body = '{\"n\":0}' WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq = 2; DELETE FROM journal_body WHERE seq = 2", 2),
    ],
)
def test_a_chain_that_was_recomputed_whole_is_found_by_an_anchor_alone(
    ledger: Ledger, forgery: str, first: int
) -> None:
    heads = chain(ledger, 6)
    with unguarded(ledger.path) as connection:
        connection.executescript(forgery)
        rechain(connection)
    assert verify(ledger).problems == ()
    for place, at in enumerate(heads[:5], 1):
        found = verify(ledger, anchors=[anchor(at)])
        if place < first:
            assert (found.problems, found.proven) == ((), Proven(place, T0 + place))
        else:
            assert found.problems == (
                f"anchor of record {place} (line 1): record {place} has another hash now, the chain was rewritten",
            )


def test_an_anchor_of_another_ledger_is_told_from_a_broken_chain(ledger: Ledger) -> None:
    (at,) = chain(ledger, 1)
    assert verify(ledger, anchors=[Anchor("f00d", 1, at.hash, 3)]).problems == (
        f"anchor of record 1 (line 3): it is of ledger f00d, not of {ledger.id}",
    )


def test_an_anchor_of_a_record_that_was_taken_out_says_so(ledger: Ledger) -> None:
    heads = chain(ledger, 3)
    with unguarded(ledger.path) as connection:
        connection.executescript("DELETE FROM journal_body WHERE seq = 2; DELETE FROM journal WHERE seq = 2")
    found = verify(ledger, anchors=[anchor(heads[1]), anchor(heads[2])])
    assert found.problems[-1] == "anchor of record 2 (line 1): record 2 is missing"
    assert found.proven is None  # the hash of record 3 is right, and yet what is before it is not all there


# -- whatever may be done ---------------------------------------------------------------------------------------------

COLUMNS = {
    "journal": (
        "v",
        "ledger_id",
        "at_ms",
        "actor",
        "actor_kind",
        "action",
        "subject",
        "subject_id",
        "body_sha256",
        "prev",
        "hash",
    ),
    "journal_body": ("seq", "body", "erased_ms", "erased_reason"),
}
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3, 9),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "ignore").decode()),
    st.sampled_from(["", "0", "1", "{}", "null", "nines", "import", "body erased", "asked for"]),
)


def content(path: Path) -> list[Any]:
    """Every value of both tables with its type, byte for byte; or one line: why they cannot be read."""
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    try:
        return [
            connection.execute(f"SELECT seq, {', '.join(names)} FROM {table} NOT INDEXED ORDER BY rowid").fetchall()
            for table, names in COLUMNS.items()
        ]
    except sqlite3.Error as error:
        return [str(error)]
    finally:
        connection.close()


def on_a_copy(change: Callable[[Path], None]) -> tuple[bool, bool]:
    """(whether the content changed, whether verification calls it sound); LedgerError is a way to say no."""
    copy = template().with_name("copy.db")
    for leftover in copy.parent.glob("copy.db*"):
        leftover.unlink()
    shutil.copy(template(), copy)
    change(copy)
    try:
        sound = problems(copy) == ()
    except LedgerError:
        sound = False
    return content(copy) != content(template()), sound


@given(
    place=st.sampled_from([(table, name) for table, names in COLUMNS.items() for name in names]),
    seq=st.integers(1, LENGTH + 1),
    value=VALUES,
)
def test_any_value_of_any_row_that_changes_is_found(place: tuple[str, str], seq: int, value: Any) -> None:
    table, column = place

    def change(path: Path) -> None:
        with unguarded(path) as connection:
            try:
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE seq = ?", (value, seq))
            except sqlite3.IntegrityError:
                return  # of a type that the table does not take

    changed, sound = on_a_copy(change)
    assert sound != changed


def pages_of_the_journal(path: Path) -> list[int]:
    """The pages, from 1, of both tables and their indexes."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT pageno FROM dbstat WHERE name LIKE '%journal%' ORDER BY 1").fetchall()
    except sqlite3.OperationalError:  # built without dbstat: the roots are the whole of so small a chain
        rows = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name LIKE 'journal%' AND rootpage > 0"
        ).fetchall()
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    return [(row[0] - 1) * size + byte for row in rows for byte in range(size)]


@pytest.mark.parametrize("seed", range(3))
def test_any_byte_of_the_journal_s_pages_that_flips_is_found_or_means_nothing(seed: int) -> None:
    dice = random.Random(seed)
    whole = template().read_bytes()
    used = [place for place in pages_of_the_journal(template()) if whole[place] or dice.random() < 0.02]
    outcomes = []
    for place in dice.sample(used, 60):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << dice.randrange(8)

        def change(path: Path, content: bytes = bytes(flipped)) -> None:
            path.write_bytes(content)

        changed, sound = on_a_copy(change)
        outcomes.append((changed, sound))
        assert not (changed and sound), f"byte {place}"
    assert outcomes.count((True, False)) > 30


def test_verification_goes_row_by_row_and_says_how_far_it_is(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.journal_check.TELL_EVERY", 2)
    chain(ledger, 5)
    told: list[tuple[str, int, int]] = []
    assert verify(ledger, progress=lambda *where: told.append(where)).sound
    assert told == [("journal", 2, 5), ("journal", 4, 5)]


def test_the_head_is_what_an_anchor_of_the_newest_record_says(ledger: Ledger) -> None:
    heads = chain(ledger, 2)
    assert head(ledger) == heads[-1]
    assert PROGRAM.kind == "program"
