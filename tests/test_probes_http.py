"""The http attempt against real, mostly broken, servers: one row per fault of the catalogue."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import os
import zlib

import pytest
from local_servers import black_hole, closed_port, ok, probe, reset_now, saying, serving

from probes.attempt import Attempt
from probes.connect import AddressRule
from probes.http import KEPT_ABROAD

pytestmark = pytest.mark.usefixtures("descriptors_kept")
CLOSE = b"Connection: close\r\n"


async def against(talk: object, path: str = "/", **settings: object) -> Attempt:
    async with serving(talk) as port:  # type: ignore[arg-type]
        return await probe(f"http://127.0.0.1:{port}{path}", **settings)


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


REPLIES = {
    "plain": (ok(), "up", None),
    "http/1.0 closed at the end": (b"HTTP/1.0 200 OK\r\n\r\nhello", "up", None),
    "no reason phrase": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "up", None),
    "line feeds only": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "up", None),
    "folded header": (b"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok", "up", None),
    "latin-1 header": (b"HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\nContent-Length: 2\r\n\r\nok", "up", None),
    "length too long": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", "down", "http_truncated"),
    "length negative": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", "down", "http_protocol"),
    "length as text": (b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello", "down", "http_protocol"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "down", "http_protocol"),
    "length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "down",
        "http_protocol",
    ),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "up", None),
    "bad chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello", "down", "http_protocol"),
    "huge chunk size": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000000\r\nhello",
        "down",
        "http_protocol",
    ),
    "no last chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "down", "http_truncated"),
    "http/0.9": (b"<html><body>hello</body></html>", "down", "http_protocol"),
    "status 999": (ok(status=b"999 Odd"), "down", "http_status"),
    "status 099": (ok(status=b"099 Odd"), "down", "http_protocol"),
    "status 20": (ok(status=b"20 OK"), "down", "http_protocol"),
    "another protocol": (b"FOO/9.9 abc\r\n\r\n", "down", "http_protocol"),
    "header without colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok", "down", "http_protocol"),
    "zero byte in a header": (b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok", "down", "http_protocol"),
    "header of 200 kB": (ok(headers=b"X-A: " + b"a" * 200_000 + b"\r\n"), "down", "http_too_large"),
    "header of 20 kB": (ok(headers=b"X-A: " + b"a" * 20_000 + b"\r\n"), "down", "http_too_large"),
    "5000 headers": (ok(headers=b"".join(b"X-%d: a\r\n" % n for n in range(5000))), "down", "http_too_large"),
    "304 with a body": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", "down", "http_status"),
    "204 with a body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "up", None),
    "101 unasked": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "down", "http_protocol"),
    "100 before 200": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(), "up", None),
    "half a status line, closed": (b"HTTP/1.1 20", "down", "http_truncated"),
    "nothing": (b"", "down", "http_empty"),
    "redirect without Location": (ok(status=b"302 Found"), "down", "http_redirect_bad"),
    "redirect to ftp": (ok(status=b"302 Found", headers=b"Location: ftp://a/\r\n"), "down", "http_redirect_bad"),
    "redirect to a file": (ok(status=b"302 Found", headers=b"Location: file:///etc\r\n"), "down", "http_redirect_bad"),
    "redirect to script": (ok(status=b"302 Found", headers=b"Location: javascript:x\r\n"), "down", "http_redirect_bad"),
    "redirect to port 99999": (
        ok(status=b"302 Found", headers=b"Location: http://a.invalid:99999/\r\n"),
        "down",
        "http_redirect_bad",
    ),
    "redirect to itself": (ok(status=b"302 Found", headers=b"Location: /\r\n"), "down", "http_redirect_loop"),
    "401": (ok(status=b"401 Unauthorized"), "down", "http_status"),
    "503 with Retry-After": (ok(status=b"503 Busy", headers=b"Retry-After: 60\r\n"), "down", "http_status"),
    "429": (ok(status=b"429 Slow down"), "degraded", "http_status"),
    "http/2 only": (b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff", "down", "http_protocol"),
}


@pytest.mark.parametrize("row", REPLIES, ids=str)
async def test_each_reply_has_its_class(row: str) -> None:
    reply, verdict, error = REPLIES[row]
    assert judged(await against(saying(reply))) == (verdict, error)


def compressed(body: bytes, encoding: bytes = b"gzip") -> bytes:
    return ok(body, headers=b"Content-Encoding: " + encoding + b"\r\n")


WHOLE = gzip.compress(b"all is well" * 50)
BODIES = {
    "gzip": (compressed(WHOLE), "up", None),
    "deflate": (compressed(zlib.compress(b"all is well"), b"deflate"), "up", None),
    "raw deflate": (compressed(zlib.compress(b"all is well")[2:-4], b"deflate"), "up", None),
    "two gzip members": (compressed(gzip.compress(b"all is ") + gzip.compress(b"well")), "up", None),
    "gzip broken off": (compressed(WHOLE[:20]), "down", "http_decode"),
    "not gzip though said": (compressed(b"all is well"), "down", "http_decode"),
    "gzip bomb": (compressed(gzip.compress(bytes(20_000_000))), "down", "http_too_large"),
    "unknown charset": (ok(b"all is well", headers=b"Content-Type: text/plain; charset=klingon\r\n"), "up", None),
    "byte order mark": (ok(b"\xef\xbb\xbfall is well"), "up", None),
    "utf-16": (ok("all is well".encode("utf-16")), "up", None),
    "invalid utf-8": (ok(b"\xff\xfe\xffall is well"), "up", None),
    "another text": (ok(b"Could not connect to database"), "down", "content_mismatch"),
    "empty": (ok(b""), "down", "content_mismatch"),
}


@pytest.mark.parametrize("row", BODIES, ids=str)
async def test_a_text_is_found_in_the_body_as_it_was_meant(row: str) -> None:
    reply, verdict, error = BODIES[row]
    found = await against(saying(reply), contains=("all is well",), max_body_bytes=1_000_000)
    assert judged(found) == (verdict, error)


async def test_a_text_that_must_not_be_there_is_a_mismatch() -> None:
    found = await against(saying(ok(b"Down for maintenance")), not_contains=("maintenance",))
    assert judged(found) == ("down", "content_mismatch")


STALLS = {
    "half a status line": (saying(b"HTTP/1.1 20", hold=True), "timeout_first_byte"),
    "nothing": (saying(hold=True), "timeout_first_byte"),
    "headers, then nothing": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", hold=True), "timeout_total"),
    "headers drip": (saying(*[b"%c" % byte for byte in ok()], pause_s=0.05), "timeout_total"),
    "body drips": (saying(ok(bytes(90))[:-90], *[b"a"] * 90, pause_s=0.05), "timeout_total"),
}


@pytest.mark.parametrize("row", STALLS, ids=str)
async def test_one_deadline_ends_every_stall(row: str) -> None:
    talk, error = STALLS[row]
    found = await against(talk, timeout_ms=700)
    assert judged(found) == ("down", error)
    assert found.latency_ms is None
    assert sum(found.phases_us.values()) < 1_200_000


async def test_an_endless_body_ends_at_the_cap() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    assert judged(await against(endless, max_body_bytes=1_000_000)) == ("down", "http_too_large")


async def test_endless_interim_answers_are_not_waited_for() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)
            await writer.drain()

    assert judged(await against(flood)) == ("down", "timeout_total")


async def test_a_reset_in_the_body_is_a_reset() -> None:
    found = await against(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(500), reset=True))
    assert judged(found) == ("down", "http_reset")


async def test_a_reset_before_any_answer_is_a_reset() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reset_now(writer)

    assert judged(await against(reset)) == ("down", "http_reset")


async def test_a_refused_connection_is_told_at_once() -> None:
    found = await probe(f"http://127.0.0.1:{closed_port()}/")
    assert judged(found) == ("down", "connect_refused")
    assert found.latency_ms is None


async def test_a_dropped_connection_request_ends_at_the_deadline() -> None:
    with black_hole() as port:
        assert judged(await probe(f"http://127.0.0.1:{port}/", timeout_ms=300)) == ("down", "connect_timeout")


async def test_tls_on_a_plain_port_is_a_protocol_fault() -> None:
    found = await against(saying(b"\x15\x03\x01\x00\x02\x02\x16"))
    assert judged(found) == ("down", "http_protocol")


async def test_bytes_after_the_body_are_noted() -> None:
    found = await against(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA"))
    assert judged(found) == ("up", None)
    assert found.notes == ("bytes after the end of the body",)


async def test_every_phase_is_timed_in_microseconds() -> None:
    async with serving(saying(ok(b"a" * 10), ok(), pause_s=0.02)) as port:
        found = await probe(f"http://localhost:{port}/")
    assert set(found.phases_us) == {"dns", "tcp", "first_byte", "body"}
    assert found.latency_ms is not None
    assert sum(found.phases_us.values()) // 1000 <= found.latency_ms


async def test_slower_than_wished_is_degraded() -> None:
    found = await against(saying(ok(), pause_s=0.0), max_latency_ms=0)
    assert judged(found) in (("degraded", "slow"), ("up", None))
    late = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", b"a", pause_s=0.05)
    assert judged(await against(late, max_latency_ms=20)) == ("degraded", "slow")


async def test_a_redirect_is_followed_and_its_phases_add_up() -> None:
    async with serving(saying(ok(b"there"))) as there:
        hop = ok(status=b"301 Moved", headers=b"Location: http://127.0.0.1:%d/x\r\n" % there)
        found = await against(saying(hop), contains=("there",))
    assert judged(found) == ("up", None)
    assert found.status == 200


async def test_a_redirect_that_is_expected_is_not_followed() -> None:
    moved = ok(status=b"301 Moved", headers=b"Location: http://a.invalid/\r\n")
    assert judged(await against(saying(moved), status=frozenset({301}))) == ("up", None)


async def test_without_following_a_redirect_is_judged_by_its_status() -> None:
    moved = ok(status=b"301 Moved", headers=b"Location: http://a.invalid/\r\n")
    assert judged(await against(saying(moved), follow_redirects=0)) == ("down", "http_status")


async def test_credentials_stay_with_their_host_on_a_redirect() -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ok())
        await writer.drain()

    headers = (("Authorization", "Bearer s3cret"), ("X-Key", "s3cret"), ("Accept", "text/plain"))
    async with serving(listen) as there:
        hop = ok(status=b"307 Moved", headers=b"Set-Cookie: s=1\r\nLocation: http://localhost:%d/\r\n" % there)
        found = await against(saying(hop), headers=headers)
    assert judged(found) == ("up", None)
    assert b"s3cret" not in heard[0]
    assert b"text/plain" in heard[0]
    assert "authorization" not in KEPT_ABROAD


async def test_a_cookie_that_the_redirect_needs_is_kept_within_the_attempt() -> None:
    async def picky(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        again = ok(status=b"302 Found", headers=b"Set-Cookie: seen=1\r\nLocation: /\r\n")
        writer.write(ok() if b"seen=1" in request else again)
        await writer.drain()

    async with serving(picky) as port:
        for _ in range(2):
            assert judged(await probe(f"http://127.0.0.1:{port}/")) == ("up", None)


async def test_where_head_is_not_allowed_get_is_asked() -> None:
    async def no_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(ok() if request.startswith(b"GET") else b"HTTP/1.1 405 No\r\nContent-Length: 9\r\n\r\n")
        await writer.drain()

    assert judged(await against(no_head, request_method="HEAD")) == ("up", None)


async def test_a_body_and_headers_are_sent_as_configured() -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"ping"))
        writer.write(ok())
        await writer.drain()

    found = await against(listen, request_method="POST", body=b"ping", headers=(("X-A", "b"), ("User-Agent", "me")))
    assert judged(found) == ("up", None)
    assert heard[0].startswith(b"POST / HTTP/1.1\r\n")
    assert b"X-A: b\r\n" in heard[0]
    assert b"User-Agent: me\r\n" in heard[0]


async def test_a_server_that_does_not_read_is_down_at_the_deadline() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    found = await against(deaf, request_method="POST", body=bytes(900_000), timeout_ms=400)
    assert found.verdict == "down"
    assert found.error in ("timeout_total", "timeout_first_byte")


async def test_redirects_that_never_end_are_a_loop() -> None:
    asked: list[bytes] = []

    async def onward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ok(status=b"302 Found", headers=b"Location: /%d\r\n" % len(asked)))
        await writer.drain()

    assert judged(await against(onward, follow_redirects=5)) == ("down", "http_redirect_loop")
    assert len(asked) == 6


async def test_a_long_relative_redirect_is_followed() -> None:
    async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        moved = ok(status=b"302 Found", headers=b"Location: ?q=" + b"a" * 3_000 + b"\r\n")
        writer.write(ok() if b"?q=aaa" in request else moved)
        await writer.drain()

    assert judged(await against(there)) == ("up", None)


async def test_a_tenants_redirect_to_a_private_address_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address is let through as if it were public; the one behind the redirect is judged again."""
    moved = ok(status=b"302 Found", headers=b"Location: http://169.254.169.254/latest/meta-data\r\n")
    rule = AddressRule(public_only=True, allowed=(ipaddress.ip_network("127.0.0.1/32"),))
    found = await against(saying(moved), rule=rule)
    assert judged(found) == ("unknown", "config_error")


async def test_post_becomes_get_after_303_and_its_body_stays_behind() -> None:
    asked: list[bytes] = []

    async def form(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        seen = ok(status=b"303 See Other", headers=b"Location: /done\r\n")
        writer.write(ok() if asked[-1].startswith(b"GET /done") else seen)
        await writer.drain()

    found = await against(form, request_method="POST", body=b"a=1", headers=(("Content-Type", "text/plain"),))
    assert judged(found) == ("up", None)
    assert b"Content-Type" not in asked[1]
    assert b"Content-Length: 3" not in asked[1]


async def test_an_attempt_leaves_no_descriptor_and_no_task_behind() -> None:
    def open_now() -> int:
        return len(os.listdir("/proc/self/fd"))

    async with serving(saying(ok())) as port:
        await probe(f"http://localhost:{port}/")
        before = open_now()
        for _ in range(20):
            await probe(f"http://127.0.0.1:{port}/")
            await probe(f"http://127.0.0.1:{closed_port()}/")
            await probe(f"https://127.0.0.1:{port}/", timeout_ms=20)
        await asyncio.sleep(0.05)
        assert open_now() <= before + 2
    assert len(asyncio.all_tasks()) == 1


async def test_a_server_that_closes_after_each_answer_is_up_every_time() -> None:
    """No connection is kept, so none can have been closed meanwhile."""
    async with serving(saying(ok(headers=CLOSE))) as port:
        assert [judged(await probe(f"http://127.0.0.1:{port}/")) for _ in range(3)] == [("up", None)] * 3


async def test_answers_that_come_fast_and_slowly_in_turn_are_judged_each_by_itself() -> None:
    asked: list[bytes] = []

    async def every_second_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        await asyncio.sleep(0.1 if len(asked) % 2 == 0 else 0)
        writer.write(ok())
        await writer.drain()

    async with serving(every_second_one) as port:
        found = [judged(await probe(f"http://127.0.0.1:{port}/", max_latency_ms=80)) for _ in range(4)]
    assert found == [("up", None), ("degraded", "slow")] * 2


async def test_an_answer_after_the_deadline_is_down() -> None:
    assert judged(await against(saying(b"", ok(), pause_s=0.3), timeout_ms=200)) == ("down", "timeout_first_byte")


H2 = {
    "settings": b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff",
    "go away": b"\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\1",
    "reset of the stream": b"\0\0\4\3\0\0\0\0\1\0\0\0\1",
    "a flood of settings": b"\0\0\0\4\0\0\0\0\0" * 5_000,
}


@pytest.mark.parametrize("row", H2, ids=str)
async def test_what_speaks_http_2_only_breaks_the_protocol_that_was_asked_for(row: str) -> None:
    assert judged(await against(saying(H2[row]))) == ("down", "http_protocol")


async def test_a_body_that_never_ends_and_comes_slowly_ends_at_the_deadline() -> None:
    endless = saying(b"HTTP/1.1 200 OK\r\n\r\n", *[b"a"] * 100, pause_s=0.02)
    assert judged(await against(endless, timeout_ms=300)) == ("down", "timeout_total")


async def test_a_body_stays_with_its_host_on_a_redirect() -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ok())
        await writer.drain()

    async with serving(listen) as there:
        elsewhere = ok(status=b"307 Moved", headers=b"Location: http://localhost:%d/\r\n" % there)
        found = await against(saying(elsewhere), request_method="POST", body=b"password=s3cret")
        assert judged(found) == ("down", "http_redirect_bad")
        assert heard == []
        same_host = ok(status=b"307 Moved", headers=b"Location: http://127.0.0.1:%d/\r\n" % there)
        found = await against(saying(same_host), request_method="POST", body=b"password=s3cret")
        assert judged(found) == ("up", None)


async def test_one_attempt_is_one_request_also_where_the_server_hangs_up() -> None:
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        if asked > 1:
            writer.write(ok())

    assert judged(await against(hang_up)) == ("down", "http_empty")
    assert asked == 1
