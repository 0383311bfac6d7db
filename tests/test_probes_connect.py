"""Names, addresses and connections: tcp attempts, the resolver's pool, address rules, the prober's own faults."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from local_servers import black_hole, closed_port, ok, probe, saying, serving, tools
from probe_world import until

from probes import resolver as resolver_module
from probes.attempt import Attempt, Fault, Outcome, Trace
from probes.connect import AddressRule, is_public, open_socket
from probes.faults import connect_fault, overdue, unforeseen
from probes.pulse import Pulse
from probes.resolver import Address, Resolver


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_an_open_port_is_up_and_its_time_is_kept() -> None:
    async with serving(silent) as port:
        found = await probe(f"tcp://localhost:{port}")
    assert judged(found) == ("up", None)
    assert found.latency_ms is not None
    assert found.address == "127.0.0.1"
    assert set(found.phases_us) == {"dns", "tcp"}


async def test_a_closed_port_is_down() -> None:
    assert judged(await probe(f"tcp://127.0.0.1:{closed_port()}")) == ("down", "connect_refused")


async def test_a_port_that_answers_nothing_is_down_at_the_deadline() -> None:
    with black_hole() as port:
        found = await probe(f"tcp://127.0.0.1:{port}", timeout_ms=200)
    assert judged(found) == ("down", "connect_timeout")
    assert found.latency_ms is None


async def test_a_name_that_does_not_exist_is_down() -> None:
    assert judged(await probe("tcp://nothing.invalid:80")) == ("down", "dns_nxdomain")


@pytest.mark.parametrize("name", ["a" * 70, "a..b"])
async def test_a_name_that_cannot_be_is_told_as_such(name: str) -> None:
    found = await probe(f"tcp://{name}:80")
    assert found.verdict == "down"
    assert found.error in ("dns_bad_name", "dns_nxdomain")


def gai(code: int) -> OSError:
    return socket.gaierror(code, "seen")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (socket.EAI_NONAME, "dns_nxdomain"),
        (socket.EAI_NODATA, "dns_no_address"),
        (socket.EAI_AGAIN, "dns_servfail"),
        (socket.EAI_FAIL, "dns_servfail"),
        (socket.EAI_MEMORY, "prober_error"),
    ],
)
async def test_every_answer_of_the_system_has_its_class(code: int, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise gai(code)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert (await probe("tcp://name.example:80")).error == error


class Names:
    """The system's look-ups: a name that is dead hangs until `freed`, then fails; every other is answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.freed = threading.Event()
        self.dead = True
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: str, port: int, **more: Any) -> object:
        self.asked.append(host)
        if not host.endswith(".example"):
            return self._real(host, port, **more)
        if self.dead:
            self.freed.wait(10)
            raise gai(socket.EAI_AGAIN)
        return self._real("127.0.0.1", port, **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    found = Names(monkeypatch)
    yield found
    found.freed.set()


async def test_names_that_hang_delay_no_other_and_our_own_limit_is_no_downtime(names: Names) -> None:
    pool = Resolver(threads=3)

    async def ask(host: str) -> Trace:
        trace = Trace()
        trace.phase = "dns"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.resolve(host, 80, trace), 0.05)
        return trace

    first = await ask("one.example")
    began = time.monotonic()
    assert await pool.resolve("localhost", 80, Trace())
    assert time.monotonic() - began < 0.5
    await ask("two.example")
    third = await ask("three.example")
    assert await pool.resolve("localhost", 80, Trace()), "the last thread is kept for a name that was prompt"
    assert time.monotonic() - began < 1
    assert overdue(first, 50) == Outcome("down", "dns_timeout", "the name was not resolved within 0.05 s")
    assert overdue(third, 50).verdict == "unknown"
    pool.close()


async def test_of_names_that_nobody_asks_for_any_more_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "MOST_NAMES", 2)
    pool = Resolver()
    pool._prompt.update(("a.example", "b.example"))
    for port in range(1, 120):  # as redirects to ever new names would
        await pool.resolve("localhost", port, Trace())
    await until(lambda: not pool._running)
    assert pool._prompt == {"localhost"}
    pool.close()


async def test_many_who_ask_for_a_name_that_hangs_hold_two_threads_and_notice_together_that_it_is_back(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver_module, "PROMPT_S", 0.1)
    pool = Resolver()
    asking: list[asyncio.Task[list[Address]]] = []
    for look_ups in (1, 2, 2):
        asking += [asyncio.create_task(pool.resolve("many.example", 80, Trace())) for _ in range(50)]
        await until(lambda wanted=look_ups: len(names.asked) == wanted)
        await asyncio.sleep(0.15)
    asking.pop().cancel()  # takes nobody's answer along
    assert names.asked == ["many.example"] * 2
    names.dead = False
    names.freed.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    failed = [one for one in found if isinstance(one, Fault)]
    assert failed == found[:100], "whoever asked first is told that it failed"
    assert [one[0].host for one in found[100:]] == ["127.0.0.1"] * 49  # and who came late asked again
    assert names.asked == ["many.example"] * 3
    pool.close()


async def test_a_dead_first_address_costs_a_head_start_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(silent) as port:
        with black_hole() as dead:
            both = [Address(socket.AF_INET, "127.0.0.1", ("127.0.0.1", dead)), loopback(port)]
            monkeypatch.setattr(resolver_module, "look_up", lambda host, port: both)
            found = await probe("tcp://two.example:80")
    assert judged(found) == ("up", None)
    assert 250_000 < found.phases_us["tcp"] < 1_000_000


async def test_a_refused_first_address_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(silent) as port:
        both = [loopback(closed_port()), loopback(port)]
        monkeypatch.setattr(resolver_module, "look_up", lambda host, port: both)
        found = await probe("tcp://two.example:80")
    assert judged(found) == ("up", None)
    assert found.phases_us["tcp"] < 250_000


async def test_where_every_address_fails_the_first_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [loopback(closed_port()), loopback(closed_port())]
    monkeypatch.setattr(resolver_module, "look_up", lambda host, port: both)
    assert judged(await probe("tcp://two.example:80")) == ("down", "connect_refused")


def loopback(port: int) -> Address:
    return Address(socket.AF_INET, "127.0.0.1", ("127.0.0.1", port))


PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"),
    *("::1", "::", "fe80::1%1", "fd00::1", "::ffff:10.0.0.1", "2002:0a00:0001::", "ff02::1"),
]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_known_in_every_dress(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize("host", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_public_addresses_are_known(host: str) -> None:
    assert is_public(host)


async def test_a_tenants_endpoint_never_reaches_a_private_address() -> None:
    async with serving(saying(ok())) as port:
        for url in (f"http://localhost:{port}/", f"tcp://127.0.0.1:{port}"):
            found = await probe(url, rule=AddressRule(public_only=True))
            assert judged(found) == ("unknown", "config_error")


async def test_a_network_that_was_allowed_is_reached() -> None:
    rule = AddressRule(public_only=True, allowed=(ipaddress.ip_network("127.0.0.0/8"),))
    async with serving(silent) as port:
        assert judged(await probe(f"tcp://127.0.0.1:{port}", rule=rule)) == ("up", None)


async def test_without_free_descriptors_the_attempt_is_unknown() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serving(silent) as port:
        with tools() as shared:
            await shared.resolver.resolve("127.0.0.1", port, Trace())
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                with pytest.raises(Fault) as caught:
                    await open_socket("127.0.0.1", port, resolver=shared.resolver, rule=AddressRule(), trace=Trace())
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.outcome == Outcome("unknown", "prober_descriptors", "no file descriptor is free")


@pytest.mark.parametrize(
    ("number", "verdict", "error"),
    [
        (errno.EADDRNOTAVAIL, "unknown", "prober_ports"),
        (errno.ENFILE, "unknown", "prober_descriptors"),
        (errno.ENOBUFS, "unknown", "prober_error"),
        (errno.ENOMEM, "unknown", "prober_error"),
        (errno.EHOSTUNREACH, "down", "connect_unreachable"),
        (errno.ECONNREFUSED, "down", "connect_refused"),
        (errno.ETIMEDOUT, "down", "connect_timeout"),
    ],
)
def test_what_the_system_says_of_a_connection_has_its_class(number: int, verdict: str, error: str) -> None:
    outcome = connect_fault(OSError(number, "seen")).outcome
    assert (outcome.verdict, outcome.error) == (verdict, error)


def test_an_unreachable_network_is_the_targets_fault_only_with_a_route_of_ours() -> None:
    unreachable = OSError(errno.ENETUNREACH, "seen")
    assert connect_fault(unreachable, ("127.0.0.1", 80)).outcome.verdict == "down"


@pytest.mark.parametrize("error", [AssertionError(), RecursionError(), MemoryError(), ExceptionGroup("g", [OSError()])])
def test_a_mistake_of_ours_is_never_downtime(error: Exception) -> None:
    assert unforeseen(error).verdict == "unknown"


async def test_case_27_a_timeout_in_a_stall_of_our_own_loop_is_unknown() -> None:
    pulse = Pulse()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0)
    began_s = time.monotonic()
    timed_out = Attempt("a", 0, "down", "timeout_total", "late")
    assert pulse.excuse(timed_out, began_s=began_s) is None
    time.sleep(1.4)  # noqa: ASYNC251  the stall itself
    assert pulse.excuse(timed_out, began_s=began_s) == (
        "prober_stalled",
        "our own event loop stood still during the attempt",
    )
    assert pulse.excuse(Attempt("a", 0, "down", "http_status"), began_s=began_s) is None
    assert pulse.excuse(timed_out, began_s=time.monotonic()) is None
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


async def test_a_network_that_cannot_be_reached_is_the_targets_fault() -> None:
    """The broadcast address is no place to connect to, and our own route to it is there."""
    assert judged(await probe("tcp://255.255.255.255:9")) == ("down", "connect_unreachable")


async def test_out_of_descriptors_whole_attempts_of_every_kind_are_unknown() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serving(saying(ok())) as port:
        await probe(f"http://127.0.0.1:{port}/")  # what is loaded once is loaded
        urls = (f"http://127.0.0.1:{port}/", f"tcp://127.0.0.1:{port}", f"tls://127.0.0.1:{port}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            found = [await probe(url) for url in urls]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [judged(one) for one in found] == [("unknown", "prober_descriptors")] * 3
