"""`nines db migrate|backup|prune|restore` killed at work, again and again: a ledger is old or new, and never half."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from torture_ledgers import migrated, older_ledger
from torture_record import unsound
from torture_server import now_ms
from torture_stage import let_pass

from ledger.schema import CURRENT
from ledger.soundness import check
from ledger.store import open_ledger

DAYS = 3
CONFIG = 'version: 1\nendpoints: {e1: {url: "http://127.0.0.1:9/"}}\n'


@dataclass(frozen=True, slots=True)
class Print:
    """What is in a ledger, in short: its version, rows of each table, and a hash over what must not change."""

    revision: str
    rows: tuple[tuple[str, int], ...]
    content: str

    def but_for(self, *tables: str) -> Print:
        return Print(self.revision, tuple(row for row in self.rows if row[0] not in tables), self.content)


def print_of(database: Path) -> Print:
    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        rows = tuple((name, connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names)
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        return Print(revision, rows, _hash(connection, set(names)))


def _hash(connection: sqlite3.Connection, names: set[str]) -> str:
    """Over all values of what was observed but the numbers of rows."""
    digest = hashlib.sha256()
    for name in sorted(names & _HASHED):
        columns = ", ".join(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")') if row[1] != "number")
        for row in connection.execute(f'SELECT {columns} FROM "{name}" ORDER BY {columns}'):
            digest.update(repr(row).encode())
    return digest.hexdigest()


_HASHED = {"interval", "coverage", "event", "raw_check", "rolled_day"}


@dataclass
class Tool:
    """One command at work in a folder of its own, made anew from a template for each kill."""

    name: str
    words: tuple[str, ...]
    template: Path
    folder: Path
    sign: str | None = None  # a file that it makes on its way
    findings: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    lasts_s: float = 0.0
    before: Print = field(init=False)
    after: Print = field(init=False)

    @property
    def database(self) -> Path:
        return self.folder / "nines.db"

    def run_whole(self) -> None:
        """Once without a kill: how long it takes, and what it makes of the ledger."""
        self.renew()
        self.before = print_of(self.database)
        began_s = time.monotonic()
        self.finish()
        self.lasts_s = time.monotonic() - began_s
        self.after = print_of(self.database)

    def renew(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.template, self.folder)

    def start(self) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NINES_")}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "nines", "--db", "nines.db", *self.words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def finish(self) -> None:
        """Run it to its end; what it says where it fails is a finding."""
        process = self.start()
        said, _ = process.communicate(timeout=600)
        if process.returncode != 0:
            self.found(
                f"`nines {' '.join(self.words)}` ended with {process.returncode}: {said.decode().strip()[-500:]}"
            )

    def kill(self, chance: random.Random) -> bool:
        """Whether it was still at work: at any moment, or (every other time) just after its sign appeared."""
        process = self.start()
        if self.sign and chance.random() < 1 / 2:
            while process.poll() is None and not list(self.folder.glob(self.sign)):
                let_pass(0.0002)
            let_pass(chance.choice((0.0, 0.0005, 0.002, 0.01)))
        else:
            let_pass(chance.uniform(0.25, 1.0) * self.lasts_s)
        at_work = process.poll() is None
        if at_work:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return at_work

    def found(self, fault: str) -> None:
        self.findings.append(f"{self.name}: {fault}")

    def check(self, when: str, database: Path | None = None) -> None:
        """By the harness's own queries; and by what `nines db check` examines, in a ledger of this version."""
        database = database or self.database
        for fault in unsound(database):
            self.found(f"{when}: {fault}")
        if print_of(database).revision == CURRENT:
            with open_ledger(database, at_ms=now_ms()) as ledger:
                for finding in check(ledger, at_ms=now_ms()):
                    if finding.state == "bad":
                        self.found(f"{when}: db check: {finding.subject}: {finding.found}")


def kill_tools(folder: Path, *, rounds: int, seed: int, say: Callable[[str], None]) -> list[str]:
    """Each of the tools killed so many times. The faults found, one line each."""
    findings: list[str] = []
    chance = random.Random(f"{seed} tools")
    for tool, judge in _tools(folder):
        tool.run_whole()
        at_work = 0
        for _ in range(0 if tool.findings else rounds):
            tool.renew()
            at_work += tool.kill(chance)
            judge(tool)
        say(
            f"{tool.name:8} takes {tool.lasts_s:.1f} s; {at_work} of {rounds} kills hit it; {len(tool.findings)} faults"
        )
        if tool.left:
            say(f"         left behind by kills: {', '.join(sorted(tool.left))}")
        findings += dict.fromkeys(tool.findings)
    return findings


def _tools(folder: Path) -> Iterator[tuple[Tool, Callable[[Tool], None]]]:
    old, new = _made(folder / "old", fresh=False), _made(folder / "new", fresh=True)
    _second(new)
    work = folder / "work"
    yield Tool("migrate", ("db", "migrate"), old, work, "nines.db.before-*"), _judge_in_place
    yield Tool("backup", ("db", "backup", "copy.db"), new, work, "copy.db*"), _judge_backup
    yield Tool("prune", ("db", "prune"), new, work), _judge_prune
    yield Tool("restore", ("db", "restore", "other.db", "--yes"), new, work, "nines.db.replaced-*"), _judge_restore


def _made(folder: Path, *, fresh: bool) -> Path:
    folder.mkdir(parents=True)
    (folder / "nines.yaml").write_text(CONFIG)
    older_ledger(folder / "nines.db", now_ms=now_ms(), days=DAYS)
    if fresh:
        migrated(folder / "nines.db", now_ms=now_ms())
    return folder


def _second(folder: Path) -> None:
    """The same ledger at an earlier time: half of its checks."""
    shutil.copyfile(folder / "nines.db", folder / "other.db")
    with closing(sqlite3.connect(folder / "other.db")) as connection, connection:
        connection.execute("DELETE FROM raw_check WHERE endpoint > 10 AND verdict = 0")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (folder / "other.db").chmod(0o600)


def _note_left(tool: Tool, *expected: str) -> None:
    known = {file.name for file in tool.template.iterdir()} | {f"nines.db{end}" for end in ("-wal", "-shm", ".lock")}
    tool.left |= {file.name for file in tool.folder.iterdir() if file.name not in known | set(expected)}


def _judge_in_place(tool: Tool) -> None:
    """As it was or done; and then it is brought to its end."""
    tool.check("after the kill")
    if print_of(tool.database) not in (tool.before, tool.after):
        tool.found(f"neither as it was nor done: {print_of(tool.database)}")
    _note_left(tool)
    tool.finish()
    tool.check("after the next try")
    if print_of(tool.database) != tool.after:
        tool.found("the next try made another ledger than one that nobody kills")


def _judge_backup(tool: Tool) -> None:
    """A file under the backup's name is a whole ledger; the ledger itself is as it was."""
    copy = tool.folder / "copy.db"
    if copy.exists():
        tool.check("the backup after the kill", copy)
        if print_of(copy).but_for("meta") != tool.before.but_for("meta"):
            tool.found("the backup after the kill is another ledger than its original")
    tool.check("after the kill")
    if print_of(tool.database).but_for("meta") != tool.before.but_for("meta"):
        tool.found("the ledger is changed by a backup of it")
    _note_left(tool, "copy.db")
    copy.unlink(missing_ok=True)
    tool.finish()
    tool.check("the backup after the next try", copy)


_SAID = ("journal", "journal_body", "person")  # each try that comes to its end puts itself on record


def _judge_prune(tool: Tool) -> None:
    """Half way is allowed, half a step is not: brought to its end it is as if nobody had killed it."""
    tool.check("after the kill")
    _note_left(tool)
    tool.finish()
    tool.check("after the next try")
    if print_of(tool.database).but_for(*_SAID) != tool.after.but_for(*_SAID):
        tool.found("the next try left another ledger than one that nobody kills")


def _judge_restore(tool: Tool) -> None:
    """At the path stands the ledger that was there or the one restored, whole."""
    tool.check("after the kill")
    there = print_of(tool.database)
    if there not in (tool.before, tool.after):
        tool.found(f"neither the ledger that was there nor the one restored: {there}")
    _note_left(tool)
    tool.finish()
    tool.check("after the next try")
