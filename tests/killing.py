"""Work of the ledger killed at a chosen moment: one process imports everything, and a fork of it does each job."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SERVER = """
import os, signal, sys
from pathlib import Path
from ledger import backup, restore, schema, store
import alembic.command, alembic.config

{job}

for line in sys.stdin:
    arguments = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        try:
            job(*arguments)
            os._exit(0)
        except BaseException as error:
            print("failed", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    print(child, flush=True)
    sys.stdin.readline()  # until then a child that ended keeps its number, and nobody else is killed by it
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Jobs:
    """`job(...)` of the code that was given, once for each `run`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._asks, self._answers = process.stdin, process.stdout

    def run(self, *arguments: object, kill_after_s: float | None = None) -> tuple[int, float]:
        """What `waitpid` said of it (0: done; 9: killed) and how long it took."""
        self._asks.write("\t".join(map(str, arguments)) + "\n")
        self._asks.flush()
        child = int(self._answers.readline())
        began_s = time.monotonic()
        if kill_after_s is not None:
            time.sleep(kill_after_s)  # not to wait for anything: it is the moment of the kill
            os.kill(child, signal.SIGKILL)
        self._asks.write("\n")
        self._asks.flush()
        return int(self._answers.readline()), time.monotonic() - began_s


@contextmanager
def jobs(code: str) -> Iterator[Jobs]:
    source = _SERVER.replace("{job}", textwrap.dedent(code))
    process = subprocess.Popen(
        [sys.executable, "-c", source], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Jobs(process)
    finally:
        process.communicate()


def moments(count: int, *, within_s: float, seed: int = 9) -> list[float]:
    """Seeded moments, one in each of `count` equal parts of the time."""
    chance = random.Random(seed)
    return [(place + chance.random()) * within_s / count for place in range(count)]
