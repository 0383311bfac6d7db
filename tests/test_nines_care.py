"""`nines db ...` and what `nines doctor` says of the ledger: the words, the exit codes, and the daemon beside it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli_rig import Nines, in_folder
from ledger_revisions import asked, old_ledger
from ledger_scenes import new_ledger

from ledger.lease import lease


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Commands in a folder with a ledger."""
    new_ledger(tmp_path).close()
    (tmp_path / "nines.yaml").write_text("version: 1\nendpoints: {}\n")
    return in_folder(tmp_path, monkeypatch, capsys)


def test_check_says_each_thing_and_is_0_for_a_sound_ledger(nines: Nines) -> None:
    said = nines("db", "check")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("ok       database    every page, row and index is whole\n")
    assert {row["state"] for row in nines("db", "check", "--format", "json").data} == {"ok"}


def test_check_is_0_with_a_warning_and_says_what_to_do(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.db").chmod(0o644)
    said = nines("db", "check")
    assert said.code == 0
    assert "warning  mode        others may read or write nines.db" in said.out
    assert "do: chmod 600 " in said.out


def test_check_is_1_for_bad_news_and_2_where_there_is_no_ledger(nines: Nines, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "nines.db")) as raw, raw:
        raw.execute("INSERT INTO event (id, kind, at_ms, outage, body) VALUES ('E-1', 'opened', 0, 'O-GONE', '{}')")
    said = nines("db", "check", "--format", "json")
    assert said.code == 1
    (bad,) = [row for row in said.data if row["state"] == "bad"]
    assert (bad["subject"], bad["found"]) == ("events", "E-1: name an outage that is not there")
    (tmp_path / "nines.db").write_bytes(b"SQLite format 3\x00" + b"\x55" * 5000)
    said = nines("db", "check")
    assert said.code == 1
    assert said.out.startswith("bad      database")
    assert nines("--db", "none.db", "db", "check").code == 2


def test_backup_into_a_folder_names_it_keeps_some_and_doctor_knows(nines: Nines, tmp_path: Path) -> None:
    before = {row["subject"]: row["state"] for row in nines("doctor", "--format", "json").data}
    assert (before["backup"], before["mode"], before["place"], before["room"]) == ("warning", "ok", "ok", "ok")
    (tmp_path / "b").mkdir()
    said = nines("db", "backup", "b", "--keep", "1")
    assert said.code == 0
    assert said.out.endswith("; verified\n")
    (made,) = (tmp_path / "b").iterdir()
    assert nines("--db", str(made), "db", "check").code == 0
    after = {row["subject"]: (row["state"], row["found"]) for row in nines("doctor", "--format", "json").data}
    assert after["backup"] == ("ok", "the last one was made 0 days ago")


def test_backup_refuses_what_it_would_destroy(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    assert nines("db", "backup", "other").code == 2
    assert (tmp_path / "other").read_text() == "precious"
    assert nines("db", "backup", "other", "--force").code == 0
    refused = nines("db", "backup", "nines.db", "--force")
    assert (refused.code, "is the ledger itself" in refused.err) == (2, True)
    assert nines("db", "backup", "new.db", "--keep", "2").code == 2
    assert not (tmp_path / "new.db").exists()


def test_restore_asks_first_and_says_what_it_did(nines: Nines, tmp_path: Path) -> None:
    nines("config", "apply")
    nines("db", "backup", "b.db")
    (tmp_path / "nines.yaml").write_text('version: 1\nendpoints:\n  shop: {url: "http://127.0.0.1:9/"}\n')
    nines("config", "apply")
    refused = nines("db", "restore", "b.db")
    assert (refused.code, "--yes does it without asking" in refused.err) == (2, True)
    assert not list(tmp_path.glob("*.replaced-*"))
    done = nines("db", "restore", "b.db", "--yes")
    assert done.code == 0
    assert "`nines journal verify --anchor` will tell so" in done.out
    (kept,) = tmp_path.glob("nines.db.replaced-*")
    assert f"{kept}: the ledger as it was" in done.out
    assert nines("journal", "verify").code == 0
    assert nines("--db", str(kept), "db", "check").code == 0


def test_restore_is_refused_while_a_daemon_observes_and_for_another_ledger(nines: Nines, tmp_path: Path) -> None:
    nines("db", "backup", "b.db")
    with lease(tmp_path / "nines.db"):
        refused = nines("db", "restore", "b.db", "--yes")
    assert (refused.code, "another daemon" in refused.err) == (2, True)
    old_ledger(tmp_path / "other.db", "0002")
    refused = nines("db", "restore", "other.db", "--yes")
    assert (refused.code, "--other-ledger takes it all the same" in refused.err) == (2, True)
    done = nines("db", "restore", "other.db", "--yes", "--other-ledger")
    assert done.code == 0
    assert "the next `nines run` or `nines db migrate` brings it to this version" in done.out
    assert nines("db", "migrate").code == 0
    assert nines("db", "check").code == 0


def test_migrate_brings_an_older_ledger_here_and_is_nothing_to_a_new_one(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.db").unlink()
    old_ledger(tmp_path / "nines.db", "0001")
    assert nines("status").code == 2
    for _ in range(2):
        said = nines("db", "migrate")
        assert (said.code, said.out) == (0, f"nines.db: ledger {'ab' * 16} is of this version\n")
    assert asked(tmp_path / "nines.db.before-0003", "SELECT version_num FROM alembic_version") == "0001"


def test_a_start_of_the_daemon_and_migrate_take_the_same_way(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.db").unlink()
    old_ledger(tmp_path / "nines.db", "0002")
    shutil.copy(tmp_path / "nines.db", tmp_path / "as-it-was.db")
    assert nines("config", "apply").code == 0  # what `nines run` does at its start
    assert (tmp_path / "nines.db.before-0003").exists()
    assert asked(tmp_path / "nines.db", "PRAGMA auto_vacuum") == 2
