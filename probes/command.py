"""One attempt by a command of the monitoring-plugins convention: 0 up, 1 degraded, 2 down, anything else unknown.

The command gets no shell, no environment, no input and none of our descriptors, and sees neither ledger nor
credentials (`probes.confine`); it runs in a session of its own with `/` as its folder, and is killed with all of its
group at the deadline, and when it has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from probes.attempt import UP, Measure, Outcome, Trace, one_line, prober_fault
from probes.confine import Confined
from probes.faults import config_fault, fault_of_ours
from probes.fresh import Tools
from probes.target import Target

MAX_OUTPUT = 65_536
DRAIN_S = (
    0.2  # what was written before the end is there at once; a grandchild that holds the line open is not waited for
)
DEATH_S = 0.3
_VERDICTS: dict[int, Outcome] = {
    0: UP,
    1: Outcome("degraded", "plugin_warning"),
    2: Outcome("down", "plugin_critical"),
    3: Outcome("unknown", "plugin_unknown"),
}
_MEASURE = re.compile(r"\s*(?:'((?:[^']|'')+)'|([^\s'=]+))=(-?[0-9.,]+)([a-zA-Z%]*)[^\s]*")


async def check_command(target: Target, tools: Tools, trace: Trace) -> Outcome:
    """Run it and read its word. Raises Fault."""
    with trace.timing("run"):
        code, output = await run(target.command, tools.commands)
    text, _, data = output.partition("|")
    trace.measures = tuple(measures(data.splitlines()[0] if data else ""))
    trace.finished = True
    return _judge(code, one_line(text.strip().split("\n", 1)[0]))


def _judge(code: int, said: str) -> Outcome:
    known = _VERDICTS.get(code)
    if known is UP:
        return UP
    if known is not None:
        return Outcome(known.verdict, known.error, said or "the command said nothing")
    ended = f"ended with {code}" if code >= 0 else f"was ended by signal {-code}"
    return Outcome("unknown", "plugin_unknown", f"the command {ended}: {said or 'and said nothing'}")


async def run(command: tuple[str, ...], confined: Confined) -> tuple[int, str]:
    """(exit code, output within the cap) of a command. Raises Fault; nothing of it is left running."""
    ours, theirs = socket.socketpair()
    with ours:
        ours.setblocking(False)
        with theirs:
            process = await _started(command, theirs, confined)
        reading = asyncio.create_task(_read(ours))
        try:
            await _ended(process)
        finally:
            try:
                _kill_group(process)
                await _buried(process)
                output = await _drained(reading)
            finally:
                reading.cancel()
    return process.returncode, output.decode("utf-8", errors="replace")


async def _started(command: tuple[str, ...], output: socket.socket, confined: Confined) -> subprocess.Popen[bytes]:
    """One that is started only after the deadline is ended at once."""
    line = os.dup(output.fileno())  # its own: the deadline may close ours before it begins
    starting = confined.call(lambda: _start(command, line), program=Path(command[0]))
    starting.add_done_callback(lambda _: os.close(line))
    try:
        return await asyncio.shield(asyncio.wrap_future(starting))
    except asyncio.CancelledError:
        starting.add_done_callback(_end_late)
        raise
    except OSError as error:
        raise prober_fault(f"{command[0]} is not run, for it cannot be confined: {error.strerror}") from error


def _end_late(starting: Future[subprocess.Popen[bytes]]) -> None:
    if starting.exception() is None:
        _kill_group(starting.result())
        starting.result().wait()


def _start(command: tuple[str, ...], line: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=line,
            stderr=line,
            env={},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
    except OSError as error:
        ours = fault_of_ours(error)
        if ours is not None and not isinstance(error, PermissionError):
            raise ours from error
        raise config_fault(f"{command[0]} cannot be run: {error.strerror}") from error


async def _read(connection: socket.socket) -> bytes:
    """What it says, up to the cap; the rest is read and dropped, so that it does not stand still."""
    kept = bytearray()
    try:
        while part := await asyncio.get_running_loop().sock_recv(connection, MAX_OUTPUT):
            kept += part[: MAX_OUTPUT - len(kept)]
    except (OSError, asyncio.CancelledError):
        pass
    return bytes(kept)


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for its end without reaping it: until then its number, and its group's, stay its own."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    handle = os.pidfd_open(process.pid)
    loop.add_reader(handle, _tell, done)
    try:
        await done
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _tell(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End everything that it started and that stayed in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _buried(process: subprocess.Popen[bytes]) -> None:
    """Reap it. One that hangs in the kernel even then is left to be reaped when it comes back."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DEATH_S):
            await _ended(process)
    process.poll()


async def _drained(reading: asyncio.Task[bytes]) -> bytes:
    await asyncio.wait([reading], timeout=DRAIN_S)
    reading.cancel()
    return await reading


def measures(data: str) -> Iterator[Measure]:
    """The figures of performance data: `'label'=value[unit];warn;crit;min;max`."""
    for found in _MEASURE.finditer(data):
        label = found[1].replace("''", "'") if found[1] else found[2]
        yield Measure(one_line(label), found[3].replace(",", "."), found[4])
