"""What a server answers is looked at and forgotten: no part of a body reaches the ledger or the log."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import pytest
from ledger_scenes import T0, new_ledger, writing
from local_servers import ok, probe, saying, serving

from ledger.observations import Observed
from probes.attempt import Attempt
from sla.judge import Check, Method, State, judge

SECRET = b"Jane-Doe-4711"
BODY = b'{"patient": "' + SECRET + b'"}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PACKED = gzip.compress(BODY)

REPLIES = {
    "good": ok(BODY),
    "an error page": ok(BODY, status=b"500 Internal Server Error"),
    "too many requests": ok(BODY, status=b"429 Too Many Requests"),
    "no status line": BODY,
    "a foreign status line": b"HTTP/1.1 " + SECRET + b"\r\n\r\n",
    "a reason of its own": ok(b"", status=b"500 " + SECRET),
    "a chunk that is none": CHUNKED + SECRET + b"\r\n" + BODY,
    "a chunk of a wrong length": CHUNKED + b"2\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunked body that ends early": CHUNKED + b"%x\r\n" % len(BODY) + BODY[:-2],
    "a body that ends early": ok(BODY)[:-3],
    "bytes behind the end": ok(b"hello") + SECRET,
    "a packed body that is none": ok(BODY, headers=b"Content-Encoding: gzip\r\n"),
    "a packed body that breaks off": ok(PACKED[:-9], headers=b"Content-Encoding: gzip\r\n"),
    "a packing nobody knows": ok(BODY, headers=b"Content-Encoding: %b\r\n" % SECRET),
    "a header that is none": b"HTTP/1.1 200 OK\r\n" + SECRET + b"\r\n\r\n",
    "a header with a zero": b"HTTP/1.1 200 OK\r\nX-Patient: " + SECRET + b"\x00\r\n\r\n",
    "a cookie": ok(BODY, headers=b"Set-Cookie: session=%b\r\n" % SECRET),
    "a charset nobody knows": ok(BODY, headers=b"Content-Type: text/html; charset=%b\r\n" % SECRET),
    "a length that is none": ok(BODY).replace(b"Content-Length: ", b"Content-Length: " + SECRET),
    "two lengths": ok(BODY, headers=b"Content-Length: 3\r\n"),
    "redirected to an application": ok(
        BODY, status=b"302 Found", headers=b"Location: app://callback?code=%b\r\n" % SECRET
    ),
    "redirected to nonsense": ok(BODY, status=b"302 Found", headers=b"Location: http://[%b\r\n" % SECRET),
    "redirected to a port that is none": ok(
        BODY, status=b"302 Found", headers=b"Location: http://example.org:%b/\r\n" % SECRET
    ),
}


@pytest.mark.parametrize("what", REPLIES)
async def test_no_part_of_an_answer_reaches_the_ledger_or_the_log(
    what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(saying(REPLIES[what])) as port:
        found = await probe(f"http://127.0.0.1:{port}/", contains=("all is well",), max_body_bytes=1_000)
    assert found.verdict != "up"
    assert SECRET not in recorded(found, tmp_path)
    assert SECRET.decode() not in caplog.text


def recorded(found: Attempt, folder: Path) -> bytes:
    """The ledger's files once it is written as the daemon writes it, twice, so that an outage tells of it as well."""
    state, method = State(), Method(60_000, 2_000)
    with new_ledger(folder) as ledger, writing(ledger) as writer:
        for at_ms in (T0, T0 + 60_000):
            check = Check(at_ms, found.verdict, found.error, found.latency_ms)
            state, transitions = judge(state, check, method)
            writer.life(at_ms)
            writer.put(
                Observed(
                    "api", "local", check, phases_us=dict(found.phases_us), detail=found.detail, transitions=transitions
                )
            )
        writer.flush()
    return b"".join(path.read_bytes() for path in folder.glob("nines.db*"))
