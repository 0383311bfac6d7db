"""A real target and the real daemon for tests: a server that can be switched, and `nines run` in its own group."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent


class Target:
    """An HTTP server on loopback that answers 200 while `working`, 503 while not."""

    def __init__(self) -> None:
        self.working = True
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if target.working else 503)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """One folder with nines.yaml and nines.db, and the commands run in it."""

    def __init__(self, folder: Path, *, shift_ms: int = 0) -> None:
        self.folder = folder
        self.web_port, self.metrics_port = free_port(), free_port()
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("NINES_", "NOTIFY_"))
        }
        if shift_ms:
            self.environment |= {"TEST_CLOCK_SHIFT_MS": str(shift_ms), "PYTHONPATH": str(TESTS / "clock")}
        self._daemon: subprocess.Popen[bytes] | None = None
        self.log = folder / "daemon.log"

    def write(self, yaml: str) -> None:
        listen = f'{{web: "127.0.0.1:{self.web_port}", metrics: "127.0.0.1:{self.metrics_port}"}}'
        text = f"version: 1\nlisten: {listen}\nspool: {{size: 1 MiB}}\n{yaml}"
        (self.folder / "nines.yaml").write_text(text)

    def nines(self, *arguments: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "nines", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert expect is None or done.returncode == expect, (arguments, done.stdout, done.stderr)
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self.nines(*arguments, "--format", "json").stdout)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-P", "-m", "nines", "run"],
                cwd=self.folder,
                env=self.environment,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(number)

    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._daemon is not None
        return self._daemon.poll()

    def stop(self) -> int:
        """SIGTERM, as systemd does; returns the exit code."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGTERM)
        code = self._daemon.wait(40)
        self._daemon = None
        return code

    def kill(self) -> None:
        """SIGKILL to the supervisor and all its children at once, as a machine that dies would."""
        assert self._daemon is not None
        os.killpg(self._daemon.pid, signal.SIGKILL)
        self._daemon.wait(10)
        self._daemon = None

    def close(self) -> None:
        if self._daemon is not None and self.exit_code() is None:
            self.kill()


def checks(house: House) -> int:
    """How many checks are on record; 0 also while the daemon is still making its ledger."""
    if "watching" not in house.log.read_text():
        return 0
    with contextlib.closing(sqlite3.connect(house.folder / "nines.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM raw_check").fetchone()[0])


def child(house: House, role: str) -> int | None:
    """The process id of a child of the daemon, by its command line."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[-3:-1] == [b"child", role.encode()] and (entry / "cwd").resolve() == house.folder:
                return int(entry.name)
        except OSError:
            continue
    return None


def wait_for(what: Callable[[], Any], *, within_s: float = 40.0, every_s: float = 0.2) -> Any:
    """The first true value of `what`; AssertionError when none comes in time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(every_s)
    raise AssertionError(f"nothing came within {within_s} s")
