"""What can happen to a database under a running daemon; whatever it is, probing goes on and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from torture_compare import Comparison
from torture_plan import Load
from torture_stage import Stage, let_pass, stage

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
def full(database: Path) -> Iterator[None]:
    """Not one page is left on the disk."""
    ballast = database.with_name("ballast")
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
def moved_away(database: Path) -> Iterator[None]:
    """Its files are moved into another folder, and back."""
    elsewhere = database.parent / "elsewhere"
    elsewhere.mkdir()
    _move(database.parent, elsewhere, database.name)
    yield
    for name in FILES:
        database.with_name(database.name + name).unlink(missing_ok=True)
    _move(elsewhere, database.parent, database.name)


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


FAULTS: dict[str, Callable[[Path], AbstractContextManager[None]]] = {"locked": locked, "full": full}


def survive(name: str, *, seed: int, load: Load, folder: Path, hold_s: float) -> Comparison:
    """The daemon meets the fault for so long; then all that it saw meanwhile is on record, in order and once."""
    if name != "full":
        with stage(seed, load, folder) as made:
            return _survive(made, FAULTS[name], hold_s)
    with small_disk(folder / "disk") as disk, stage(seed, load, folder, house=disk) as made:
        return _survive(made, FAULTS[name], hold_s)


def _survive(stage: Stage, fault: Callable[[Path], AbstractContextManager[None]], hold_s: float) -> Comparison:
    stage.start()
    stage.wait_for_news()
    with fault(stage.daemon.database):
        before = stage.served()
        let_pass(hold_s)
        if stage.served() - before < stage.load.per_s * hold_s / 2:
            stage.found(f"only {stage.served() - before} checks were made in {hold_s:g} s without the database")
    stage.wait_for_news()
    return stage.end()
