"""A command can neither read nor write what is hidden from it, nor get at us; all else is as ever."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path

import pytest
from local_servers import run_command

from probes.attempt import Attempt
from probes.confine import Confined, landlock_version

pytestmark = [
    pytest.mark.usefixtures("descriptors_kept"),
    pytest.mark.skipif(not landlock_version(), reason="this kernel has no Landlock"),
]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """What the daemon keeps, beside a folder that is nobody's secret."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "nines.db").write_text("the ledger")
    (folder / "link").symlink_to("/etc/hostname")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "notes").write_text("read me")
    (tmp_path / "way-in").symlink_to(folder)
    return folder


async def run(state: Path, script: str) -> Attempt:
    return await run_command("/bin/sh", "-c", script, hidden=state)


def inside(state: Path, script: str) -> str:
    return script.replace("STATE", shlex.quote(str(state))).replace("OUTSIDE", shlex.quote(str(state.parent)))


REFUSED = {
    "read": "cat STATE/nines.db",
    "read by a link": "cat OUTSIDE/way-in/nines.db",
    "list": "ls STATE",
    "overwrite": "echo x > STATE/nines.db",
    "add": "touch STATE/new",
    "remove": "rm -f STATE/nines.db",
    "move away": "mv STATE/nines.db OUTSIDE/beside/taken",
    "link out": "ln STATE/nines.db OUTSIDE/beside/taken",
    "our environment": "cat /proc/$PPID/environ",
    "our memory": "head -c 1 /proc/$PPID/mem",
    "our descriptors": "cat /proc/$PPID/fd/* < /dev/null",
    "by a child": "sh -c 'cat STATE/nines.db'",
}


@pytest.mark.parametrize("row", REFUSED, ids=str)
async def test_what_is_hidden_cannot_be_got_at(row: str, state: Path) -> None:
    if row == "our environment" and os.geteuid() == 0:
        pytest.skip("root may look into every process (CAP_PERFMON)")
    found = await run(state, f"{inside(state, REFUSED[row])} 2>&1 && exit 0; echo refused; exit 2")
    assert found.verdict == "down", found
    assert (state / "nines.db").read_text() == "the ledger"
    assert sorted(os.listdir(state)) == ["link", "nines.db"]
    assert os.listdir(state.parent / "beside") == ["notes"]


@pytest.mark.skipif(landlock_version() < 6, reason="signals are confined from Linux 6.12 on")
async def test_we_cannot_be_signalled(state: Path) -> None:
    found = await run(state, "kill -0 $PPID 2>/dev/null && exit 0; exit 2")
    assert found.verdict == "down"


async def test_all_else_is_as_ever(state: Path) -> None:
    script = "cat OUTSIDE/beside/notes; touch OUTSIDE/beside/made; cat /etc/hostname > /dev/null && sh -c 'exit 2'"
    found = await run(state, inside(state, script))
    assert (found.error, found.detail) == ("plugin_critical", "read me")
    assert (state.parent / "beside" / "made").exists()


async def test_a_program_that_lies_in_a_hidden_folder_runs_and_sees_itself_alone(state: Path) -> None:
    for name in ("one.sh", "two.sh"):
        (state / name).write_text(f"#!/bin/sh\ncat {state}/nines.db 2>/dev/null && exit 0\necho {name}; exit 2\n")
        (state / name).chmod(0o755)
        found = await run_command(str(state / name), hidden=state)
        assert (found.error, found.detail) == ("plugin_critical", name)


async def test_this_process_itself_stays_free(state: Path) -> None:
    confined = Confined([state])
    read = (state / "nines.db").read_text
    with pytest.raises(PermissionError):
        await asyncio.wrap_future(confined.call(read, program=Path("/bin/sh")))
    assert read() == "the ledger"
    confined.close()


async def test_what_is_to_be_hidden_from_now_on_is_hidden_too(state: Path) -> None:
    confined = Confined([state])
    reads = (state.parent / "beside" / "notes").read_text, (state / "nines.db").read_text
    assert await asyncio.wrap_future(confined.call(reads[0], program=Path("/bin/sh"))) == "read me"
    confined.hide([state.parent / "beside"])
    for read in reads:
        with pytest.raises(PermissionError):
            await asyncio.wrap_future(confined.call(read, program=Path("/bin/sh")))
    confined.close()


async def test_a_command_whose_deadline_comes_before_its_start_is_ended(state: Path) -> None:
    """The first call waits until its thread is confined."""
    kept = state.parent / "beside" / "pid"
    found = await run_command("/bin/sh", "-c", f"echo $$ > {kept}; sleep 30", timeout_ms=1, hidden=state)
    assert found.error == "timeout_total"
    await asyncio.sleep(0.3)
    assert not runs(kept)


def runs(kept: Path) -> bool:
    """Whether the process that wrote its number there runs; one that never did does not."""
    number = kept.read_text().strip() if kept.exists() else ""
    return bool(number) and Path(f"/proc/{number}").exists() and " Z " not in Path(f"/proc/{number}/stat").read_text()
