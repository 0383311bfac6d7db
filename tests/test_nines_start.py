"""`nines run` on a ledger that cannot be had for now: it says so, makes no other one, waits, and goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon_rig import House, Target, checks, wait_for

from ledger.lease import lease

SAID = "nothing is probed until the ledger can be had: "


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()


@pytest.fixture
def house(tmp_path: Path, target: Target) -> Iterator[House]:
    """One with a ledger that a daemon has held before."""
    found = House(tmp_path)
    found.write(f'endpoints: {{shop: {{url: "{target.url}", interval: 1 s, timeout: 1 s}}}}\n')
    found.nines("config", "apply")
    with lease(found.folder / "nines.db"):
        found.log.touch()
    yield found
    found.close()


def waits_for(house: House, reason: str) -> None:
    wait_for(lambda: SAID in house.log.read_text())
    assert f"{SAID}{house.folder / 'nines.db'}: {reason}" in house.log.read_text()


def id_of(house: House) -> str:
    with contextlib.closing(sqlite3.connect(house.folder / "nines.db")) as connection:
        return str(connection.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()[0])


def goes_on(house: House, ledger_id: str) -> None:
    wait_for(lambda: checks(house) >= 1)
    assert house.log.read_text().count(SAID) == 1
    assert house.stop() == 0
    assert id_of(house) == ledger_id
    house.nines("db", "check")


def test_a_locked_ledger_is_waited_for_and_systemd_hears_of_it(house: House) -> None:
    made = id_of(house)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(house.folder / "notify"))
    manager.settimeout(30)
    house.environment |= {"NOTIFY_SOCKET": str(house.folder / "notify"), "WATCHDOG_USEC": "400000"}
    other = sqlite3.connect(house.folder / "nines.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    house.start()
    waits_for(house, "another program holds the ledger locked")
    heard = [manager.recv(1000).decode() for _ in range(5)]
    assert heard[0] == "READY=1"
    assert any(one.startswith("STATUS=waiting for the ledger: ") for one in heard)
    assert heard.count("WATCHDOG=1") == 3
    house.signal(signal.SIGHUP)  # another try, and no end of it
    other.execute("ROLLBACK")
    other.close()
    goes_on(house, made)
    manager.close()


def test_a_ledger_that_was_moved_away_is_not_made_anew(house: House) -> None:
    database, made = house.folder / "nines.db", id_of(house)
    database.rename(house.folder / "elsewhere")
    house.start()
    waits_for(house, "the ledger that was here is gone; move it back, or restore a backup with `nines db restore`")
    assert f"to begin anew without it, remove {database}.lock" in house.log.read_text()
    for command in (("config", "apply"), ("status",)):
        assert "the ledger that was here is gone" in house.nines(*command, expect=2).stderr
    assert not database.exists()
    (house.folder / "elsewhere").rename(database)
    goes_on(house, made)


def test_a_backup_may_be_restored_under_a_daemon_that_waits(house: House) -> None:
    database, made = house.folder / "nines.db", id_of(house)
    house.nines("db", "backup", "b.db")
    database.unlink()
    house.start()
    waits_for(house, "the ledger that was here is gone")
    house.nines("db", "restore", "b.db", "--yes")
    goes_on(house, made)


def test_a_ledger_cut_to_nothing_is_not_filled_anew(house: House) -> None:
    (house.folder / "nines.db").write_bytes(b"")
    house.start()
    waits_for(house, "the ledger that was here is gone")
    assert (house.folder / "nines.db").read_bytes() == b""
    assert house.stop() == 0


def test_who_waits_is_ended_at_once(house: House) -> None:
    (house.folder / "nines.db").unlink()
    house.start()
    waits_for(house, "the ledger that was here is gone")
    began_s = time.monotonic()
    assert house.stop() == 0
    assert time.monotonic() - began_s < 1.5


def test_a_bad_config_is_not_waited_with(house: House) -> None:
    (house.folder / "nines.db").unlink()
    house.start()
    waits_for(house, "the ledger that was here is gone")
    house.write("endpoints: {shop: {url: 3}}\n")
    house.signal(signal.SIGHUP)
    assert wait_for(house.exit_code) == 2


def test_a_full_disk_is_called_full_and_waited_for(house: House, tmp_path: Path) -> None:
    disk, made = tmp_path / "disk", id_of(house)
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system of its own can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        for name in ("nines.yaml", "nines.db", "nines.db.lock"):
            shutil.copy(house.folder / name, disk / name)
        full = House(disk)
        full.web_port, full.metrics_port = house.web_port, house.metrics_port
        with (disk / "filler").open("wb") as filler:
            try:
                while True:
                    os.write(filler.fileno(), bytes(4096))
            except OSError:
                pass
        full.log = tmp_path / "full.log"
        full.log.touch()
        full.start()
        try:
            waits_for(full, "no space is left for the ledger")
            (disk / "filler").unlink()
            goes_on(full, made)
        finally:
            full.close()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
