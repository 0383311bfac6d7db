"""The command line from outside: what people and scripts type, what they read, and the exit codes they rely on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from cli_rig import Nines, in_folder

from ledger.store import open_ledger

GOOD = """version: 1
endpoints:
  shop: {url: "http://127.0.0.1:9/", name: Shop}
clients:
  sample: {name: Sample Client, timezone: Europe/Berlin}
contracts:
  sample-shop:
    {client: sample, service: shop, from: 2026-01-01, target: 99.9, fee: 2500.00 EUR, credits: {< 99.9: 10 %}}
"""


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs one command in an empty folder, as the console script would."""
    return in_folder(tmp_path, monkeypatch, capsys)


@pytest.fixture
def agreed(nines: Nines, tmp_path: Path) -> Nines:
    """The same in a folder where a contract is on record."""
    (tmp_path / "nines.yaml").write_text(GOOD)
    assert nines("config", "apply").code == 0
    return nines


def test_init_writes_a_file_that_config_check_passes(nines: Nines) -> None:
    assert nines("init", "--url", "https://example.org").code == 0
    checked = nines("config", "check")
    assert (checked.code, checked.out) == (
        0,
        "nines.yaml: good; 1 endpoints, 0 services, 0 clients, 0 contracts, 0 maintenance\n",
    )


def test_init_overwrites_nothing(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text("mine\n")
    refused = nines("init")
    assert (refused.code, (tmp_path / "nines.yaml").read_text()) == (2, "mine\n")
    assert refused.err == "Error: nines.yaml exists and stays as it is; remove it or name another folder\n"


def test_every_problem_of_a_file_is_one_line_with_its_place(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(GOOD.replace("99.9, fee", "101, fee").replace("2500.00", "-1"))
    bad = nines("config", "check")
    assert (bad.code, bad.out) == (2, "")
    lines = bad.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("nines.yaml:8 contracts.sample-shop.") for line in lines)


def test_config_check_names_the_burn_alerts_that_could_never_fire(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(GOOD.replace("99.9, fee", "90, fee").replace("{< 99.9", "{< 90"))
    note = (
        "nines.yaml:8 contracts.sample-shop.target: at 90 % in 30 days a burn alert could never fire and is left out: "
        "page at 14.4 times over 1 h and 5 min"
    )
    assert nines("config", "check").out.splitlines()[1:] == [f"note: {note}"]
    assert nines("config", "check", "--format", "json").data["notes"] == [note]


MANY = """version: 1
rates: RATES
endpoints:
  a: {url: "https://shop.example.org/a", interval: 1 s}
  b: {url: "https://shop.example.org/b", interval: 1 s}
  c: {url: "https://shop.example.org/c", interval: 3 s}
  d: {url: "https://desk.example.org/", interval: 1 s}
  e: {url: "https://desk.example.org/", interval: 1 s, locations: [elsewhere]}
  f: {heartbeat: "sha256:%s", interval: 1 s}
""" % ("0" * 64)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ("{per_host_per_s: 3, global_per_s: 4}", []),
        (
            "{per_host_per_s: 2, global_per_s: 3}",
            [
                "global_per_s: 3 checks a second are allowed, all endpoints together need 3.4 (4 endpoints): checks "
                "come late; write longer intervals, or e.g. global_per_s: 5",
                "per_host_per_s: 2 checks a second are allowed, the endpoints on shop.example.org need 2.4 "
                "(3 endpoints): checks come late; write longer intervals, or e.g. per_host_per_s: 4",
            ],
        ),
    ],
    ids=["enough", "too low"],
)
def test_config_check_says_where_the_rates_are_too_low(
    nines: Nines, tmp_path: Path, rates: str, said: list[str]
) -> None:
    (tmp_path / "nines.yaml").write_text(MANY.replace("RATES", rates))
    checked = nines("config", "check")
    assert checked.code == 0
    assert checked.out.splitlines()[1:] == [f"note: nines.yaml:2 rates.{one}" for one in said]


def test_a_missing_config_is_one_line(nines: Nines) -> None:
    missing = nines("config", "check")
    assert (missing.code, missing.out, len(missing.err.splitlines())) == (2, "", 1)
    assert "nines.yaml" in missing.err
    assert "nines init" in missing.err


def test_a_bad_file_changes_nothing_on_record(agreed: Nines, tmp_path: Path) -> None:
    before = agreed("status", "--format", "json").data["services"]
    (tmp_path / "nines.yaml").write_text(GOOD.replace("99.9, fee", "101, fee"))
    assert agreed("config", "apply").code == 2
    assert [row["service"] for row in agreed("status", "--format", "json").data["services"]] == [
        row["service"] for row in before
    ]


def test_terms_of_the_past_are_not_rewritten(agreed: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(GOOD.replace("99.9, fee", "99.5, fee").replace("{< 99.9", "{< 99.5"))
    refused = agreed("config", "apply")
    assert refused.code == 2
    assert "sample-shop" in refused.err
    assert "versions" in refused.err


def test_applying_the_same_file_again_stores_nothing(agreed: Nines) -> None:
    assert agreed("config", "apply").out == "nines.db: nothing new, the ledger holds what the file says\n"


@pytest.mark.parametrize("command", [["status"], ["outages"], ["credits"], ["statement", "build", "sample"]])
def test_without_a_ledger_the_command_that_makes_one_is_named(nines: Nines, command: list[str]) -> None:
    refused = nines(*command)
    assert (refused.code, refused.out, len(refused.err.splitlines())) == (2, "", 1)
    assert "nines config apply" in refused.err


def test_a_ledger_of_a_newer_version_is_refused(agreed: Nines, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "nines.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    refused = agreed("status")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"nines: {tmp_path}/nines.db: this ledger was written by a newer version of nines; "
        "install that version or restore an older backup\n"
    )


def test_a_locked_ledger_is_one_line(agreed: Nines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = {**(open_ledger.__kwdefaults__ or {}), "busy_timeout_ms": 200}
    monkeypatch.setattr("ledger.store.open_ledger.__kwdefaults__", impatient)
    (tmp_path / "nines.yaml").write_text(GOOD.replace("name: Shop", "name: Store"))
    holder = sqlite3.connect(tmp_path / "nines.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    refused = agreed("config", "apply")
    holder.execute("ROLLBACK")
    holder.close()
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "another program holds the ledger locked" in refused.err


def test_a_ledger_that_may_only_be_read_is_one_line(agreed: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(GOOD.replace("name: Shop", "name: Store"))
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to others
        folder = Path(made)
        for name in ("nines.yaml", "nines.db"):
            shutil.copyfile(tmp_path / name, folder / name)
            (folder / name).chmod(0o444)
        folder.chmod(0o555)
        done = as_somebody_without_rights(folder, "config", "apply")
        assert sorted(path.name for path in folder.iterdir()) == ["nines.db", "nines.yaml"]
        assert (folder / "nines.db").read_bytes() == (tmp_path / "nines.db").read_bytes()
        folder.chmod(0o755)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "may not be written" in done.stderr


def as_somebody_without_rights(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command in a folder. Root, whom no mode holds back, becomes `nobody` for it.

    `nobody` may not read the interpreter's modules, nor ours in a closed home: the same command is run twice before,
    on a copy and without a ledger, and so imports all that it needs, also to say an error.
    """
    become_nobody = "os.setgroups([]); os.setgid(65534); os.setuid(65534)" if os.geteuid() == 0 else ""
    script = f"""
import contextlib, os, shutil, sys, tempfile
from nines import cli
def rehearse(*arguments):
    with contextlib.suppress(SystemExit), open(os.devnull, "w") as nowhere:
        with contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):
            sys.argv = ["nines", *arguments]
            cli.main()
with tempfile.TemporaryDirectory() as copy:
    for name in os.listdir({str(folder)!r}):
        shutil.copyfile(os.path.join({str(folder)!r}, name), os.path.join(copy, name))
    os.chdir(copy)
    rehearse(*{arguments!r})
    os.chdir({str(folder)!r})
rehearse("--db", "nowhere/nines.db", *{arguments!r})
{become_nobody}
sys.argv = ["nines", *{arguments!r}]
cli.main()
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["statement", "build", "nobody"], "sample"),
        (["statement", "build", "sample", "--period", "October"], "2026-10"),
        (["explain", "sample", "2026-13"], "2026-1"),
        (["report"], "--all"),
        (["probe", "shpo"], "did you mean shop?"),
        (["outages", "show", "O-00000"], "nines outages list"),
        (["calc", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_wrong_arguments_are_answered_with_what_would_be_right(agreed: Nines, arguments: list[str], said: str) -> None:
    refused = agreed(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["outages", "list"],
        ["credits", "--period", "this"],
        ["explain", "sample", "2026-11"],
        ["statement", "build", "sample", "--period", "this"],
        ["journal", "verify"],
        ["config", "check"],
    ],
)
def test_every_listing_speaks_json(agreed: Nines, arguments: list[str]) -> None:
    said = agreed(*arguments, "--format", "json")
    assert said.code == 0, said.err
    assert said.data is not None


def test_a_probe_of_something_that_is_down_ends_with_1(agreed: Nines) -> None:
    said = agreed("probe", "shop", "--format", "json")
    assert said.code == 1
    assert (said.data[0]["verdict"], said.data[0]["error"]) == ("down", "connect_refused")


def test_status_check_ends_with_1_while_nobody_watches(agreed: Nines) -> None:
    assert (agreed("status").code, agreed("status", "--check").code) == (0, 1)


def test_calc_works_out_a_statement_from_plain_facts(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(
        "period: 2026-11\nzone: UTC\ntarget: 99.9\nfee: 2500.00 EUR\ncredits: {< 99.9: 10 %, < 99.0: 25 %}\n"
        "down: [{start: 2026-11-03T10:00:00Z, end: 2026-11-03T10:43:22Z}]\n"
    )
    statement = nines("calc", "facts.yaml").data
    [service] = statement["services"]
    assert (service["availability_pct"], service["verdict"]) == ("99.899614", "NOT_MET")
    assert (service["credit"]["amount"], service["credit"]["currency"]) == ("250.00", "EUR")
    assert (statement["schema"], statement["number"], statement["journal"]) == ("nines/statement/1", None, None)


def test_calc_reads_standard_input(nines: Nines, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    facts = io.TextIOWrapper(io.BytesIO(b'{"period": "2026-11"}'))
    monkeypatch.setattr(sys, "stdin", facts)
    assert nines("calc", "-").data["services"][0]["verdict"] == "NO_TARGET"


def test_a_built_statement_is_on_record_in_the_journal(agreed: Nines, tmp_path: Path) -> None:
    built = agreed("statement", "build", "sample", "--period", "this").data
    with sqlite3.connect(tmp_path / "nines.db") as connection:
        rows = connection.execute("SELECT subject_id FROM journal WHERE action = 'statement built'").fetchall()
    connection.close()
    assert rows == [(built["statement_id"],)]
    assert agreed("journal", "verify").code == 0


def test_credits_as_csv_have_a_row_per_service(agreed: Nines) -> None:
    head, row = agreed("credits", "--period", "this", "--format", "csv").out.splitlines()
    assert head.startswith("client_id,client,contract,")
    assert row.startswith("sample,Sample Client,sample-shop,")


def test_doctor_names_what_is_missing(nines: Nines) -> None:
    said = nines("doctor", "--format", "json")
    assert said.code == 1
    assert {row["subject"]: row["state"] for row in said.data}["config"] == "missing"


def test_doctor_tells_a_bad_ledger_from_a_missing_one(agreed: Nines, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "nines.db")) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = 'r9999'")
    (found,) = [row for row in agreed("doctor", "--format", "json").data if row["subject"] == "ledger"]
    assert (found["state"], found["advice"]) == ("bad", "")
    assert found["found"].endswith("install that version or restore an older backup")
