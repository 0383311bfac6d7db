"""What an http check may ask of an answer, and what it sends: against real servers on loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import resource
import time
import tracemalloc

import pytest
import regex
from local_servers import ok, probe, saying, serving

from config.answers import json_path
from config.endpoint import Endpoint
from config.secret import Secret
from probes.answer import MATCHED_BYTES
from probes.attempt import Attempt
from probes.endpoint import target_of

pytestmark = pytest.mark.usefixtures("descriptors_kept")


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


async def against(reply: bytes, **settings: object) -> Attempt:
    async with serving(saying(reply)) as port:
        return await probe(f"http://127.0.0.1:{port}/", **settings)


def paths(**values: str) -> tuple[tuple[str, tuple[str | int, ...], str], ...]:
    return tuple((f"$.{path}", json_path(f"$.{path}"), value) for path, value in values.items())


DOCUMENT = b'{"status": "ok", "up": true, "none": null, "count": 3, "load": 1.50, "checks": [{"disk space": "fine"}]}'
JSON = {
    "text": (("$.status", "ok"), True),
    "another text": (("$.status", "down"), False),
    "true": (("$.up", "true"), True),
    "null": (("$.none", "null"), True),
    "a number": (("$.count", "3"), True),
    "the same number, written otherwise": (("$.load", "1.5"), True),
    "another number": (("$.count", "4"), False),
    "within a list": (('$.checks[0]["disk space"]', "fine"), True),
    "behind the list": (("$.checks[1]", "fine"), False),
    "no such key": (("$.gone", "ok"), False),
    "a key of a text": (("$.status.deeper", "ok"), False),
    "an index of a mapping": (("$[0]", "ok"), False),
}


@pytest.mark.parametrize("row", JSON, ids=str)
async def test_a_value_in_json_is_found_by_its_path(row: str) -> None:
    (path, value), good = JSON[row]
    found = await against(ok(DOCUMENT), json=((path, json_path(path), value),))
    assert judged(found) == (("up", None) if good else ("down", "content_mismatch"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 200_000, b"1" * 10_000, b"\xff\xfe\x00"], ids=range(6))
async def test_what_is_no_json_is_a_mismatch_and_no_exception(body: bytes) -> None:
    found = await against(ok(body), json=paths(status="ok"))
    assert judged(found) == ("down", "content_mismatch")


PATTERNS = {
    "found": ({"matches": (r"v[0-9]+\.[0-9]+",)}, True),
    "not found": ({"matches": (r"v[0-9]+\.[0-9]+\.[0-9]+",)}, False),
    "both needed": ({"matches": ("well", "gone")}, False),
    "unwanted found": ({"not_matches": ("(?i)WELL",)}, False),
    "unwanted not found": ({"not_matches": ("ERROR",)}, True),
}


@pytest.mark.parametrize("row", PATTERNS, ids=str)
async def test_patterns_are_looked_for_in_the_body(row: str) -> None:
    wanted, good = PATTERNS[row]
    compiled = {key: tuple(map(regex.compile, patterns)) for key, patterns in wanted.items()}
    found = await against(ok(b"all is well, v1.2"), **compiled)
    assert judged(found) == (("up", None) if good else ("down", "content_mismatch"))


async def test_a_pattern_reads_no_more_than_its_share_of_a_body() -> None:
    behind = ok(b"a" * MATCHED_BYTES + b"needle")
    assert judged(await against(behind, matches=(regex.compile("needle"),))) == ("down", "content_mismatch")
    within = ok(b"a" * (MATCHED_BYTES - 6) + b"needle")
    assert judged(await against(within, matches=(regex.compile("needle"),))) == ("up", None)


async def test_a_pattern_that_would_never_end_is_our_fault_and_keeps_nobody_waiting() -> None:
    began = time.process_time()
    found = await against(ok(b"a" * 5_000 + b"b"), matches=(regex.compile("(a|a|aa)+$"),))
    assert judged(found) == ("unknown", "config_error")
    assert time.process_time() - began < 1


HEADERS = {
    "held": ((("content-type", "json"),), True),
    "there": ((("X-Served-By", ""),), True),
    "other text": ((("Content-Type", "html"),), False),
    "missing": ((("Strict-Transport-Security", ""),), False),
}


@pytest.mark.parametrize("row", HEADERS, ids=str)
async def test_headers_of_the_answer_hold_what_they_must(row: str) -> None:
    headers, good = HEADERS[row]
    reply = ok(headers=b"Content-Type: application/json\r\nX-Served-By: a\r\n")
    async with serving(saying(reply)) as port:
        found = await probe(f"http://127.0.0.1:{port}/", answer_headers=headers)
    assert judged(found) == (("up", None) if good else ("down", "content_mismatch"))


@pytest.mark.parametrize(
    ("status", "good", "verdict"),
    [(204, frozenset({204}), "up"), (200, frozenset({204}), "down"), (404, frozenset({404}), "up")],
)
async def test_the_set_of_good_statuses_decides(status: int, good: frozenset[int], verdict: str) -> None:
    found = await against(ok(b"", status=b"%d X" % status), status=good)
    assert (found.verdict, found.status) == (verdict, status)


async def test_a_refusal_that_may_be_a_firewalls_says_so() -> None:
    found = await against(ok(status=b"403 Forbidden"))
    assert found.detail == "status 403: a firewall may refuse our User-Agent or our address"


async def heard_by(settings: dict[str, object], *, contact: str | None = None) -> bytes:
    """The request that an endpoint with these settings sends."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ok())
        await writer.drain()

    async with serving(listen) as port:
        read = Endpoint.model_validate({"id": "it", "url": f"http://127.0.0.1:{port}/", **settings})
        target = target_of(read.model_copy(update={"contact": contact}), reveal)
        await probe(str(target.url), headers=target.headers, contact=target.contact)
    return heard[0]


def reveal(secret: Secret) -> str:
    return secret.reveal(None, {"NINES_SECRET_API": "s3cret"})


async def test_a_basic_login_is_sent_as_one_header() -> None:
    sent = await heard_by({"username": "probe", "password": "${NINES_SECRET_API}"})
    assert b"Authorization: Basic " + base64.b64encode(b"probe:s3cret") in sent


async def test_a_bearer_login_is_sent_as_one_header() -> None:
    assert b"Authorization: Bearer s3cret\r\n" in await heard_by({"bearer": "${NINES_SECRET_API}"})


async def test_every_request_says_who_asks_and_whom_to_ask() -> None:
    assert b"User-Agent: nines/0.1.0 (availability check)\r\n" in await heard_by({})
    sent = await heard_by({}, contact="operations@example.org")
    assert b"User-Agent: nines/0.1.0 (availability check; contact operations@example.org)\r\n" in sent
    assert b"User-Agent: me\r\n" in await heard_by({"headers": {"User-Agent": "me"}}, contact="operations@example.org")


def test_no_secret_is_shown_in_what_may_be_logged() -> None:
    read = Endpoint.model_validate({"id": "it", "url": "https://example.org/", "bearer": "${NINES_SECRET_API}"})
    assert "s3cret" not in repr(target_of(read, reveal))
    assert "s3cret" not in repr(read)


def test_a_secret_that_holds_a_line_break_breaks_the_target_without_being_told() -> None:
    read = Endpoint.model_validate({"id": "it", "url": "https://example.org/", "bearer": "${NINES_SECRET_API}"})
    target = target_of(read, lambda _: "s3cret\r\nX-Evil: 1")
    assert target.broken == "what stands for header Authorization holds a line break; a header is one line"


async def test_what_a_server_says_is_one_line_without_control_characters() -> None:
    found = await against(ok(headers=b"X-A: \x1b[31mred\x07\r\n"), answer_headers=(("X-A", "green"),))
    assert found.detail is not None
    assert found.detail.isprintable()


async def peak_of(reply: bytes, **settings: object) -> tuple[Attempt, int]:
    """The attempt, and the most memory that it held at once."""
    async with serving(saying(reply)) as port:
        await probe(f"http://127.0.0.1:{port}/")
        tracemalloc.start()
        try:
            found = await probe(f"http://127.0.0.1:{port}/", **settings)
            return found, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


async def test_memory_is_held_whatever_a_bomb_unpacks_to() -> None:
    bomb = gzip.compress(bytes(100_000_000), compresslevel=1)
    reply = ok(bomb, headers=b"Content-Encoding: gzip\r\n")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, peak = await peak_of(reply, max_body_bytes=2_000_000)
    assert judged(found) == ("down", "http_too_large")
    assert peak < 12_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 60_000


async def test_the_cap_holds_on_the_wire_before_anything_is_unpacked() -> None:
    noise = ok(
        gzip.compress(b"".join(n.to_bytes(4, "big") for n in range(300_000))), headers=b"Content-Encoding: gzip\r\n"
    )
    assert judged(await against(noise, max_body_bytes=100_000)) == ("down", "http_too_large")


async def test_as_fast_as_the_limit_is_up_and_slower_is_degraded() -> None:
    late = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", b"a", pause_s=0.06)
    async with serving(late) as port:
        assert judged(await probe(f"http://127.0.0.1:{port}/", max_latency_ms=20)) == ("degraded", "slow")
        assert judged(await probe(f"http://127.0.0.1:{port}/", max_latency_ms=1_900)) == ("up", None)
        assert (await probe(f"http://127.0.0.1:{port}/", timeout_ms=30)).verdict == "down"
