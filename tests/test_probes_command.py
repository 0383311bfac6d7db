"""Commands of the monitoring-plugins convention: real processes, well behaved and not."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
from local_servers import run_command

from probes.attempt import Attempt, Measure
from probes.command import MAX_OUTPUT, measures

pytestmark = pytest.mark.usefixtures("descriptors_kept")


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


async def shell(script: str, **settings: int) -> Attempt:
    """One attempt by a shell script; the shell is the program here, not ours."""
    return await run_command("/bin/sh", "-c", script, **settings)


ENDS = {
    "0": ("echo OK all well", "up", None, None),
    "1": ("echo WARNING disk; exit 1", "degraded", "plugin_warning", "WARNING disk"),
    "2": ("echo CRITICAL disk; exit 2", "down", "plugin_critical", "CRITICAL disk"),
    "3": ("echo UNKNOWN; exit 3", "unknown", "plugin_unknown", "UNKNOWN"),
    "4": ("echo odd; exit 4", "unknown", "plugin_unknown", "the command ended with 4: odd"),
    "signal": ("kill -11 $$", "unknown", "plugin_unknown", "the command was ended by signal 11: and said nothing"),
    "on the error line": ("echo CRITICAL >&2; exit 2", "down", "plugin_critical", "CRITICAL"),
    "in silence": ("exit 2", "down", "plugin_critical", "the command said nothing"),
    "with figures": ("echo 'CRITICAL disk | /=9%;8;9'; exit 2", "down", "plugin_critical", "CRITICAL disk"),
    "many lines": ("printf 'CRITICAL one\\ntwo\\n'; exit 2", "down", "plugin_critical", "CRITICAL one"),
    "control characters": ("printf 'CRIT\\033[31m\\a red\\n'; exit 2", "down", "plugin_critical", "CRIT [31m red"),
}


@pytest.mark.parametrize("row", ENDS, ids=str)
async def test_how_a_command_ends_is_its_verdict(row: str) -> None:
    script, verdict, error, detail = ENDS[row]
    found = await shell(script)
    assert (*judged(found), found.detail) == (verdict, error, detail)
    assert set(found.phases_us) == {"run"}


async def test_a_command_is_killed_with_all_that_it_started_at_the_deadline(tmp_path: Path) -> None:
    kept = tmp_path / "pids"
    kept.touch(mode=0o666)
    found = await shell(f"(trap '' TERM HUP; sleep 30) & echo $! > {kept}; trap '' TERM; sleep 30", timeout_ms=300)
    assert judged(found) == ("down", "timeout_total")
    assert found.detail == "not finished within 0.3 s (phase run)"
    for _ in range(500):  # it was killed; the kernel ends it when it can
        if not alive(int(kept.read_text())):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the command's child is alive")


def alive(pid: int) -> bool:
    """Whether it still runs; one that waits to be reaped does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


async def test_what_a_command_leaves_running_is_ended_with_it() -> None:
    began = time.monotonic()
    found = await shell("sleep 30 & echo OK $!")
    assert judged(found) == ("up", None)
    assert time.monotonic() - began < 10


async def test_a_child_that_left_the_group_is_not_waited_for() -> None:
    began = time.monotonic()
    found = await run_command(sys.executable, "-c", "import os, time\nif os.fork() == 0:\n os.setsid()\n time.sleep(5)")
    assert judged(found) == ("up", None)
    assert time.monotonic() - began < 5


async def test_a_flood_is_read_and_dropped_at_the_cap() -> None:
    found = await shell(f"echo OK; head -c {20 * MAX_OUTPUT} /dev/zero; exit 0")
    assert judged(found) == ("up", None)


async def test_a_command_gets_no_environment_no_input_and_no_descriptor_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("NINES_SECRET_API", "s3cret")
    told = (
        "import os, sys\n"
        "names = sorted(set(os.environ) - {'LC_CTYPE'})\n"  # which Python itself sets
        "open_ones = sorted(n for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}'))\n"
        "print(os.getcwd(), names, sys.stdin.read() == '', open_ones, os.getpgrp() == os.getpid())\n"
        "sys.exit(2)"
    )
    with (tmp_path / "state").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        found = await run_command(sys.executable, "-I", "-c", told)
    assert found.detail == "/ [] True ['0', '1', '2'] True"


@pytest.mark.parametrize("program", ["/nowhere/check_x", "/etc/hostname", "/etc"])
async def test_what_cannot_be_run_is_a_mistake_of_the_config(program: str) -> None:
    found = await run_command(program)
    assert judged(found) == ("unknown", "config_error")
    assert found.detail is not None
    assert found.detail.startswith(f"{program} cannot be run: ")


async def test_no_shell_reads_the_arguments() -> None:
    found = await run_command("/bin/sh", "-c", 'echo "$1"; exit 2', "sh", "$(id); `id` | $HOME")
    assert found.detail == "$(id); `id`"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("time=0.05s;1;2;0;10 size=12B", [Measure("time", "0.05", "s"), Measure("size", "12", "B")]),
        ("'disk space'=80%;90;95", [Measure("disk space", "80", "%")]),
        ("'it''s'=1 neg=-2.5", [Measure("it's", "1"), Measure("neg", "-2.5")]),
        ("comma=0,5s", [Measure("comma", "0.5", "s")]),
        ("nothing here", []),
        ("undetermined=U", []),
        ("", []),
    ],
    ids=range(7),
)
def test_figures_are_read_as_the_convention_writes_them(data: str, found: list[Measure]) -> None:
    assert list(measures(data)) == found


async def test_figures_come_with_the_attempt() -> None:
    found = await shell("echo 'OK - 5 ms | time=0.005s;1;2'")
    assert found.measures == (Measure("time", "0.005", "s"),)
