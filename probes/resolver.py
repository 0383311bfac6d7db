"""Names to addresses as the system does it (getaddrinfo), in threads of our own, so that dead names delay nobody.

A look-up that hangs holds a thread, not the loop, and whoever asks for the same name meanwhile waits for the same
answer. There are threads for some hundred names that hang, and the last ones are kept for names that do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import queue
import resource
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from probes.attempt import Fault, Trace, prober_fault

MOST_THREADS = 1_000
DESCRIPTORS_EACH = 8  # of the system's limit: a look-up holds one, and attempts need the others
KEPT_IDLE = 32
PROMPT_SHARE = 8  # one thread in so many is for names that were prompt last time
PROMPT_S = 1.0
AT_ONCE = 2  # look-ups of one name
MOST_NAMES = 20_000  # that are known to be prompt


def most_threads() -> int:
    """How many look-ups may run, and so hang, at once."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(min(MOST_THREADS, descriptors // DESCRIPTORS_EACH), KEPT_IDLE)


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a host, ready for a socket."""

    family: socket.AddressFamily
    host: str
    sockaddr: tuple[str, int] | tuple[str, int, int, int]


Found: TypeAlias = list[Address] | Exception


class _LookUp:
    """One question to the system, and what came of it, for all who wait."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Found] = self.loop.create_future()
        self.began_s: float | None = None  # when a thread took it up

    @property
    def hangs(self) -> bool:
        return self.began_s is not None and time.monotonic() - self.began_s > PROMPT_S

    def run(self) -> None:
        """In a thread."""
        self.began_s = time.monotonic()
        try:
            found: Found = look_up(self.host, self.port)
        except Exception as error:
            found = error
        with contextlib.suppress(RuntimeError):  # the loop has ended since; nobody waits any more
            self.loop.call_soon_threadsafe(self._tell, found)

    def _tell(self, found: Found) -> None:
        if not self.answer.done():
            self.answer.set_result(found)


class Resolver:
    """A pool of daemon threads, started as they are needed, for one event loop."""

    def __init__(self, threads: int | None = None) -> None:
        most = threads or most_threads()
        kept = max(most // PROMPT_SHARE, 1)
        self._half = most // 2
        self._for_all, self._for_prompt = asyncio.Semaphore(most - kept), asyncio.Semaphore(kept)
        self._prompt = set[str]()  # names whose last look-up did not hang
        self._running: dict[tuple[str, int], list[_LookUp]] = {}
        self._tasks = set[asyncio.Task[None]]()
        self._busy = self._threads = 0
        self._jobs: queue.SimpleQueue[_LookUp | None] = queue.SimpleQueue()

    async def resolve(self, host: str, port: int, trace: Trace) -> list[Address]:
        """The addresses of a name, in the system's order. Raises Fault; the caller's deadline cancels it.

        The phase dns counts from here, also where the answer was asked for by somebody before: it came after we asked.
        A failure of a look-up that hung already is not ours, for it tells of before: the name is asked for anew.
        """
        written_out = literal(host, port)
        if written_out is not None:
            return [written_out]
        while True:
            shared = self._look_up(host, port)
            trace.excuse = _excuse(shared)
            hung = shared.hangs
            found = await asyncio.shield(shared.answer)
            if isinstance(found, list):
                return found
            if not hung:
                raise _fault_of(found, host) from found

    def close(self) -> None:
        """Let idle threads end; one that hangs in a look-up ends with the process."""
        for task in self._tasks:
            task.cancel()
        for _ in range(self._threads):
            self._jobs.put(None)

    def _look_up(self, host: str, port: int) -> _LookUp:
        """The one that is under way. While it hangs, another one beside it notices that the name is back."""
        running = [one for one in self._running.get((host, port), ()) if not one.answer.done()]
        self._running[host, port] = running
        if running and not (running[-1].hangs and len(running) < AT_ONCE and self._busy < self._half):
            return running[-1]
        new = _LookUp(host, port)
        running.append(new)
        task = asyncio.create_task(self._carry_out(new))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return new

    async def _carry_out(self, asked: _LookUp) -> None:
        """From the queue to the answer; a task of its own, for who began it may be gone before."""
        prompt = asked.host in self._prompt and self._for_all.locked()
        async with self._for_prompt if prompt else self._for_all:
            self._prompt.discard(asked.host)
            self._hand_over(asked)
            await asked.answer
            self._busy -= 1
        self._forget(asked)
        if not asked.hangs:
            self._prompt.add(asked.host)
        self._end_a_thread_if_idle()

    def _forget(self, asked: _LookUp) -> None:
        """Redirects may lead to ever new names: of one that nobody asks for now only whether it was prompt is kept."""
        key = asked.host, asked.port
        if left := [one for one in self._running.pop(key, ()) if one is not asked]:
            self._running[key] = left
        if len(self._prompt) >= MOST_NAMES:
            self._prompt.clear()

    def _hand_over(self, asked: _LookUp) -> None:
        """To a thread that is free, or a new one; where the system gives none, to the next that becomes free."""
        self._busy += 1
        self._jobs.put(asked)
        if self._busy > self._threads:
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=self._work, name="resolver", daemon=True).start()
                self._threads += 1

    def _end_a_thread_if_idle(self) -> None:
        if self._threads > max(self._busy, KEPT_IDLE):
            self._threads -= 1
            self._jobs.put(None)

    def _work(self) -> None:
        while (asked := self._jobs.get()) is not None:
            asked.run()


def _excuse(shared: _LookUp) -> Callable[[], str | None]:
    """Why a time limit that runs out is ours: for half of it or more, no thread was free."""
    asked_s = time.monotonic()

    def excuse() -> str | None:
        now_s = time.monotonic()
        queued_s = (now_s if shared.began_s is None else shared.began_s) - asked_s
        return f"no thread was free to look up {shared.host}" if queued_s > (now_s - asked_s) / 2 else None

    return excuse


def look_up(host: str, port: int) -> list[Address]:
    """getaddrinfo for TCP, doubles dropped. Blocks."""
    found: dict[str, Address] = {}
    for family, _, _, _, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = Address(family, str(sockaddr[0]), sockaddr)  # type: ignore[arg-type]
        found.setdefault(address.host, address)
    return list(found.values())


@functools.lru_cache(10_000)
def literal(host: str, port: int) -> Address | None:
    """A host that is an address already; None for a name."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return None
    if parsed.version == 4:
        return Address(socket.AF_INET, host, (host, port))
    return Address(socket.AF_INET6, host, (host, port, 0, 0))


def _fault_of(error: Exception, host: str) -> Exception:
    """A Fault for what a look-up may come to; a mistake of ours as it is."""
    if isinstance(error, UnicodeError):
        return Fault("dns_bad_name", f"{host!r} is no valid name: {error}")
    if not isinstance(error, socket.gaierror):
        return error
    if error.errno == socket.EAI_NONAME:
        return Fault("dns_nxdomain", f"{host} does not exist")
    if error.errno in (getattr(socket, "EAI_NODATA", None), getattr(socket, "EAI_ADDRFAMILY", None)):
        return Fault("dns_no_address", f"{host} has no address")
    if error.errno == socket.EAI_AGAIN:
        return Fault("dns_servfail", f"the name server gave no answer for {host}")
    if error.errno in (socket.EAI_MEMORY, socket.EAI_SYSTEM):
        return prober_fault(f"looking up {host} failed here: {error.strerror}")
    return Fault("dns_servfail", f"{host}: {error.strerror}")
