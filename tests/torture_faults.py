"""What can happen to a database under a running daemon; whatever it is, probing goes on and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from torture_compare import Comparison
from torture_daemon import copied
from torture_plan import Load, Victim
from torture_stage import Stage, let_pass, stage

from nines.daemon import probe_child

DISK_KB = 12_000
FILES = ("", "-wal", "-shm")


class Unavailable(Exception):
    """This machine cannot be made to fail so."""


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def locked_out(stage: Stage) -> Iterator[None]:
    """The daemon cannot write for that long."""
    with locked(stage.daemon.database):
        yield


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    """Not one page is left on the disk."""
    ballast = stage.daemon.database.with_name("ballast")
    with ballast.open("wb", buffering=0) as file:
        while _wrote(file.fileno()):
            pass
        yield
    ballast.unlink()


def _wrote(file: int) -> bool:
    try:
        return os.write(file, b"\0" * 4096) > 0
    except OSError:
        return False


@contextmanager
def moved_away(stage: Stage) -> Iterator[None]:
    """Its files are moved into another folder, and back."""
    database = stage.daemon.database
    elsewhere = database.parent / "elsewhere"
    elsewhere.mkdir()
    with stage.daemon.frozen():
        _move(database.parent, elsewhere, database.name)
    yield
    _move(elsewhere, database.parent, database.name)


@contextmanager
def deleted(stage: Stage) -> Iterator[None]:
    """Its files are deleted just after somebody copied them, and that copy is put in their place."""
    database = stage.daemon.database
    with stage.daemon.frozen():
        copy = copied(database, stage.folder / "copy")
        for ending in FILES:
            database.with_name(database.name + ending).unlink(missing_ok=True)
    yield
    _move(copy.parent, database.parent, database.name)


def _move(source: Path, target: Path, name: str) -> None:
    for ending in FILES:
        file = source / f"{name}{ending}"
        if file.exists():
            file.rename(target / file.name)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of DISK_KB in memory. Raises Unavailable where this user may not mount one."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode != 0:
        raise Unavailable("a small disk is mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the database, and who is killed while it lasts: nobody, the prober half way, all at its end.

    A prober that comes back waits a while for the database, for it has to know where it stopped; `longer` times the
    usual fault outlasts its patience.
    """

    happens: Callable[[Stage], AbstractContextManager[None]]
    killed: Victim | None = None
    needs_spool: bool = True
    longer: float = 1.0


FAULTS = {
    "locked": Fault(locked_out, needs_spool=False),
    "full": Fault(full, needs_spool=False),
    "moved away": Fault(moved_away),
    "deleted": Fault(deleted),
    "locked, the prober killed": Fault(locked_out, "probe"),
    "locked for long, the prober killed": Fault(locked_out, "probe", longer=2.5),
    "locked, all killed": Fault(locked_out, "group"),
    "full, all killed": Fault(full, "group"),
}


def survive(name: str, *, seed: int, load: Load, folder: Path, hold_s: float) -> Comparison:
    """The daemon meets the fault for so long; then all that it saw meanwhile is on record, in order and once."""
    fault = FAULTS[name]
    if fault.needs_spool and not hasattr(probe_child, "Spool"):
        raise Unavailable("the daemon of this version has no spool")
    if fault.happens is not full:
        with stage(seed, load, folder) as made:
            return _survive(made, fault, hold_s * fault.longer)
    with small_disk(folder / "disk") as disk, stage(seed, load, folder, house=disk) as made:
        return _survive(made, fault, hold_s)


def _survive(stage: Stage, fault: Fault, hold_s: float) -> Comparison:
    stage.start()
    stage.wait_for_news()
    with fault.happens(stage):
        _hold(stage, hold_s / 2)
        if fault.killed == "probe":
            stage.daemon.strike("probe")
            let_pass(hold_s / 2)
        else:
            _hold(stage, hold_s / 2)
        if fault.killed == "group":
            stage.daemon.strike("group")
    stage.start()
    stage.wait_for_news()
    return stage.end()


def _hold(stage: Stage, seconds: float) -> None:
    """Probing goes on all the while."""
    before = stage.served()
    let_pass(seconds)
    if stage.served() - before < stage.load.per_s * seconds / 2:
        stage.found(f"only {stage.served() - before} checks were made in {seconds:g} s without the database")
