"""systemd's side of the notification protocol, played by a real datagram socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nines.notify import notify, reloading, status, watchdog_every_s


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def environ_of(listener: socket.socket) -> dict[str, str]:
    return {"NOTIFY_SOCKET": listener.getsockname()}


def test_ready_arrives_at_a_socket_with_a_path(manager: socket.socket) -> None:
    assert notify("READY=1", environ=environ_of(manager))
    assert manager.recv(100) == b"READY=1"


def test_several_assignments_are_one_datagram(manager: socket.socket) -> None:
    notify("READY=1", "STATUS=3 endpoints", environ=environ_of(manager))
    assert manager.recv(100) == b"READY=1\nSTATUS=3 endpoints"


def test_ready_arrives_at_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"nines-test-{os.getpid()}"
        listener.bind("\0" + name)
        listener.settimeout(5)
        assert notify("WATCHDOG=1", environ={"NOTIFY_SOCKET": "@" + name})
        assert listener.recv(100) == b"WATCHDOG=1"


def test_reloading_carries_the_monotonic_instant(manager: socket.socket) -> None:
    reloading(environ=environ_of(manager))
    first, second = manager.recv(100).decode().split("\n")
    assert first == "RELOADING=1"
    name, instant = second.split("=")
    assert name == "MONOTONIC_USEC"
    assert int(instant) > 0


def test_a_status_of_two_lines_stays_one_assignment(manager: socket.socket) -> None:
    status("3 endpoints\nREADY=1", environ=environ_of(manager))
    assert manager.recv(100) == b"STATUS=3 endpoints READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "vsock:2:1234"])
def test_no_listener_is_no_error(address: str) -> None:
    assert not notify("READY=1", environ={"NOTIFY_SOCKET": address})


def test_a_full_queue_is_no_error_and_does_not_block(manager: socket.socket) -> None:
    taken = sum(notify("WATCHDOG=1", environ=environ_of(manager)) for _ in range(3000))
    assert taken < 3000


@pytest.mark.parametrize(
    ("allowed_us", "every_s"), [("30000000", 15.0), ("1000000", 0.5), ("0", None), ("", None), ("soon", None)]
)
def test_the_watchdog_is_fed_at_half_of_what_the_unit_allows(allowed_us: str, every_s: float | None) -> None:
    assert watchdog_every_s({"WATCHDOG_USEC": allowed_us}) == every_s


def said(manager: socket.socket, wanted: str) -> list[str]:
    """All assignments up to and including the first one wanted; the socket's timeout ends the wait."""
    heard: list[str] = []
    while wanted not in heard:
        heard += manager.recv(1000).decode().split("\n")
    return heard


def test_the_daemon_tells_its_whole_life(manager: socket.socket, tmp_path: Path) -> None:
    manager.settimeout(30)
    config = tmp_path / "nines.yaml"
    config.write_text('version: 1\nlisten: {web: "127.0.0.1:0"}\nendpoints: {here: {url: "tcp://127.0.0.1:9"}}\n')
    command = [sys.executable, "-P", "-m", "nines", "--config", str(config), "--db", str(tmp_path / "nines.db"), "run"]
    environ = {**os.environ, **environ_of(manager), "WATCHDOG_USEC": "400000"}
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as daemon:
        try:
            said(manager, "READY=1")
            said(manager, "WATCHDOG=1")
            daemon.send_signal(signal.SIGHUP)
            said(manager, "RELOADING=1")
            said(manager, "READY=1")
            config.write_text("endpoints: [\n")  # a mistake: refused, and systemd hears that the daemon is there
            daemon.send_signal(signal.SIGHUP)
            said(manager, "RELOADING=1")
            said(manager, "READY=1")
            daemon.send_signal(signal.SIGTERM)
            said(manager, "STOPPING=1")
            assert daemon.wait(timeout=20) == 0
        finally:
            daemon.kill()
