"""Migrations: every released schema becomes this one with all that is in it, step by step, whatever interrupts them."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from killing import ROOT, jobs, moments
from ledger_revisions import ROWS, asked, data_of, old_ledger, schema_of
from ledger_scenes import T0, new_ledger

from ledger import journal, journal_check
from ledger.errors import NoRoom
from ledger.lease import LeaseHeld, lease
from ledger.migrating import ROOM
from ledger.phases import write_phases
from ledger.schema import CURRENT, REVISIONS, pending
from ledger.soundness import check
from ledger.store import OlderDatabase, open_ledger

OLD = REVISIONS[:-1]
VERSION = "SELECT version_num FROM alembic_version"


def sound(path: Path) -> None:
    with open_ledger(path, at_ms=T0) as ledger:
        assert [finding for finding in check(ledger, at_ms=T0 + 10**6) if finding.state != "ok"] == []


def test_every_released_schema_has_its_ledger_here() -> None:
    assert tuple(ROWS) == OLD
    assert pending("0001") == (("0001", "0002"), ("0002", "0003"))
    assert pending(CURRENT) == ()


@pytest.mark.parametrize("revision", OLD)
def test_a_migrated_ledger_is_one_as_new_with_every_row(tmp_path: Path, revision: str) -> None:
    path = old_ledger(tmp_path / "nines.db", revision)
    before = data_of(path)
    assert [table for table, rows in before.items() if not rows] == []
    open_ledger(path, at_ms=T0, migrate=True).close()
    with new_ledger(tmp_path, "new.db") as new:
        assert schema_of(path) == schema_of(new.path)
        assert asked(path, "PRAGMA auto_vacuum") == asked(new.path, "PRAGMA auto_vacuum") == 2
    after = data_of(path)
    for table in before.keys() - {"alembic_version", "raw_check", "life"}:
        assert after[table] == before[table]
    assert [{**row, "written": None} for row in before["life"]] == after["life"]
    apart = ("error", "phases", "detail")
    assert after["raw_check"] == sorted(
        ({name: value for name, value in row.items() if name not in apart} for row in before["raw_check"]), key=repr
    )
    key = ("endpoint", "location", "at_ms")
    seen = [row for row in before["raw_check"] if any(row[name] for name in apart)]
    told = [{name: row[name] for name in key + apart} for row in seen]
    for row in told:
        row["phases"] = row["phases"] and write_phases(json.loads(str(row["phases"])))  # the same in fewer bytes
    assert after["check_evidence"] == sorted(told, key=repr)
    sound(path)


def test_the_copy_before_a_migration_is_the_ledger_as_it_was_and_private(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0001")
    before = data_of(path)
    open_ledger(path, at_ms=T0, migrate=True).close()
    copy = tmp_path / f"nines.db.before-{CURRENT}"
    assert data_of(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / f"nines.db.before-{CURRENT}.partial").exists()


def test_half_a_copy_is_not_taken_for_one(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    before = data_of(path)
    copy = tmp_path / f"nines.db.before-{CURRENT}"
    copy.write_bytes(path.read_bytes()[:40_000])  # under its final name, as earlier versions left it
    (tmp_path / f"{copy.name}.partial").write_bytes(b"half")
    open_ledger(path, at_ms=T0, migrate=True).close()
    assert data_of(copy) == before


def test_the_copy_of_another_ledger_is_not_written_over(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    copy = tmp_path / f"nines.db.before-{CURRENT}"
    with new_ledger(tmp_path, copy.name) as other:
        other_id = other.id
    open_ledger(path, at_ms=T0, migrate=True).close()
    question = "SELECT value FROM meta WHERE key = 'ledger_id'"
    assert asked(copy.with_name(f"{copy.name}-of-{other_id[:8]}"), question) == other_id
    assert asked(copy, question) != other_id


DYING = """
    def job(path, moment):
        count = 0
        def progress(what, done, of):
            nonlocal count
            count += 1
            if count == int(moment):
                os.kill(os.getpid(), 9)
        store.open_ledger(path, at_ms=0, migrate=True, progress=progress).close()
"""


def test_a_migration_killed_at_any_of_its_steps_goes_on_from_there(tmp_path: Path) -> None:
    whole = old_ledger(tmp_path / "whole.db", "0001")
    before = data_of(whole)
    open_ledger(whole, at_ms=T0, migrate=True).close()
    killed = 0
    with jobs(DYING) as steps:
        path = old_ledger(tmp_path / "nines.db", "0001")
        while steps.run(path, 1 + killed)[0]:
            killed += 1
            assert asked(path, "PRAGMA integrity_check") == "ok"
            assert asked(path, VERSION) in REVISIONS
    assert killed > 3
    assert data_of(path) == data_of(whole)
    assert data_of(tmp_path / f"nines.db.before-{CURRENT}") == before
    sound(path)


KILLED = """
    def job(path):
        store.open_ledger(path, at_ms=0, migrate=True).close()
"""


def kill_migrations(folder: Path, count: int, more_checks: int) -> None:
    """Each from a fresh old ledger until it is killed; then the next try has to finish it."""
    original = old_ledger(folder / "original.db", "0002", more_checks=more_checks)
    content, expected = original.read_bytes(), asked(original, "SELECT COUNT(*) FROM raw_check")
    with jobs(KILLED) as migrations:
        path = folder / "0" / "nines.db"
        path.parent.mkdir()
        path.write_bytes(content)
        status, took_s = migrations.run(path)
        assert status == 0
        for number, moment in enumerate(moments(count, within_s=took_s), 1):
            path = folder / str(number) / "nines.db"
            path.parent.mkdir()
            path.write_bytes(content)
            path.chmod(0o600)
            migrations.run(path, kill_after_s=moment)
            assert asked(path, VERSION) in REVISIONS
            assert asked(path, "SELECT COUNT(*) FROM raw_check") == expected
            open_ledger(path, at_ms=T0, migrate=True).close()
            assert asked(path, "SELECT COUNT(*) FROM raw_check") == expected
            assert asked(path, "PRAGMA auto_vacuum") == 2
            assert asked(path.with_name(f"nines.db.before-{CURRENT}"), VERSION) == "0002"
            sound(path)


def test_a_migration_killed_at_any_moment_leaves_a_sound_ledger(tmp_path: Path) -> None:
    kill_migrations(tmp_path, 8, 20_000)


@pytest.mark.long
def test_a_large_migration_killed_at_many_moments_leaves_a_sound_ledger(tmp_path: Path) -> None:
    kill_migrations(tmp_path, 40, 400_000)


def test_of_two_who_migrate_at_once_one_waits_and_finds_it_done(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0001", more_checks=20_000)
    code = """if True:
        import sys
        from ledger.store import open_ledger
        sys.stdin.readline()
        print(open_ledger(sys.argv[1], at_ms=0, migrate=True).id)
    """
    command = [sys.executable, "-c", code, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    two = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for one in two:
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in two]
    assert said == [(f"{'ab' * 16}\n", "")] * 2
    sound(path)


def test_nothing_is_migrated_below_a_daemon(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    before = data_of(path)
    with lease(path), pytest.raises(LeaseHeld, match=rf"another daemon \(process {os.getpid()}\) observes"):
        open_ledger(path, at_ms=T0, migrate=True)
    assert data_of(path) == before
    assert not (tmp_path / f"nines.db.before-{CURRENT}").exists()


def test_a_file_that_was_migrated_but_not_written_anew_is_so_at_the_next_migration(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    open_ledger(path, at_ms=T0, migrate=True).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA auto_vacuum = NONE")
        raw.execute("VACUUM")
    before = data_of(path)
    with lease(path), open_ledger(path, at_ms=T0, migrate=True):  # `nines config apply` beside a daemon: not now
        assert asked(path, "PRAGMA auto_vacuum") == 0
    open_ledger(path, at_ms=T0, migrate=True).close()
    assert asked(path, "PRAGMA auto_vacuum") == 2
    assert data_of(path) == before


def test_a_migration_without_room_for_it_touches_nothing(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    before = data_of(path)
    size = path.stat().st_size
    try:
        os.truncate(path, 4 << 40)  # pages beyond those of its header are nothing to SQLite, and no disk is so large
    except OSError:
        pytest.skip("the file system has no sparse files of 4 TiB")
    with pytest.raises(NoRoom, match=r"migrating .* needs 16777216 MiB, \d+ MiB are free; nothing was touched"):
        open_ledger(path, at_ms=T0, migrate=True)
    os.truncate(path, size)
    assert data_of(path) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["nines.db", "nines.db.lock"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A folder on a disk of its own of so many bytes."""
    folder = tmp_path / "disk"

    def mounted(size: int) -> Path:
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("a small disk is mounted by root alone")
        return folder

    yield mounted
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_migration_with_just_the_room_that_it_asks_for_goes_through(
    tmp_path: Path, disk: Callable[[int], Path]
) -> None:
    old = old_ledger(tmp_path / "old.db", "0001", more_checks=300_000)
    beside = 4 * 2**20 + 2**17  # what every copy leaves free, and the lock file
    path = Path(shutil.copy(old, disk((1 + ROOM) * old.stat().st_size + beside) / "nines.db"))
    open_ledger(path, at_ms=T0, migrate=True).close()
    assert asked(path, VERSION) == CURRENT
    assert not path.with_name("nines.db-wal").exists()


def test_an_older_ledger_is_refused_without_being_migrated_and_the_chain_goes_on_after_it(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0001")
    with pytest.raises(OlderDatabase):
        open_ledger(path, at_ms=T0)
    with open_ledger(path, at_ms=T0, migrate=True) as ledger:
        with ledger.decide() as connection:
            journal.append(connection, at_ms=T0, actor=journal.PROGRAM, action="note", subject="ledger")
        assert journal_check.verify(ledger).sound


def test_everything_beside_a_ledger_is_private(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    with open_ledger(path, at_ms=T0, migrate=True) as ledger, ledger.decide():
        beside = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert beside.keys() == {f"nines.db{end}" for end in ("", "-wal", "-shm", ".lock", f".before-{CURRENT}")}
    assert set(beside.values()) == {0o600}
