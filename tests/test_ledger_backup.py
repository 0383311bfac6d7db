"""Backups beside a writer: of one instant, whole or not there, private, and never over something else."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from killing import jobs, moments
from ledger_revisions import asked, data_of, old_ledger
from ledger_scenes import MINUTE, T0, checks, new_ledger, watch, writing

from ledger.backup import Backup, BackupExists, BackupIsTheLedger, back_up, last_backup_ms, note_backup
from ledger.copying import CopyUnderWay
from ledger.errors import LedgerError, NoFolder, NoRoom
from ledger.soundness import check
from ledger.store import Ledger, open_ledger

DAY = 86_400_000


def test_a_backup_is_a_sound_private_ledger_with_the_same_rows_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with new_ledger(tmp_path) as ledger:
        with writing(ledger) as writer:
            watch(writer, checks("uuddduu"))
        made = back_up(ledger, tmp_path / "b" / "copy.db", at_ms=T0)
        assert data_of(made.path) == data_of(ledger.path)
        assert (made.ledger_id, made.size) == (ledger.id, made.path.stat().st_size)
    assert made.path.stat().st_mode & 0o777 == 0o600
    with open_ledger(made.path, at_ms=T0) as copy:
        assert copy.id == made.ledger_id
        assert {finding.state for finding in check(copy, at_ms=T0 + 60 * MINUTE)} == {"ok"}
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["copy.db"]


def test_a_backup_holds_one_instant_while_somebody_writes_into_it(tmp_path: Path) -> None:
    """Two tables are always written together: a copy of two instants would have more rows in one of them."""
    stop = threading.Event()
    with new_ledger(tmp_path) as ledger:
        wrote = threading.Thread(target=write_pairs, args=(ledger, stop))
        wrote.start()
        try:
            for number in range(5):
                made = back_up(ledger, tmp_path / f"{number}.db", at_ms=T0)
                pairs = (
                    asked(made.path, "SELECT COUNT(*) FROM endpoint"),
                    asked(made.path, "SELECT COUNT(*) FROM source"),
                )
                assert pairs[0] == pairs[1]
        finally:
            stop.set()
            wrote.join()


def write_pairs(ledger: Ledger, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        with ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES (?)", (f"{number} {'x' * 2000}",))
            connection.exec_driver_sql("INSERT INTO source (id, kind) VALUES (?, 'checks')", (str(number),))


def test_the_writer_never_makes_a_backup_start_again(tmp_path: Path) -> None:
    done: list[int] = []
    with new_ledger(tmp_path) as ledger, open_ledger(ledger.path, at_ms=T0) as other:
        with ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('filler', ?)", ("x" * 5_000_000,))

        def progress(what: str, copied: int, of: int) -> None:
            if what == "copying":
                done.append(copied)
                with other.decide() as connection:
                    connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES (?)", (str(len(done)),))

        back_up(ledger, tmp_path / "copy.db", at_ms=T0, progress=progress)
        assert len(done) > 3
        assert done == sorted(set(done))
        assert asked(tmp_path / "copy.db", "SELECT COUNT(*) FROM endpoint") == 0


def test_a_backup_does_not_replace_a_file_unless_told_to(tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with new_ledger(tmp_path) as ledger:
        with pytest.raises(BackupExists, match=r"copy\.db: is there already; .* or replace it with --force"):
            back_up(ledger, target, at_ms=T0)
        assert target.read_text() == "precious"
        back_up(ledger, target, at_ms=T0, force=True)
        assert data_of(target) == data_of(ledger.path)


@pytest.mark.parametrize("name", ["nines.db", "nines.db-wal", "nines.db-shm", "nines.db.lock", "link.db", "twin.db"])
def test_a_backup_never_goes_over_the_ledger_itself(tmp_path: Path, name: str) -> None:
    with new_ledger(tmp_path) as ledger:
        (tmp_path / "link.db").symlink_to(ledger.path)
        os.link(ledger.path, tmp_path / "twin.db")
        before = data_of(ledger.path)
        with pytest.raises(BackupIsTheLedger, match="is the ledger itself"):
            back_up(ledger, tmp_path / name, at_ms=T0, force=True)
        assert data_of(ledger.path) == before


def test_a_missing_folder_is_named_and_none_is_made(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, pytest.raises(NoFolder, match="none: the folder does not exist; make it"):
        back_up(ledger, tmp_path / "none" / "copy.db", at_ms=T0)
    assert not (tmp_path / "none").exists()


def test_in_a_folder_the_newest_of_this_ledger_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "nines-00000000-20260101T000000Z.db").write_text("of another ledger")
    with new_ledger(tmp_path) as ledger:
        mine = f"nines-{ledger.id[:8]}"
        (folder / f"{mine}-before-upgrade.db").write_text("named by hand")
        made = [back_up(ledger, folder, at_ms=T0 + day * DAY, keep=2) for day in range(4)]
    assert [[path.name for path in one.removed] for one in made] == [
        *([], []), [made[0].path.name], [made[1].path.name]
    ]  # fmt: skip
    assert made[0].path.name == f"{mine}-20260921T141400Z.db"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["nines-00000000-20260101T000000Z.db", f"{mine}-before-upgrade.db", made[2].path.name, made[3].path.name]
    )


def test_two_backups_to_one_file_do_not_mix(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, ExitStack() as stack:
        other = stack.enter_context(open_ledger(ledger.path, at_ms=T0))
        refused: list[LedgerError] = []

        def progress(what: str, done: int, of: int) -> None:
            if not refused:
                with pytest.raises(CopyUnderWay) as error:
                    back_up(other, tmp_path / "copy.db", at_ms=T0)
                refused.append(error.value)

        back_up(ledger, tmp_path / "copy.db", at_ms=T0, progress=progress)
        assert "wait for it" in str(refused[0])
        assert data_of(tmp_path / "copy.db") == data_of(ledger.path)


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def fails(what: str, done: int, of: int) -> None:
        raise RuntimeError("power cut")

    with new_ledger(tmp_path) as ledger:
        with pytest.raises(RuntimeError, match="power cut"):
            back_up(ledger, tmp_path / "copy.db", at_ms=T0, progress=fails)
        assert [path.name for path in tmp_path.glob("copy*")] == []


@pytest.mark.skipif(not Path("/dev/full").exists() or os.getuid() != 0, reason="only root can mount a small disk")
def test_a_disk_too_small_is_named_with_both_figures(tmp_path: Path) -> None:
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with new_ledger(tmp_path) as ledger:
            with pytest.raises(NoRoom, match=r"small: a copy of the ledger needs \d+ MiB, 1 MiB are free; nothing was"):
                back_up(ledger, small, at_ms=T0)
            assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_last_backup_is_on_record_once_it_was_noted(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        assert last_backup_ms(ledger) is None
        note_backup(ledger, T0)
        note_backup(ledger, T0 + 1)
        assert last_backup_ms(ledger) == T0 + 1


def test_backups_are_what_they_say(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "nines.db", "0002")
    with open_ledger(path, at_ms=T0, migrate=True) as ledger:
        made = back_up(ledger, tmp_path / "copy.db", at_ms=T0)
    assert isinstance(made, Backup)
    assert (made.revision, made.rows) == ("0003", sum(len(rows) for rows in data_of(path).values()))


KILLED = """
    def job(path, target):
        with store.open_ledger(path, at_ms=0) as ledger:
            backup.back_up(ledger, Path(target), at_ms=0, force=True)
"""


def kill_backups(folder: Path, count: int, filler: int) -> None:
    """At a target that holds a backup already: it is the old one or the new one, always whole."""
    with new_ledger(folder) as ledger, jobs(KILLED) as backups:
        target = folder / "copy.db"
        with ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('filler', ?)", ("x" * filler,))
        status, took_s = backups.run(ledger.path, target)
        assert status == 0
        for number, moment in enumerate(moments(count, within_s=took_s), 1):
            with ledger.decide() as connection:
                connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES (?)", (str(number),))
            before = asked(target, "SELECT COUNT(*) FROM endpoint")
            backups.run(ledger.path, target, kill_after_s=moment)
            assert asked(target, "PRAGMA integrity_check") == "ok"
            assert asked(target, "SELECT COUNT(*) FROM endpoint") in (before, number)
            assert {finding.state for finding in check(ledger, at_ms=T0)} == {"ok"}
        assert backups.run(ledger.path, target)[0] == 0  # what a kill left is in nobody's way
        assert asked(target, "SELECT COUNT(*) FROM endpoint") == count
        assert not target.with_name("copy.db.partial").exists()


def test_a_backup_killed_at_any_moment_leaves_the_one_before_or_itself(tmp_path: Path) -> None:
    kill_backups(tmp_path, 8, 3_000_000)


@pytest.mark.long
def test_a_large_backup_killed_at_many_moments_leaves_the_one_before_or_itself(tmp_path: Path) -> None:
    kill_backups(tmp_path, 40, 60_000_000)
