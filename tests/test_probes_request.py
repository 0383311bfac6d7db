"""The bytes of a request: what a server reads is what was asked for, and nothing can be slipped in."""

from __future__ import annotations

from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from probes.attempt import Fault
from probes.request import request_bytes


def made(method: str = "GET", url: str = "http://shop.example/", body: bytes | None = None, **headers: str) -> bytes:
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return request_bytes(method, URL(url), named, body)


def test_the_least_that_is_said() -> None:
    assert made() == b"GET / HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("url", "line", "host"),
    [
        ("http://shop.example:8080/a?b=c#d", b"GET /a?b=c HTTP/1.1", b"shop.example:8080"),
        ("https://shop.example:443", b"GET / HTTP/1.1", b"shop.example"),
        ("http://[2001:db8::1]:81/x", b"GET /x HTTP/1.1", b"[2001:db8::1]:81"),
        ("http://b\u00fccher.example/\u00fc \u4e2d", b"GET /%C3%BC%20%E4%B8%AD HTTP/1.1", b"xn--bcher-kva.example"),
        ("http://shop.example./", b"GET / HTTP/1.1", b"shop.example"),
    ],
)
def test_target_and_host_are_those_of_the_url(url: str, line: bytes, host: bytes) -> None:
    first, second, *_ = made(url=url).split(b"\r\n")
    assert (first, second) == (line, b"Host: " + host)


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        *(("GET", None, None), ("HEAD", None, None), ("OPTIONS", None, None), ("DELETE", None, "0")),
        *(("POST", None, "0"), ("PUT", b"", "0"), ("POST", b"ping", "4")),
    ],
)
def test_a_body_is_announced_and_its_absence_where_one_is_expected(
    method: str, body: bytes | None, length: str | None
) -> None:
    head, _, sent = made(method, body=body).partition(b"\r\n\r\n")
    told = BytesParser().parsebytes(head.partition(b"\r\n")[2])
    assert (told["Content-Length"], sent) == (length, body or b"")
    assert told["Content-Type"] == (None if body is None else "application/octet-stream")


def test_what_was_written_stands_for_what_we_would_say() -> None:
    said = made("POST", body=b"{}", host="other.example", connection="keep-alive", content_type="application/json")
    assert [line for line in said.split(b"\r\n") if line.lower().startswith((b"host", b"conn", b"content-t"))] == [
        b"host: other.example",
        b"connection: keep-alive",
        b"content-type: application/json",
    ]


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\0b"])
def test_a_header_that_would_end_its_line_is_refused_without_telling_it(value: str) -> None:
    with pytest.raises(Fault) as refused:
        made(authorization=value)
    assert (refused.value.outcome.verdict, refused.value.outcome.error) == ("unknown", "config_error")
    assert value not in str(refused.value.outcome.detail)


@given(st.dictionaries(st.from_regex(r"X-[A-Za-z0-9-]{1,20}", fullmatch=True), st.text(max_size=50), max_size=8))
def test_any_headers_are_read_back_or_refused(headers: dict[str, str]) -> None:
    try:
        said = request_bytes("GET", URL("http://shop.example/"), CIMultiDict(headers), None)
    except Fault:
        assert any(char in value for value in headers.values() for char in "\r\n\0")
        return
    head, end, rest = said.partition(b"\r\n\r\n")
    assert (end, rest) == (b"\r\n\r\n", b"")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    told = CIMultiDict((name.decode(), value.decode()) for name, _, value in lines)
    assert all(value in told.getall(name) for name, value in headers.items())
