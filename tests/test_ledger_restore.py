"""Restores: verified before anything is replaced, put on record, and the old ledger or the new one whatever happens."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from killing import jobs, moments
from ledger_revisions import asked, data_of, old_ledger
from ledger_scenes import MINUTE, T0, checks, new_ledger, watch, writing

from ledger import journal
from ledger.backup import back_up
from ledger.errors import NewerDatabase, NoDatabase, NotADatabase
from ledger.lease import LeaseHeld, lease
from ledger.restore import BackupOfAnother, LedgerInUse, Restored, UnsoundBackup, restoring
from ledger.soundness import check
from ledger.store import Ledger, open_ledger

NOW = T0 + 60 * MINUTE
COUNT = "SELECT COUNT(*) FROM endpoint"


def decided(ledger: Ledger, *words: str) -> None:
    for word in words:
        with ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES (?)", (word,))
            journal.append(connection, at_ms=T0, actor=journal.PROGRAM, action="note", subject=word)


def backed_up(folder: Path) -> tuple[Path, Path]:
    """A ledger that went on for two decisions after its backup of one."""
    with new_ledger(folder) as ledger:
        decided(ledger, "first")
        backup = back_up(ledger, folder / "backup.db", at_ms=T0).path
        decided(ledger, "second", "third")
    return ledger.path, backup


def restore(backup: Path, path: Path, *, other_ledger: bool = False) -> Restored:
    with restoring(backup, path, at_ms=NOW, other_ledger=other_ledger) as plan:
        return plan.place(at_ms=NOW, login="operator")


def sound(path: Path) -> None:
    with open_ledger(path, at_ms=NOW) as ledger:
        assert [finding for finding in check(ledger, at_ms=NOW) if finding.state != "ok"] == []


def test_a_restore_brings_the_backup_keeps_the_old_and_is_on_record(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    before = data_of(path)
    heads = [asked(file, "SELECT seq || ' ' || hash FROM journal ORDER BY seq DESC LIMIT 1") for file in (path, backup)]
    done = restore(backup, path)
    assert asked(path, COUNT) == 1
    assert done.kept == tmp_path / "nines.db.replaced-20260921T151400Z"
    assert data_of(done.kept) == before
    with open_ledger(path, at_ms=NOW) as ledger, ledger.read() as connection:
        row = connection.exec_driver_sql("SELECT * FROM journal JOIN journal_body USING (seq) WHERE seq = 2").one()
        (person,) = connection.exec_driver_sql("SELECT id FROM person WHERE os_user = 'operator'").one()
    assert (row.action, row.subject, row.actor, row.at_ms) == ("restore", "ledger", person, NOW)
    for head, name in zip(heads, ("before", "after"), strict=True):
        seq, digest = head.split()
        assert f'"{name}":{{"hash":"{digest}","seq":{seq}}}' in row.body
    assert len(row.body.split('"sha256":"')[1].split('"')[0]) == 64
    sound(path)
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"nines.db", "nines.db.lock", "backup.db", done.kept.name}
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in left} == {0o600}


def test_a_restored_ledger_goes_on_with_its_own_log(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    restore(backup, path)
    with open_ledger(path, at_ms=NOW) as ledger:
        decided(ledger, "after")
        assert journal.verify(ledger).sound
        with ledger.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql(COUNT).scalar() == 2


def test_a_plan_says_what_would_happen_and_does_nothing_by_itself(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    before = data_of(path)
    with restoring(backup, path, at_ms=NOW) as plan:
        assert (plan.is_older, plan.shortens, plan.revision) == (False, True, "0003")
        assert plan.present.ledger_id == plan.ledger_id
        assert plan.staged.exists()
    assert data_of(path) == before
    assert {file.name for file in tmp_path.iterdir()} == {"nines.db", "nines.db.lock", "backup.db"}


def test_nothing_is_restored_below_a_daemon(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    with lease(path), pytest.raises(LeaseHeld, match=rf"another daemon \(process {os.getpid()}\) observes"):
        restore(backup, path)
    assert asked(path, COUNT) == 3


OPENER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("SELECT COUNT(*) FROM endpoint").fetchone()
print("open", flush=True)
sys.stdin.readline()
"""


def test_nothing_is_restored_while_another_process_has_the_ledger_open(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    command = [sys.executable, "-c", OPENER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(LedgerInUse, match="another process has the ledger open; end it"):
            restore(backup, path)
        child.communicate("\n")
    assert asked(path, COUNT) == 3
    restore(backup, path)
    sound(path)


WAITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
print("ready", flush=True)
sys.stdin.readline()
print("asking", flush=True)
print(connection.execute("SELECT COUNT(*) FROM endpoint").fetchone()[0], flush=True)
try:
    connection.execute("INSERT INTO endpoint (id) VALUES ('late')")
except sqlite3.OperationalError as error:
    print(error, flush=True)
"""


def test_one_who_waited_for_the_ledger_during_a_restore_cannot_write_into_the_old_one(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as holder,
        subprocess.Popen(
            [sys.executable, "-c", WAITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child,
    ):
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "asking\n"  # from here on it waits for the lock, its file open
        os.link(path, tmp_path / "old.db")
        os.replace(backup, path)
        holder.close()
        count, refusal = child.communicate()[0].splitlines()
    assert (count, refusal) == ("3", "attempt to write a readonly database")
    assert asked(path, COUNT) == 1
    sound(path)


def test_a_backup_of_another_ledger_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    path, _ = backed_up(tmp_path)
    other = old_ledger(tmp_path / "other.db", "0002")
    with pytest.raises(
        BackupOfAnother, match=rf"other\.db: this is a backup of ledger {'ab' * 16}, and .* --other-led"
    ):
        restore(other, path)
    assert asked(path, COUNT) == 3
    done = restore(other, path, other_ledger=True)
    assert done.kept is not None
    with open_ledger(path, at_ms=NOW, migrate=True) as ledger:
        assert ledger.id == "ab" * 16
    sound(path)


def test_a_backup_of_an_earlier_revision_is_restored_as_it_is_and_migrated_by_the_next_start(tmp_path: Path) -> None:
    backup = old_ledger(tmp_path / "backup.db", "0001")
    path = tmp_path / "nines.db"
    with restoring(backup, path, at_ms=NOW) as plan:
        assert plan.is_older
        assert plan.place(at_ms=NOW, login="operator").kept is None
    assert asked(path, "SELECT version_num FROM alembic_version") == "0001"
    open_ledger(path, at_ms=NOW, migrate=True).close()
    sound(path)


def test_what_is_no_sound_backup_replaces_nothing(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    before = data_of(path)
    content = backup.read_bytes()
    cases = {
        "no database": (b"version: 1\n", NotADatabase),
        "empty": (b"", NoDatabase),
        "half": (content[: len(content) // 2], Exception),
        "damaged": (content.replace(b"first", b"f\xffrst"), UnsoundBackup),
    }
    for name, (damaged, error) in cases.items():
        file = tmp_path / f"{name}.db"
        file.write_bytes(damaged)
        with pytest.raises(error) as raised:
            restore(file, path)
        assert name in str(raised.value)
        assert "\n" not in str(raised.value)
    with pytest.raises(NoDatabase):
        restore(tmp_path / "none.db", path)
    with closing(sqlite3.connect(backup)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '0999'")
        newer.commit()
    with pytest.raises(NewerDatabase):
        restore(backup, path)
    assert data_of(path) == before
    assert not list(tmp_path.glob("nines.db.re*"))


def test_a_damaged_ledger_is_replaced_and_its_log_goes_with_it(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    path.write_bytes(b"SQLite format 3\x00" + b"\x55" * 9000)
    (tmp_path / "nines.db-wal").write_bytes(b"what it did not fold in")
    (tmp_path / "nines.db-shm").write_bytes(b"index of that")
    with restoring(backup, path, at_ms=NOW) as plan:
        assert plan.present.damaged
        done = plan.place(at_ms=NOW, login="operator")
    sound(path)
    assert asked(path, COUNT) == 1
    assert done.kept is not None
    assert done.kept.read_bytes()[16:20] == b"UUUU"
    assert done.kept.with_name(f"{done.kept.name}-wal").read_bytes() == b"what it did not fold in"


def test_where_no_ledger_is_a_log_left_behind_is_moved_away(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    path.unlink()
    (tmp_path / "nines.db-wal").write_bytes(b"of a file that is gone")
    assert restore(backup, path).kept is None
    sound(path)
    assert (tmp_path / "nines.db.left-20260921T151400Z-wal").read_bytes() == b"of a file that is gone"


def test_a_ledger_is_restored_from_a_file_with_its_log_beside_it(tmp_path: Path) -> None:
    path, backup = backed_up(tmp_path)
    with open_ledger(backup, at_ms=T0) as ledger:
        decided(ledger, "only in the log")
        assert (tmp_path / "backup.db-wal").stat().st_size > 0
        restore(backup, path)
    assert asked(path, COUNT) == 2


def test_observations_restored_are_those_of_the_backup(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with writing(ledger) as writer:
            watch(writer, checks("uuddduu"))
        expected = data_of(back_up(ledger, tmp_path / "backup.db", at_ms=T0).path)
    restore(tmp_path / "backup.db", tmp_path / "nines.db")
    after = data_of(tmp_path / "nines.db")
    assert {name for name in after if after[name] != expected[name]} == {"journal", "journal_body", "person"}


KILLED = """
    def job(source, path):
        with restore.restoring(Path(source), Path(path), at_ms=1_790_003_640_000) as plan:
            plan.place(at_ms=1_790_003_640_000, login="operator")
"""


def kill_restores(folder: Path, count: int, filler: int) -> None:
    path, backup = backed_up(folder)
    for file in (path, backup):
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("INSERT INTO meta VALUES ('filler', ?)", ("x" * filler,))
            raw.commit()
    old = path.read_bytes()
    with jobs(KILLED) as restores:
        status, took_s = restores.run(backup, path)
        assert status == 0
        outcomes = set()
        for moment in moments(count, within_s=took_s):
            path.write_bytes(old)
            with open_ledger(path, at_ms=NOW) as ledger:
                decided(ledger, "fourth")
                kept_log = (folder / "nines.db-wal").read_bytes()
            (folder / "nines.db-wal").write_bytes(kept_log)  # as a daemon leaves it that was killed
            (folder / "nines.db-wal").chmod(0o600)
            restores.run(backup, path, kill_after_s=moment)
            sound_whichever(path)
            outcomes.add(asked(path, COUNT))
            assert restores.run(backup, path)[0] == 0  # what a kill left is in nobody's way
            assert asked(path, COUNT) == 1
            sound(path)
        assert outcomes <= {1, 4}
        assert 4 in outcomes


def sound_whichever(path: Path) -> None:
    with open_ledger(path, at_ms=NOW) as ledger:
        bad = [finding for finding in check(ledger, at_ms=NOW) if finding.state != "ok"]
    assert [finding for finding in bad if finding.subject != "name"] == []


def test_a_restore_killed_at_any_moment_leaves_the_old_ledger_or_the_new(tmp_path: Path) -> None:
    kill_restores(tmp_path, 8, 1_000_000)


@pytest.mark.long
def test_a_large_restore_killed_at_many_moments_leaves_the_old_ledger_or_the_new(tmp_path: Path) -> None:
    kill_restores(tmp_path, 40, 40_000_000)
