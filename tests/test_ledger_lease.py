"""The lease against a second daemon: it ends when its holder does, however that dies, and not while it only stands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from killing import ROOT

from ledger.lease import LeaseHeld, lease

HOLDER = """
import sys
from pathlib import Path
from ledger.lease import lease
with lease(Path(sys.argv[1]), doing=sys.argv[2]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(database: Path, doing: str = "") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(database), doing]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_the_lease_of_a_killed_holder_is_free_at_once(tmp_path: Path) -> None:
    database = tmp_path / "nines.db"
    with holder(database) as child:
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        with lease(database):
            assert (tmp_path / "nines.db.lock").read_text() == f"{os.getpid()}\n"


def test_a_holder_that_is_stopped_keeps_the_lease(tmp_path: Path) -> None:
    database = tmp_path / "nines.db"
    with holder(database) as child:
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        with pytest.raises(LeaseHeld, match=rf"another daemon \(process {child.pid}\) observes into this ledger; stop"):
            lease(database).__enter__()
        child.send_signal(signal.SIGCONT)
        child.communicate("\n", timeout=10)
        with lease(database):
            pass


def test_who_holds_it_for_another_work_is_told_by_that(tmp_path: Path) -> None:
    database = tmp_path / "nines.db"
    with holder(database, "restores") as child, pytest.raises(LeaseHeld) as error, lease(database):
        pass
    assert str(error.value) == f"{database}: another process ({child.pid}) restores this ledger; wait for it"
    assert error.value.doing == "restores"


def test_the_lock_is_private_and_goes_on_existing(tmp_path: Path) -> None:
    with lease(tmp_path / "nines.db"):
        assert (tmp_path / "nines.db.lock").stat().st_mode & 0o777 == 0o600
    with lease(tmp_path / "nines.db"):
        pass
    assert (tmp_path / "nines.db.lock").exists()
