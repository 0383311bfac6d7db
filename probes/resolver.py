"""Names to addresses as the system does it (getaddrinfo), in threads of our own, so that dead names delay nobody."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import queue
import socket
import threading
from dataclasses import dataclass

from probes.attempt import Fault, Trace, prober_fault

THREADS = 48


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a host, ready for a socket."""

    family: socket.AddressFamily
    host: str
    sockaddr: tuple[str, int] | tuple[str, int, int, int]


class _Job:
    def __init__(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.host, self.port, self.loop = host, port, loop
        self.future: asyncio.Future[list[Address]] = loop.create_future()
        self.started = False

    def run(self) -> None:
        if self.future.cancelled():
            return
        self.started = True
        try:
            answer: list[Address] | BaseException = look_up(self.host, self.port)
        except Exception as error:
            answer = error
        try:
            self.loop.call_soon_threadsafe(self._answer, answer)
        except RuntimeError:  # the loop has ended since; nobody waits any more
            return

    def _answer(self, answer: list[Address] | BaseException) -> None:
        if self.future.done():
            return
        if isinstance(answer, BaseException):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


class Resolver:
    """A pool of daemon threads, started as they are needed. A look-up that hangs holds its thread, not the loop."""

    def __init__(self, threads: int = THREADS) -> None:
        self._limit = threads
        self._threads = 0
        self._idle = threading.Semaphore(0)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()

    async def resolve(self, host: str, port: int, trace: Trace) -> list[Address]:
        """The addresses of a name, in the system's order. Raises Fault; the caller's deadline cancels it."""
        written_out = literal(host, port)
        if written_out is not None:
            return [written_out]
        job = _Job(host, port, asyncio.get_running_loop())
        trace.excuse = lambda: None if job.started else f"no thread was free to look up {host}"
        self._jobs.put(job)
        self._start_thread_if_needed()
        try:
            return await job.future
        except UnicodeError as error:
            raise Fault("dns_bad_name", f"{host!r} is no valid name: {error}") from error
        except socket.gaierror as error:
            raise _fault_of(error, host) from error
        finally:
            job.future.cancel()

    def close(self) -> None:
        """Let idle threads end; one that hangs in a look-up ends with the process."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _start_thread_if_needed(self) -> None:
        if self._idle.acquire(blocking=False) or self._threads >= self._limit:
            return
        self._threads += 1
        threading.Thread(target=self._work, name=f"resolver-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            self._idle.release()


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


def _fault_of(error: socket.gaierror, host: str) -> Fault:
    if error.errno == socket.EAI_NONAME:
        return Fault("dns_nxdomain", f"{host} does not exist")
    if error.errno in (getattr(socket, "EAI_NODATA", None), getattr(socket, "EAI_ADDRFAMILY", None)):
        return Fault("dns_no_address", f"{host} has no address")
    if error.errno == socket.EAI_AGAIN:
        return Fault("dns_servfail", f"the name server gave no answer for {host}")
    if error.errno in (socket.EAI_MEMORY, socket.EAI_SYSTEM):
        return prober_fault(f"looking up {host} failed here: {error.strerror}")
    return Fault("dns_servfail", f"{host}: {error.strerror}")
