"""Compressed bodies, fed in pieces of any size."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.attempt import Fault
from probes.decode import decoder


def decoded(encoding: str, data: bytes, *, piece: int, cap: int = 10_000_000) -> bytes:
    undo = decoder(encoding, cap)
    assert undo is not None
    for start in range(0, len(data), piece):
        undo.feed(data[start : start + piece])
    return undo.finish()


@given(st.binary(max_size=3_000), st.integers(1, 4_000), st.sampled_from(["", "gzip", "deflate"]))
def test_any_body_comes_back_whole_in_any_pieces(body: bytes, piece: int, encoding: str) -> None:
    wire = {"": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[encoding]
    assert decoded(encoding, wire, piece=piece) == body


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 900_000])
@pytest.mark.parametrize("piece", [7, 65_536, 10_000_000])
def test_a_body_that_shrinks_a_thousandfold_comes_back_whole(size: int, piece: int) -> None:
    assert decoded("gzip", gzip.compress(bytes(size)), piece=piece) == bytes(size)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 200))
def test_the_members_of_a_gzip_file_come_back_as_one_body(bodies: list[bytes], piece: int) -> None:
    wire = b"".join(gzip.compress(body) for body in bodies)
    assert decoded("gzip", wire, piece=piece) == b"".join(bodies)
    assert decoded("gzip", wire + b"trailing dirt", piece=piece) == b"".join(bodies)


@pytest.mark.parametrize("left_out", [1, 4, 8, 12])
def test_a_stream_that_breaks_off_is_told_at_the_end(left_out: int) -> None:
    with pytest.raises(Fault, match="http_decode"):
        decoded("gzip", gzip.compress(b"all is well")[:-left_out], piece=100)


def test_the_cap_holds_while_it_inflates() -> None:
    with pytest.raises(Fault, match="http_too_large"):
        decoded("gzip", gzip.compress(bytes(5_000_000)), piece=10_000, cap=100_000)


def test_an_encoding_that_was_not_asked_for_has_no_decoder() -> None:
    assert decoder("br", 100) is None
    assert decoder("gzip, gzip", 100) is None
