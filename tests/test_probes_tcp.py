"""Tcp checks that talk: banners, questions and answers in pieces, and servers that do not keep to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from local_servers import Talk, probe, reset_now, serving

from probes.attempt import Attempt
from probes.tcp import MAX_ANSWER

pytestmark = pytest.mark.usefixtures("descriptors_kept")


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


def greeting(*parts: bytes, hold: bool = False, reset: bool = False) -> Talk:
    """Says the parts unasked, then closes, holds on, or resets."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        if hold:
            await asyncio.sleep(30)
        if reset:
            await reset_now(writer)

    return talk


async def against(talk: Talk, **settings: object) -> Attempt:
    async with serving(talk) as port:
        return await probe(f"tcp://127.0.0.1:{port}", **{"timeout_ms": 400, **settings})


GREETINGS = {
    "whole": (greeting(b"220 mail.example ESMTP\r\n", hold=True), "up", None),
    "in two pieces": (greeting(b"22", b"0 mail.example\r\n", hold=True), "up", None),
    "byte by byte": (greeting(*(b"%c" % byte for byte in b"220 mail\r\n"), hold=True), "up", None),
    "another": (greeting(b"554 go away\r\n"), "down", "content_mismatch"),
    "silent": (greeting(hold=True), "down", "timeout_first_byte"),
    "half, then silent": (greeting(b"22", hold=True), "down", "timeout_total"),
    "closed at once": (greeting(), "down", "content_mismatch"),
    "reset at once": (greeting(reset=True), "down", "connect_reset"),
}


@pytest.mark.parametrize("row", GREETINGS, ids=str)
async def test_a_banner_is_heard_in_whatever_pieces(row: str) -> None:
    talk, verdict, error = GREETINGS[row]
    found = await against(talk, expect=b"220 ")
    assert judged(found) == (verdict, error)
    assert found.latency_ms is None or verdict == "up"


async def test_what_was_heard_instead_is_told_on_one_line() -> None:
    found = await against(greeting(b"554 go\r\naway\x1b[31m"), expect=b"220 ")
    assert found.detail == r"'220 ' did not come; the server said '554 go\r\naway\x1b[31m' and closed"


async def test_a_question_is_asked_and_its_answer_heard() -> None:
    async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline() == b"PING\r\n":
            writer.write(b"+PONG\r\n")
            await writer.drain()
            await reader.read()

    found = await against(redis, send=b"PING\r\n", expect=b"+PONG")
    assert judged(found) == ("up", None)
    assert set(found.phases_us) == {"dns", "tcp", "first_byte", "body"}
    assert judged(await against(redis, send=b"PUNG\r\n", expect=b"+PONG")) == ("down", "content_mismatch")


async def test_an_endless_answer_ends_at_the_cap() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    found = await against(endless, expect=b"220 ")
    assert judged(found) == ("down", "content_mismatch")
    assert str(MAX_ANSWER) in str(found.detail)


async def test_a_server_that_reads_nothing_is_down_at_the_deadline() -> None:
    found = await against(greeting(hold=True), send=bytes(20_000_000))
    assert found.verdict == "down"
    assert found.error in ("timeout_first_byte", "timeout_total")


async def test_an_open_port_without_more_asked_is_up_even_where_the_server_hangs_up() -> None:
    assert judged(await against(greeting())) == ("up", None)
    assert judged(await against(greeting(reset=True))) == ("up", None)


async def test_slower_than_wished_is_degraded() -> None:
    found = await against(greeting(b"2", b"2", b"0 \r\n", hold=True), expect=b"220 ", max_latency_ms=20)
    assert judged(found) == ("degraded", "slow")


async def test_a_connection_that_comes_late_but_in_time_is_slow_and_not_down() -> None:
    """The queue of the listener is full at first: the kernel asks again after a second, and is let in."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        letting_in = asyncio.create_task(let_in(listener, after_s=0.3))
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        found = await probe(url, timeout_ms=6_000, max_latency_ms=500)
        letting_in.cancel()
        await asyncio.gather(letting_in, return_exceptions=True)
    assert judged(found) == ("degraded", "slow")


async def let_in(listener: socket.socket, *, after_s: float) -> None:
    """From then on take everyone who waits at the door; those who came first ask again, too, and stand there again."""
    listener.setblocking(False)
    while True:
        await asyncio.sleep(after_s)
        with contextlib.suppress(BlockingIOError):
            while True:
                listener.accept()[0].close()
