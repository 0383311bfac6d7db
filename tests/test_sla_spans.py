"""Sets of time as algebra."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.spans import NOWHEN, Spans, at_least

pairs = st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 8)).map(lambda p: (p[0], p[0] + p[1])), max_size=6)
sets = pairs.map(Spans.of)


def held(spans: Spans) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


@given(pairs)
def test_spans_are_ascending_disjoint_and_never_touch(raw: list[tuple[int, int]]) -> None:
    found = Spans.of(raw)
    assert held(found) == {at for start, end in raw for at in range(start, end)}
    assert all(left[1] < right[0] for left, right in zip(found.spans, found.spans[1:], strict=False))
    assert all(start < end for start, end in found)
    assert found.total_ms == len(held(found))


@given(sets, sets)
def test_union_intersection_and_difference_are_those_of_sets(a: Spans, b: Spans) -> None:
    assert held(a | b) == held(a) | held(b)
    assert held(a & b) == held(a) & held(b)
    assert held(a - b) == held(a) - held(b)
    for found in (a | b, a & b, a - b):
        assert found == Spans.of(found.spans)


@given(sets, sets, sets)
def test_the_algebra_commutes_associates_and_partitions(a: Spans, b: Spans, c: Spans) -> None:
    assert (a | b, a & b) == (b | a, b & a)
    assert ((a | b) | c, (a & b) & c) == (a | (b | c), a & (b & c))
    assert (a - b) | (a & b) == a
    assert not (a - b) & b
    assert (a | a, a & a, a - a) == (a, a, NOWHEN)


@given(sets, st.integers(-25, 25), st.integers(-25, 25))
def test_clip_and_membership(a: Spans, from_ms: int, to_ms: int) -> None:
    assert held(a.clip(from_ms, to_ms)) == {at for at in held(a) if from_ms <= at < to_ms}
    assert (from_ms in a) == (from_ms in held(a))


@given(st.lists(sets, min_size=1, max_size=4), st.data())
def test_at_least_counts_how_many_sets_hold_an_instant(several: list[Spans], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(several) + 1))
    found = at_least(count, several)
    assert held(found) == {at for at in range(-25, 35) if sum(at in held(each) for each in several) >= count}
    assert found == Spans.of(found.spans)


def test_what_cannot_be_a_set_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Spans.of([(2, 1)])
    with pytest.raises(ValueError, match="always true"):
        at_least(0, [])
