"""`nines journal`: what it prints, what it proves, and the exit codes that scripts rely on."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli_rig import Nines, in_folder
from journal_scenes import add, chain, raw, rechain, unguarded
from ledger_scenes import new_ledger

from nines.clock import now_ms

UNPROVEN = "no proof against the owner of the database"


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs one command in a folder with a ledger of three records."""
    (tmp_path / "nines.yaml").write_text("version: 1\n")
    with new_ledger(tmp_path) as ledger:
        chain(ledger, 3)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there to answer
    return in_folder(tmp_path, monkeypatch, capsys)


def test_a_sound_chain_without_an_anchor_says_what_it_does_not_prove(nines: Nines) -> None:
    said = nines("journal", "verify")
    assert (said.code, said.out) == (0, f"3 records; no accident found; {UNPROVEN}\n")
    assert nines("journal", "verify", "--format", "json").data == {
        "records": 3,
        "problems": [],
        "anchors": 0,
        "proven": None,
    }


def test_an_anchor_is_printed_appended_and_verified_against(nines: Nines, tmp_path: Path) -> None:
    before = now_ms()
    first = nines("journal", "anchor", "--to", "kept.anchors")
    told = json.loads(first.out)
    assert list(told) == ["ledger_id", "seq", "hash", "at_ms"]
    assert (told["seq"], first.out) == (3, (tmp_path / "kept.anchors").read_text())
    assert before <= told["at_ms"] <= now_ms()
    proven = "no accident found; proven by an anchor up to record 3 of 2026-09-21T14:14:00.003Z"
    assert nines("journal", "verify", "--anchor", "kept.anchors").out == f"3 records; {proven}\n"
    with new_ledger_again(tmp_path) as ledger:
        add(ledger, 4)
    said = nines("journal", "verify", "--anchor", "kept.anchors")
    assert (said.code, said.out) == (0, f"4 records; {proven}; {UNPROVEN} for the 1 after it\n")
    assert nines("journal", "verify", "--anchor", "kept.anchors", "--format", "json").data["proven"]["seq"] == 3


def new_ledger_again(folder: Path):  # type: ignore[no-untyped-def]
    from ledger.store import open_ledger

    return open_ledger(folder / "nines.db", at_ms=0)


def test_a_rewritten_chain_is_bad_news(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text(nines("journal", "anchor").out)
    with unguarded(tmp_path / "nines.db") as connection:
        connection.execute("UPDATE journal SET actor = 'P-FORGER' WHERE seq = 2")
        rechain(connection)
    assert nines("journal", "verify").code == 0
    said = nines("journal", "verify", "--anchor", "kept")
    assert said.code == 1
    assert said.out.splitlines() == [
        "anchor of record 3 (line 1): record 3 has another hash now, the chain was rewritten",
        f"3 records; 1 faults; {UNPROVEN}",
    ]


def test_a_statement_is_an_anchor(nines: Nines, tmp_path: Path) -> None:
    head = json.loads(nines("journal", "anchor").out)
    (tmp_path / "statement.json").write_text(json.dumps({"statement": {"journal": head}, "seal": {}}, indent=2))
    assert "proven by an anchor up to record 3" in nines("journal", "verify", "--anchor", "statement.json").out


def test_a_file_without_an_anchor_shows_what_one_looks_like(nines: Nines) -> None:
    said = nines("journal", "verify", "--anchor", "nines.yaml")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith('Error: nines.yaml: no anchor is in it; one is a line such as {"ledger_id": "')
    assert nines("journal", "verify", "--anchor", "none").code == 2


def test_a_line_that_holds_no_whole_anchor_is_a_fault(nines: Nines, tmp_path: Path) -> None:
    line = nines("journal", "anchor").out
    (tmp_path / "kept").write_text(line + line[:70] + "\n")
    said = nines("journal", "verify", "--anchor", "kept")
    assert (said.code, said.out.splitlines()[0]) == (1, "kept: line 2 holds no whole anchor")


def test_what_cannot_be_anchored_says_why(nines: Nines, tmp_path: Path) -> None:
    said = nines("journal", "anchor", "--to", "none/kept")
    assert (said.code, said.err) == (2, "nines: none/kept: No such file or directory\n")
    (tmp_path / "nines.db").unlink()
    new_ledger(tmp_path).close()
    said = nines("journal", "anchor")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Error: nothing was decided yet, so there is nothing to anchor")


def test_decisions_are_listed_with_who_made_them(nines: Nines) -> None:
    assert nines("config", "apply").code == 0
    listed = nines("journal", "list", "--limit", "3").out.splitlines()
    assert [line.split()[:4] for line in listed[:3]] == [
        ["seq", "at", "who", "what"],
        ["2", "2026-09-21T14:14:00.002Z", "nines", "import"],
        ["3", "2026-09-21T14:14:00.003Z", "nines", "import"],
    ]
    assert (listed[3].split()[0], "config load" in listed[3]) == ("4", True)
    rows = nines("journal", "list", "--format", "json").data
    assert [(row["seq"], row["body"].get("n")) for row in rows] == [(1, 1), (2, 2), (3, 3), (4, None)]
    assert rows[2]["prev"] == rows[1]["hash"]


def test_a_body_is_erased_once_with_its_reason(nines: Nines, tmp_path: Path) -> None:
    assert nines("journal", "erase", "2", "--reason", " ", "--yes").code == 2
    assert nines("journal", "erase", "2", "--reason", "asked for").code == 130  # nobody there to say yes
    assert nines("journal", "list", "--format", "json").data[1]["body"] is not None
    said = nines("journal", "erase", "2", "--reason", "asked for", "--yes")
    assert (said.code, said.out) == (0, "the body of journal record 2 is erased; record 4 says so\n")
    assert nines("journal", "list", "--format", "json").data[1]["body"] is None
    assert nines("journal", "verify").out == f"4 records; no accident found; {UNPROVEN}\n"
    again = nines("journal", "erase", "2", "--reason", "asked for", "--yes")
    assert (again.code, again.err) == (2, "nines: journal record 2: its body was erased before (asked for)\n")


def test_a_body_put_where_the_journal_goes_on_is_one_line_and_found_by_the_check_it_names(
    nines: Nines, tmp_path: Path
) -> None:
    with raw(tmp_path / "nines.db") as connection:
        connection.execute("INSERT INTO journal_body (seq, body) VALUES (4, '{}')")
    for words in (("config", "apply"), ("journal", "erase", "2", "--reason", "asked for", "--yes")):
        said = nines(*words)
        assert (said.code, said.err) == (
            2,
            f"nines: {tmp_path}/nines.db: where the journal goes on, a body stands that belongs to no record; "
            "`nines db check` names it\n",
        )
    assert [row["body"] is None for row in nines("journal", "list", "--format", "json").data] == [False] * 3
    checked = nines("db", "check")
    assert checked.code == 1
    assert "body 4: have no record in the journal" in checked.out


def test_a_journal_that_is_no_text_any_more_is_still_verified_and_listed(nines: Nines, tmp_path: Path) -> None:
    with unguarded(tmp_path / "nines.db") as connection:
        connection.execute("UPDATE journal SET ledger_id = CAST(x'80ff' AS TEXT) WHERE seq = 2")
        connection.execute("UPDATE journal_body SET body = 'no JSON' WHERE seq = 3")
    said = nines("journal", "verify")
    assert (said.code, said.out.splitlines()[0]) == (1, "journal record 2: it belongs to ledger \\udc80\\udcff")
    with raw(tmp_path / "nines.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM journal").fetchone() == (3,)


def test_a_long_verification_shows_how_far_it_is_on_a_terminal_alone(nines: Nines, tmp_path: Path) -> None:
    code = """
import sys, nines.cli.meter, ledger.journal_check
nines.cli.meter._SHOWN_AFTER_S, ledger.journal_check.TELL_EVERY = 0.0, 1
sys.argv = ["nines", "journal", "verify"]
import nines.cli
nines.cli.main()
"""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 65_536)
    os.close(ours)
    assert done.returncode == 0
    assert b"journal" in shown
    assert done.stdout == f"3 records; no accident found; {UNPROVEN}\n".encode()
