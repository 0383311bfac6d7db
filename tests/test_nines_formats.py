"""What docs/formats.md says about the journal, anchors and persons is what the commands print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_rig import Nines, in_folder
from journal_scenes import add, chain
from ledger_scenes import T0, new_ledger

from ledger.persons import os_user
from ledger.query import run

DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "formats.md").read_text()
EXCLUSION = """INSERT INTO exclusion (id, subject_kind, subject, from_ms, to_ms, category, clause, text, reason,
evidence, proposed_by, proposed_ms)
VALUES ('X-1', 'endpoint', 'api', 1, 2, 'client', '4.2', 'Agreed.', 'why', 'mail', :ann, 3)"""


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs one command in a folder with a ledger in which `ann` decided, is named, and proposed an exclusion."""
    (tmp_path / "nines.yaml").write_text("version: 1\n")
    with new_ledger(tmp_path) as ledger:
        chain(ledger, 2)
        ann = os_user(ledger, "ann", at_ms=T0)
        add(ledger, 3, actor=ann, file="/home/ann/checks.csv")
        with ledger.decide() as connection:
            run(connection, EXCLUSION, ann=ann.id)
    return in_folder(tmp_path, monkeypatch, capsys)


def documented(section: str) -> list[set[str]]:
    """The keys in the first column of each table of a section."""
    text = DOCUMENT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    tables = re.findall(r"^\| key.*\n\|---.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table.splitlines()))) for table in tables]


def test_the_keys_of_the_journal_and_of_its_verification_are_those_printed(nines: Nines, tmp_path: Path) -> None:
    of_record, of_verification = documented("The journal as JSON")
    listed = nines("journal", "list", "--format", "json").data
    assert [row["seq"] for row in listed] == [1, 2, 3]
    assert all(row.keys() == of_record for row in listed)
    nines("journal", "anchor", "--to", "kept")
    verified = nines("journal", "verify", "--anchor", "kept", "--format", "json").data
    assert verified.keys() == of_verification
    assert verified["proven"].keys() == {"seq", "at_ms"}


def test_the_keys_of_an_anchor_are_those_printed_and_the_first_three_are_enough(nines: Nines, tmp_path: Path) -> None:
    [of_anchor] = documented("An anchor")
    anchor = json.loads(nines("journal", "anchor").out)
    assert anchor.keys() == of_anchor
    (tmp_path / "kept").write_text(json.dumps(dict(list(anchor.items())[:3])))
    assert nines("journal", "verify", "--anchor", "kept", "--format", "json").data["proven"]["seq"] == 3


def test_the_keys_of_what_is_held_of_a_person_are_those_printed(nines: Nines) -> None:
    of_export, of_person, of_exclusion, of_naming = documented("What is held of a person")
    held = nines("person", "export", "ann").data
    assert held.keys() == of_export
    assert held["person"].keys() == of_person
    assert [row.keys() for row in held["exclusions"]] == [of_exclusion]
    assert [row.keys() for row in held["named_in"]] == [of_naming]
    assert [row.keys() for row in held["journal"]] == [documented("The journal as JSON")[0]]
    assert f"`{held['schema']}`" in DOCUMENT
