"""Opening a ledger: made privately, migrated like new, and one clear line where it cannot be had."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from ledger_revisions import schema_of
from ledger_scenes import T0, checks, new_ledger, watch, writing
from sqlmodel import SQLModel, create_engine

from ledger import schema, tables
from ledger.changes import Changes
from ledger.store import (
    DamagedDatabase,
    DatabaseLocked,
    DatabaseReadOnly,
    DiskFull,
    Ledger,
    LedgerError,
    NewerDatabase,
    NoDatabase,
    NoFolder,
    NotADatabase,
    OlderDatabase,
    UnknownDatabaseUrl,
    open_ledger,
)

ROOT = Path(__file__).resolve().parent.parent


def in_a_child(code: str, *arguments: object, user: int | None = None) -> subprocess.Popen[str]:
    """A process of its own, at the repository's root, with a pipe to each side."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=user,
    )


def test_a_migrated_schema_is_the_schema_as_new(tmp_path: Path) -> None:
    open_ledger(tmp_path / "migrated.db", at_ms=T0, create=True).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    assert schema_of(tmp_path / "migrated.db") == schema_of(tmp_path / "new.db")


def test_alembic_finds_nothing_left_to_migrate(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = reversed(list(ScriptDirectory.from_config(config).walk_revisions()))
    assert tuple(script.revision for script in scripts) == schema.REVISIONS


def test_a_new_ledger_is_private_and_keeps_its_id(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "nines.db", at_ms=T0, create=True) as made:
        assert (tmp_path / "nines.db").stat().st_mode & 0o777 == 0o600
        assert len(made.id) == 32
    with open_ledger(f"sqlite:///{tmp_path / 'nines.db'}", at_ms=T0) as again:
        assert again.id == made.id
        assert again.url == f"sqlite:///{tmp_path / 'nines.db'}"


def test_creating_one_that_exists_opens_it(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, open_ledger(ledger.path, at_ms=T0, create=True) as again:
        assert again.id == ledger.id


def test_connections_keep_wal_full_sync_keys_and_triggers(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, ledger.read() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 2, 1, 1, 5000]


def says(error: pytest.ExceptionInfo[LedgerError]) -> str:
    line = str(error.value)
    assert "\n" not in line
    return line


def test_a_missing_ledger_names_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(NoDatabase) as error:
        open_ledger(tmp_path / "nines.db", at_ms=T0)
    assert says(error) == (
        f"{tmp_path}/nines.db: there is no ledger here; `nines config apply` or `nines run` makes it, "
        "--db names another one"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoFolder, match=f"{tmp_path}/none: the folder does not exist; make it"):
        open_ledger(tmp_path / "none" / "nines.db", at_ms=T0, create=True)


@pytest.mark.parametrize("content", [b"version: 1\nendpoints: {}\n", b"SQLite format 3\x00" + b"\x55" * 4096])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nines.yaml"
    path.write_bytes(content)
    with pytest.raises(NotADatabase, match=f"{path}: this file is no nines ledger; name the right one with --db"):
        open_ledger(path, at_ms=T0, migrate=True)
    assert path.read_bytes() == content


def test_an_empty_file_is_no_ledger_yet(tmp_path: Path) -> None:
    path = tmp_path / "nines.db"
    path.touch()
    with pytest.raises(NoDatabase):
        open_ledger(path, at_ms=T0)
    open_ledger(path, at_ms=T0, create=True).close()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(NotADatabase):
        open_ledger(tmp_path, at_ms=T0, create=True)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(NotADatabase):
        open_ledger(path, at_ms=T0, create=True, migrate=True)
    assert path.read_bytes() == before


def set_revision(ledger: Ledger, revision: str) -> None:
    with ledger.decide() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))


def test_a_ledger_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        set_revision(ledger, "0999")
    with pytest.raises(NewerDatabase, match=r"nines\.db: this ledger was written by a newer version of nines; install"):
        open_ledger(tmp_path / "nines.db", at_ms=T0, create=True, migrate=True)


def test_an_older_ledger_asks_for_its_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_ledger(tmp_path) as ledger:
        set_revision(ledger, "0000")
    monkeypatch.setattr("ledger.migrating.REVISIONS", ("0000", *schema.REVISIONS))
    with pytest.raises(OlderDatabase, match="run `nines db migrate`"):
        open_ledger(tmp_path / "nines.db", at_ms=T0)


def test_a_migration_that_fails_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_ledger(tmp_path) as ledger:
        set_revision(ledger, "0000")
    for place in ("ledger.migrating.REVISIONS", "ledger.schema.REVISIONS"):
        monkeypatch.setattr(place, ("0000", *schema.REVISIONS))
    before = schema_of(tmp_path / "nines.db")

    def fails(connection: object, to: str) -> None:
        connection.exec_driver_sql("CREATE TABLE half_done (at_ms INTEGER)")  # type: ignore[attr-defined]
        raise RuntimeError("power cut")

    monkeypatch.setattr("ledger.migrating.upgrade", fails)
    with pytest.raises(RuntimeError, match="power cut"):
        open_ledger(tmp_path / "nines.db", at_ms=T0, migrate=True)
    assert schema_of(tmp_path / "nines.db") == before
    copy = tmp_path / f"nines.db.before-{schema.CURRENT}"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert schema_of(copy) == before


def test_a_damaged_ledger_says_what_to_do(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        path = ledger.path
        with ledger.read() as connection:
            size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    content = bytearray(path.read_bytes())
    content[size : 40 * size] = b"\xa5" * (39 * size)
    path.write_bytes(content)
    with pytest.raises(DamagedDatabase, match="this ledger is damaged; stop the daemon, keep a copy of the file"):
        open_ledger(path, at_ms=T0)


def test_a_full_disk_is_named_and_the_decision_is_undone(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with ledger.read() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # this connection of the pool: as full as it is now
        with pytest.raises(DiskFull, match="no space is left for the ledger"), ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('a', ?)", ("x" * 10**6,))
        with ledger.read() as connection:
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM meta WHERE key = 'a'").scalar() == 0


@pytest.mark.parametrize("url", ["postgresql://nines:hunter2@127.0.0.1/nines", "sqlite://", "mysql://x"])
def test_another_kind_of_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UnknownDatabaseUrl) as error:
        open_ledger(url, at_ms=T0)
    assert "hunter2" not in says(error)
    assert "give a path or sqlite:///path" in says(error)


LOCKER = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("PRAGMA locking_mode = " + sys.argv[2])
    connection.execute("BEGIN EXCLUSIVE")
    print("locked", flush=True)
    sys.stdin.readline()
"""


def test_a_ledger_held_by_another_process_is_named_after_a_bounded_time(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        path = ledger.path
    child = in_a_child(LOCKER, path, "EXCLUSIVE")
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        began = time.monotonic()
        with pytest.raises(DatabaseLocked, match=r"nines\.db: another program holds the ledger locked; try again"):
            open_ledger(path, at_ms=T0, busy_timeout_ms=300)
        assert 0.2 < time.monotonic() - began < 5
    finally:
        child.communicate("\n", timeout=10)


def test_readers_read_while_another_process_holds_the_write_lock(tmp_path: Path) -> None:
    path = new_ledger(tmp_path).path
    child = in_a_child(LOCKER, path, "NORMAL")
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        with open_ledger(path, at_ms=T0, busy_timeout_ms=200) as ledger:
            with ledger.read() as connection:
                assert connection.exec_driver_sql("SELECT COUNT(*) FROM raw_check").scalar() == 0
            with pytest.raises(DatabaseLocked), ledger.decide():
                pass
    finally:
        child.communicate("\n", timeout=10)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user to be refused as")
def test_a_user_who_may_not_write_can_read_and_is_told_so_when_deciding(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as made:
        made.path.chmod(0o644)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    code = """
        import os, sys
        from ledger.store import LedgerError, open_ledger
        import ledger.schema, sqlalchemy.dialects.sqlite
        os.setuid(65534)
        with open_ledger(sys.argv[1], at_ms=0) as ledger:
            with ledger.read() as connection:
                print(connection.exec_driver_sql("SELECT COUNT(*) FROM raw_check").scalar())
            try:
                with ledger.decide() as connection:
                    connection.exec_driver_sql("DELETE FROM raw_check")
            except LedgerError as error:
                print(type(error).__name__, error)
    """
    with open_ledger(made.path, at_ms=T0):  # while it is open the files beside the database are there
        answer, _ = in_a_child(code, made.path).communicate(timeout=20)
    assert answer.splitlines()[0] == "0"
    assert answer.splitlines()[1].startswith(f"DatabaseReadOnly {made.path}: the ledger or its folder may not be")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user to be refused as")
def test_a_user_who_may_not_even_read_is_told_so(tmp_path: Path) -> None:
    path = new_ledger(tmp_path).path
    code = """
        import os, sys
        from ledger.store import LedgerError, open_ledger
        os.setuid(65534)
        try:
            open_ledger(sys.argv[1], at_ms=0)
        except LedgerError as error:
            print(type(error).__name__)
    """
    answer, _ = in_a_child(code, path).communicate(timeout=20)
    assert answer == f"{DatabaseReadOnly.__name__}\n"


def test_a_snapshot_does_not_move_while_the_writer_commits(tmp_path: Path) -> None:
    count = "SELECT COUNT(*) FROM raw_check"
    with new_ledger(tmp_path) as ledger, writing(ledger) as writer:
        watch(writer, checks("uuu"))
        with ledger.read() as connection:
            assert connection.exec_driver_sql(count).scalar() == 3
            watch(writer, checks("uu", from_ms=T0 + 10**6))
            assert connection.exec_driver_sql(count).scalar() == 3
        with ledger.read() as connection:
            assert connection.exec_driver_sql(count).scalar() == 5


def test_a_decision_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with pytest.raises(ZeroDivisionError), ledger.decide() as connection:
            assert connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES ('api')").rowcount // 0
        with ledger.read() as connection:
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM endpoint").scalar() == 0


def test_two_who_create_at_once_share_one_ledger(tmp_path: Path) -> None:
    code = """
        import sys
        from ledger.store import open_ledger
        sys.stdin.readline()
        print(open_ledger(sys.argv[1], at_ms=0, create=True, busy_timeout_ms=20000).id)
    """
    children = [in_a_child(code, tmp_path / "nines.db") for _ in range(2)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    answers = {child.communicate(timeout=30)[0] for child in children}
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 32


def test_times_are_whole_milliseconds_or_nothing(tmp_path: Path) -> None:
    with (
        new_ledger(tmp_path) as ledger,
        pytest.raises(Exception, match="cannot store REAL value in INTEGER column"),
        ledger.decide() as connection,
    ):
        connection.exec_driver_sql("INSERT INTO event (id, kind, at_ms, body) VALUES ('E', 'x', 1.5, '{}')")


def test_no_table_holds_a_float_or_a_date() -> None:
    kinds = {column.type.compile() for table in SQLModel.metadata.tables.values() for column in table.columns}
    assert tables.Meta.metadata is SQLModel.metadata
    assert kinds == {"INTEGER", "TEXT", "BIGINT", "BLOB"}  # BLOB: days rolled up, and documents byte for byte


def test_commits_of_another_process_are_noticed(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, open_ledger(ledger.path, at_ms=T0) as other:
        changes = Changes(ledger)
        assert not changes.seen()
        with other.decide() as connection:
            connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES ('api')")
        assert changes.seen()
        assert not changes.seen()
        changes.close()


def test_threads_read_and_decide_side_by_side(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    failures: list[BaseException] = []

    def add(name: str) -> None:
        try:
            for number in range(20):
                with ledger.decide() as connection:
                    connection.exec_driver_sql("INSERT INTO endpoint (id) VALUES (?)", (f"{name}-{number}",))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=add, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM endpoint").scalar() == 60
    assert failures == []
