"""`nines person`: who is on record, what is held of them, and how they are forgotten."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from cli_rig import Nines, in_folder
from journal_scenes import add
from ledger_scenes import T0, new_ledger

from ledger.persons import os_user


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs one command in a folder with a ledger in which `ann` decided twice, once in a file of hers."""
    (tmp_path / "nines.yaml").write_text("version: 1\n")
    with new_ledger(tmp_path) as ledger:
        ann = os_user(ledger, "ann", at_ms=T0)
        add(ledger, 1, actor=ann, file="/home/ann/checks.csv")
        add(ledger, 2, actor=ann, file="checks.csv")
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there to answer
    return in_folder(tmp_path, monkeypatch, capsys)


def id_of(nines: Nines) -> str:
    return str(nines("person", "list", "--format", "json").data[0]["id"])


def test_persons_are_listed(nines: Nines) -> None:
    id = id_of(nines)
    assert nines("person", "list").out.splitlines()[1].split() == [id, "-", "ann", "2026-09-21T14:14:00.000Z", "2"]
    shown = nines("person", "show", "ann")
    assert shown.out.splitlines() == [
        f"{id}  -  login ann",
        "on record since 2026-09-21T14:14:00.000Z; 2 decisions, 0 exclusions",
        "named in journal_body 1: body",
    ]
    assert nines("person", "show", id, "--format", "json").data["records"] == 2
    unknown = nines("person", "show", "bob")
    assert (unknown.code, unknown.err) == (
        2,
        "nines: bob: no such person is on record; `nines person list` shows them\n",
    )


def test_everything_held_is_exported_to_a_file_of_its_owner(nines: Nines, tmp_path: Path) -> None:
    printed = nines("person", "export", "ann").data
    assert [row["body"] for row in printed["journal"]] == [{"file": "/home/ann/checks.csv"}, {"file": "checks.csv"}]
    said = nines("person", "export", "ann", "--out", "ann.json")
    assert (said.code, said.out) == (0, "ann.json: 2 records, 0 exclusions\n")
    assert (tmp_path / "ann.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "ann.json").read_text()) == printed
    again = nines("person", "export", "ann", "--out", "ann.json")
    assert (again.code, again.err) == (
        2,
        "Error: ann.json exists and stays as it is; remove it or name another file\n",
    )


def test_a_person_is_erased_after_a_question_and_only_once(nines: Nines) -> None:
    id = id_of(nines)
    asked = nines("person", "erase", "ann")
    assert asked.code == 130  # nobody there to say yes
    assert asked.err.splitlines()[0] == (f"{id}: name -, login ann; the bodies of journal records 1 name them and go")
    assert nines("person", "list", "--format", "json").data[0]["os_user"] == "ann"
    done = nines("person", "erase", "ann", "--yes")
    assert (done.code, done.out) == (
        0,
        f"{id} is erased, and with it the bodies of 1 records; record 4 says so\n",
    )
    again = nines("person", "erase", id, "--yes")
    assert again.code == 0
    assert again.out.startswith(f"{id} was erased before, 20")
    assert nines("person", "erase", id, "--yes", "--format", "json").data["already"] is True
    assert nines("person", "erase", "ann", "--yes").code == 2
    held = nines("person", "export", id).data
    assert (held["person"]["os_user"], [row["body"] for row in held["journal"]][:2]) == (
        None,
        [None, {"file": "checks.csv"}],
    )
    assert nines("journal", "verify").code == 0


def test_an_erasure_tells_programs_what_it_took_and_what_it_kept(nines: Nines) -> None:
    told = nines("person", "erase", "ann", "--yes", "--keep", "1", "--format", "json").data
    assert (told["bodies"], told["already"], told["still_named"]) == ([], False, [])
