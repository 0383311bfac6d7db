"""The bytes of a spool: whatever becomes of them, what is read is a beginning of what was put."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from ledger.recording import Observed
from ledger.sight import Moved, Notice, SeenAgain, Unseen
from ledger.spool_records import HEAD_BYTES, Frame, framed, frames_in, head, read_head
from sla.judge import Check, Closed, CoverageClosed, CoverageOpened, Opened

GENERATION, OTHER = b"12345678", b"87654321"
instants = st.integers(0, 2**42)
words = st.none() | st.text(max_size=12)
checks = st.builds(Check, instants, st.sampled_from(["up", "degraded", "down", "unknown"]), words, st.none() | instants)
kinds = st.sampled_from(["down", "degraded"])
unseeing = st.sampled_from(["blind", "off", "clock_step"])
bodies = st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=6), max_size=2)
sights = st.one_of(
    st.builds(Unseen, unseeing, instants, st.none() | instants, st.text(max_size=12)),
    st.builds(SeenAgain, unseeing, instants),
    st.builds(Moved, st.integers(), instants),
    st.builds(Notice, st.text(max_size=12), instants, bodies),
)
transitions = st.one_of(
    sights,
    st.builds(Opened, kinds, instants, st.none() | instants, instants, words, st.integers(1, 99)),
    st.builds(
        *(Closed, kinds, instants, instants, instants, st.none() | instants, st.integers(1, 99)),
        st.sampled_from(["recovered", "unobserved", "removed", "worsened"]),
    ),
    st.builds(CoverageOpened, instants, instants),
    st.builds(CoverageClosed, instants, instants),
)
observations = st.builds(
    Observed,
    st.none() | st.text(string.ascii_letters, min_size=1, max_size=8),
    st.just("local"),
    st.none() | checks,
    st.booleans(),
    st.none() | st.dictionaries(st.sampled_from(["dns", "tls"]), instants),
    words,
    st.lists(transitions, max_size=2).map(tuple),
)
frames = st.builds(
    *(Frame, st.integers(1, 9), st.just("boot"), st.just("local"), st.integers(1, 9), st.integers(9, 99)),
    st.lists(st.tuples(st.integers(1, 99), observations), max_size=3).map(tuple),
    st.none() | instants,
    st.none() | instants,
)


def put(many: list[Frame]) -> bytes:
    return head("a" * 32, GENERATION) + b"".join(framed(frame, GENERATION) for frame in many)


def read(data: bytes) -> list[Frame]:
    return [frame for frame, _ in frames_in(data, GENERATION)]


@given(st.lists(frames, max_size=4), st.integers(0, 40))
def test_what_is_put_is_read_whatever_zeros_follow(many: list[Frame], zeros: int) -> None:
    data = put(many) + bytes(zeros)
    assert read_head(data) == ("a" * 32, GENERATION)
    assert read(data) == many


@given(st.lists(frames, min_size=1, max_size=4), st.data())
def test_a_torn_tail_leaves_a_beginning(many: list[Frame], draw: st.DataObject) -> None:
    data = put(many)
    found = read(data[: draw.draw(st.integers(0, len(data) - 1))])
    assert found == many[: len(found)]
    assert len(found) < len(many)


@given(st.lists(frames, min_size=1, max_size=4), st.data())
def test_a_flipped_byte_leaves_a_beginning(many: list[Frame], draw: st.DataObject) -> None:
    data = bytearray(put(many))
    place = draw.draw(st.integers(0, len(data) - 1))
    data[place] ^= draw.draw(st.integers(1, 255))
    if place < HEAD_BYTES:
        assert read_head(bytes(data)) is None
        return
    found = read(bytes(data))
    assert found == many[: len(found)]
    assert len(found) < len(many)


@given(st.lists(frames, min_size=1, max_size=3), st.lists(frames, min_size=1, max_size=3))
def test_what_an_earlier_use_left_is_not_read(before: list[Frame], now: list[Frame]) -> None:
    fresh = put(now)
    old = head("a" * 32, OTHER) + b"".join(framed(frame, OTHER) for frame in before)
    assert read(fresh + old[len(fresh) :]) == now
    assert read(fresh + b"".join(framed(frame, OTHER) for frame in before)) == now
