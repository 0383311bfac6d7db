"""What the documents say is true: figures, commands, links, and the way to copy a ledger that is being written."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from ledger_scenes import new_ledger
from readme_calc import calc

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "probes", "ledger", "sla", "reporting", "nines")
PROGRAM = ("nines", "/opt/nines/venv/bin/nines", ".venv/bin/nines")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / package / "README.md" for package in PACKAGES)]
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


def test_every_figure_in_the_law_is_computed() -> None:
    outcome = doctest.testfile(str(ROOT / "sla/README.md"), module_relative=False, globs={"calc": calc})
    assert outcome.attempted > 20
    assert outcome.failed == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file(name: str) -> None:
    text = (ROOT / name).read_text()
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not ((ROOT / name).parent / target).exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_on_its_package_s_map(package: str) -> None:
    text = (ROOT / package / "README.md").read_text()
    modules = {path.stem for path in (ROOT / package).glob("[!_]*.py")}
    modules |= {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert {name for name in modules if not re.search(rf"`{name}[`/]", text)} == set()


def typed(text: str) -> Iterator[list[str]]:
    """The words of every `nines ...` command in a code block or between backticks, comments and output left out."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    spans = "\n".join(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))
    for line in f"{blocks}\n{spans}".splitlines():
        for command in re.split(r"&&|\||;", line.split(" #")[0].removeprefix("$ ")):
            words = command.split()
            starts = [n for n, word in enumerate(words) if word in PROGRAM]
            if starts and words[0] in (*PROGRAM, "runuser"):
                command_words = words[starts[-1] + 1 :]
                if words[starts[-1] - 1] != "-u" and command_words[:1] not in (["->"], ["COMMAND"]):
                    yield command_words


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists_with_the_options_that_are_shown(name: str) -> None:
    wrong = [f"nines {' '.join(words)}" for words in typed((ROOT / name).read_text()) if words and not known(words)]
    assert wrong == []


def known(words: list[str]) -> bool:
    command: click.Command | None = importlib.import_module("nines.cli").nines
    rest = list(words)
    while isinstance(command, click.Group):
        while rest and rest[0].startswith("-"):
            option = rest.pop(0)
            if option in ("--config", "--db"):
                rest.pop(0)
            elif option in ("--version", "--help", "-h"):
                return True
        if not rest or rest[0] in ("...", "COMMAND") or rest[0].startswith("["):
            return True
        inner = command.get_command(click.Context(command), rest[0])
        if inner is None:
            return command.invoke_without_command
        command, rest = inner, rest[1:]
    options = {option for parameter in command.params for option in parameter.opts} if command else set()
    return command is not None and {word for word in rest if word.startswith("--")} <= options | {"--help"}


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"^(?:\$ )?make ([a-z]+)", (ROOT / name).read_text(), re.MULTILINE))
    shown |= set(re.findall(r"`make ([a-z]+)[^`]*`", (ROOT / name).read_text()))
    assert shown <= targets


def test_the_way_to_back_up_copies_what_the_daemon_has_just_written(tmp_path: Path) -> None:
    """And the way to restore puts it back."""
    text = (ROOT / "docs/install.md").read_text()
    backup, restore = (re.search(rf"-- nines (db {verb} .*)", text) for verb in ("backup", "restore"))
    assert backup
    assert restore
    ledger = new_ledger(tmp_path)
    daemon = sqlite3.connect(ledger.path)
    daemon.execute("INSERT INTO endpoint (id) VALUES ('just-written')")
    daemon.commit()  # stands in the write-ahead log only, for the connection stays open
    words = backup[1].replace("/var/backups/nines", str(tmp_path)).split()
    answer = nines("--db", str(ledger.path), *words)
    assert answer.returncode == 0, answer.stderr
    daemon.execute("DELETE FROM endpoint")
    daemon.commit()
    daemon.close()
    ledger.close()
    (copied,) = tmp_path.glob("nines-*.db")
    assert copied.stat().st_mode & 0o077 == 0
    answer = nines("--db", str(ledger.path), *restore[1].split()[:2], str(copied), "--yes")
    assert answer.returncode == 0, answer.stderr
    with contextlib.closing(sqlite3.connect(ledger.path)) as again:
        assert again.execute("SELECT id FROM endpoint").fetchall() == [("just-written",)]


def block(name: str, start: str) -> str:
    """The code block of a document that begins with `start`, fences left out."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
    (found,) = [text for text in blocks if text.startswith(start)]
    return str(found)


def test_the_config_in_the_readme_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(block("README.md", "version: 1"))
    answer = nines("--config", str(tmp_path / "nines.yaml"), "config", "check")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_calculation_in_the_readme_gives_what_is_printed(tmp_path: Path) -> None:
    (tmp_path / "outage.yaml").write_text(block("README.md", "period: 2026-11"))
    answer = nines("calc", str(tmp_path / "outage.yaml"), "--format", "text")
    command, _, printed = block("README.md", "$ nines calc").partition("\n")
    assert command == "$ nines calc outage.yaml"
    assert answer.stdout == printed


def nines(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "nines", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
