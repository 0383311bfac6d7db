"""`db check`: what can be wrong is found by its name, and a damaged file makes findings, never a traceback."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ledger_revisions import old_ledger
from ledger_scenes import MINUTE, T0, checks, new_ledger, watch, writing

from ledger.documents import store_document
from ledger.errors import LedgerError
from ledger.journal import PROGRAM, append
from ledger.opening import engine_for
from ledger.schema import CURRENT, REVISIONS
from ledger.soundness import RULES, check
from ledger.store import Ledger, open_ledger
from ledger.stored import triggers
from ledger.triggers import triggers_of

NOW = T0 + 60 * MINUTE


def lived(folder: Path) -> Ledger:
    """A ledger with an outage, its event, evidence, a journal and a document."""
    ledger = new_ledger(folder)
    with writing(ledger) as writer:
        watch(writer, checks("uuddduu"))
    with ledger.decide() as connection:
        for number in range(3):
            append(connection, at_ms=T0, actor=PROGRAM, action="config load", subject="config", body={"n": number})
        store_document(connection, b"%PDF", kind="x", subject="y", name="a.pdf", media_type="x/y", at_ms=T0)
    return ledger


def found(ledger: Ledger) -> dict[str, tuple[str, str]]:
    """Subject -> (state, what was found) of everything that is not good."""
    return {
        finding.subject: (finding.state, finding.found) for finding in check(ledger, at_ms=NOW) if finding.state != "ok"
    }


def test_a_ledger_that_the_program_wrote_is_sound(tmp_path: Path) -> None:
    with lived(tmp_path) as ledger:
        findings = check(ledger, at_ms=NOW)
        assert found(ledger) == {}
        assert {rule.subject for rule in RULES} < {finding.subject for finding in findings}
        assert len(findings) == len({finding.subject for finding in findings})


OUTAGE = """INSERT INTO "interval" (id, endpoint, location, kind, source, from_ms, to_ms)
VALUES ('O-{id}', 1, 1, 'down', '{source}', {start}, {end})"""


def outage(id: str, start: int, end: int | str, source: str = "live") -> str:
    """Minutes after T0; the ledger has an outage from 2 to 5."""
    last = end if isinstance(end, str) else T0 + end * MINUTE
    return OUTAGE.format(id=id, source=source, start=T0 + start * MINUTE, end=last)


@pytest.mark.parametrize(
    ("forgery", "subject", "state", "words"),
    [
        ([outage("1", 4, 8)], "outages", "bad", "O-1: overlap an earlier one of the same endpoint"),
        ([outage("1", 10, 20), outage("2", 11, 12), outage("3", 19, 30)], "outages", "bad", "O-2; O-3: overlap"),
        (["DROP INDEX interval_open", outage("1", 30, "NULL"), outage("2", 40, "NULL")], "outages", "bad", "O-2: over"),
        (["DROP INDEX interval_open", outage("1", 30, "NULL"), outage("2", 40, 41)], "outages", "bad", "O-2: overlap"),
        ([f"UPDATE coverage SET from_ms = {T0}"], "coverage", "bad", "overlap an earlier stretch"),
        (["UPDATE event SET outage = 'O-GONE'"], "events", "bad", "name an outage that is not there"),
        (["DELETE FROM raw_check"], "evidence", "bad", "have no check"),
        ([f'UPDATE "interval" SET to_ms = {NOW + 10 * MINUTE}'], "future", "warning", "lie in the future"),
    ],
)
def test_what_the_tables_cannot_refuse_is_found(
    tmp_path: Path, forgery: list[str], subject: str, state: str, words: str
) -> None:
    with lived(tmp_path) as ledger:
        with ledger.decide() as connection:
            if subject == "coverage":
                forgery = [
                    f"INSERT INTO coverage VALUES (99, 1, 1, 'live', {T0 - MINUTE}, {T0 + MINUTE}, 1)",
                    *forgery[1:],
                ]
            for sql in forgery:
                connection.exec_driver_sql(sql)
        state_found, said = found(ledger)[subject]
        assert state_found == state
        assert words in said


def test_outages_of_different_sources_may_overlap_and_those_that_touch_do_not(tmp_path: Path) -> None:
    with lived(tmp_path) as ledger:
        with ledger.decide() as connection:
            for sql in (outage("1", 3, 4, "imported"), outage("2", 5, 6), outage("3", 6, 7)):
                connection.exec_driver_sql(sql)
        assert found(ledger) == {}


@pytest.mark.parametrize(
    ("forgery", "subject", "words"),
    [
        (["UPDATE delivery SET event = 77"], "deliveries", "delivery 1: have no event"),
        (["DROP TRIGGER journal_body_is_only_erased", "UPDATE journal_body SET seq = 9 WHERE seq = 3"], "bodies", "9:"),
        (
            ["DROP TRIGGER document_is_not_updated", "UPDATE document SET content = x'00'"],
            "documents",
            "no longer what",
        ),
        (["DROP TRIGGER journal_is_not_updated", "UPDATE journal SET action = 'x' WHERE seq = 2"], "journal", "2"),
        (["PRAGMA ignore_check_constraints = ON", 'UPDATE "interval" SET to_ms = from_ms - 1'], "bounds", "end before"),
        (["PRAGMA foreign_keys = OFF", "UPDATE raw_check SET endpoint = 99"], "keys", "raw_check refers to a endpoint"),
        (["DROP TABLE acceptance"], "tables", "acceptance: missing"),
    ],
)
def test_what_the_tables_refuse_is_found_when_somebody_forced_it(
    tmp_path: Path, forgery: list[str], subject: str, words: str
) -> None:
    with lived(tmp_path) as ledger:
        raw = ledger.engine.raw_connection()
        raw.cursor().execute("PRAGMA foreign_keys = OFF")
        raw.cursor().execute("INSERT INTO delivery SELECT 1, MIN(number), 'ops', 'sent', 1, 0, 1, NULL FROM event")
        for sql in forgery:
            raw.cursor().execute(sql)
        raw.invalidate()  # type: ignore[no-untyped-call]
        state, said = found(ledger)[subject]
        assert state == "bad"
        assert words in said


def test_a_file_that_others_may_read_and_one_with_two_names_are_named(tmp_path: Path) -> None:
    with lived(tmp_path) as ledger:
        ledger.path.chmod(0o640)
        os.link(ledger.path, tmp_path / "nines.db.twin")
        assert found(ledger)["mode"] == ("warning", "others may read or write nines.db")
        assert found(ledger)["name"][0] == "bad"
        assert "nines.db.twin" in found(ledger)["name"][1]


@contextmanager
def of_revision(folder: Path, revision: str) -> Iterator[Ledger]:
    """As that revision left it, not migrated."""
    path = folder / "nines.db"
    if revision == CURRENT:
        lived(folder).close()
    else:
        old_ledger(path, revision)
    with closing(sqlite3.connect(path)) as raw:
        (id,) = raw.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()
    with Ledger(path, engine_for(path), id) as ledger:
        yield ledger


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_ledger_of_any_revision_is_examined_for_the_triggers_that_it_had(tmp_path: Path, revision: str) -> None:
    with of_revision(tmp_path, revision) as ledger:
        assert found(ledger) == {}
        with ledger.read() as connection:
            made = triggers(connection)
        assert {name: sql for name, (_, sql) in made.items()} == {sql.split()[2]: sql for sql in triggers_of(revision)}
        for name, (_, sql) in made.items():
            with ledger.decide() as connection:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            refuses = "the database itself does not refuse changes any more"
            assert found(ledger) == {"journal": ("bad", f"trigger {name} is missing: {refuses}")}
            with ledger.decide() as connection:
                connection.exec_driver_sql(sql)


def test_everything_is_read_beside_a_writer(tmp_path: Path) -> None:
    with lived(tmp_path) as ledger, writing(ledger, "boot-2") as writer:
        with ledger.decide():
            assert found(ledger) == {}
        watch(writer, checks("uu", from_ms=T0 + 10 * MINUTE))
        assert found(ledger) == {}


def test_steps_are_told(tmp_path: Path) -> None:
    told: set[str] = set()
    with lived(tmp_path) as ledger:
        check(ledger, at_ms=NOW, progress=lambda what, done, of: told.add(what))
    assert {"integrity", "keys", "outages", "documents", "journal"} <= told


def outcome(path: Path) -> str:
    """`sound`, `found` or `refused`; anything else is raised."""
    try:
        with open_ledger(path, at_ms=T0) as ledger:
            bad = [finding for finding in check(ledger, at_ms=NOW) if finding.state == "bad"]
    except LedgerError:
        return "refused"
    assert all(finding.found for finding in bad)
    return "found" if bad else "sound"


def damage(folder: Path, count: int) -> dict[str, int]:
    lived(folder).close()
    content = (folder / "nines.db").read_bytes()
    chance, path = random.Random(41), folder / "damaged.db"
    used = [place for place, byte in enumerate(content) if byte]
    seen = {"sound": 0, "found": 0, "refused": 0}
    for number in range(count):
        damaged = bytearray(content)
        if number % 8 == 7:
            del damaged[chance.randrange(1, len(damaged)) :]
        for _ in range(chance.choice((1, 8, 200))):
            place = chance.choice(used) if number % 2 else chance.randrange(2000)
            place %= len(damaged)
            damaged[place] ^= 1 << chance.randrange(8)
        for leftover in folder.glob("damaged.db*"):
            leftover.unlink()
        path.write_bytes(damaged)
        seen[outcome(path)] += 1
    return seen


def test_a_damaged_or_truncated_file_is_named_and_never_a_traceback(tmp_path: Path) -> None:
    seen = damage(tmp_path, 60)
    assert seen["found"] > 0
    assert seen["refused"] > 20


@pytest.mark.long
def test_thousands_of_damaged_files_are_named(tmp_path: Path) -> None:
    damage(tmp_path, 5_000)


def test_any_byte_of_a_document_is_guarded(tmp_path: Path) -> None:
    with lived(tmp_path) as ledger:
        path = ledger.path
    content = path.read_bytes()
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    copy.write_bytes(content.replace(b"%PDF", b"%PDE"))
    assert outcome(copy) == "found"
