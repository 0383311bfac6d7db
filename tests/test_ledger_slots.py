"""A day in a few hundred bytes: every number comes back, and a response time is told within 1/32."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.slots import (
    HOURS,
    QUARTERS,
    Quarter,
    UnknownSlots,
    bucket,
    middle_ms,
    read_counts,
    read_latency,
    write_counts,
    write_latency,
)

numbers = st.integers(0, 2**40)
quarter = st.builds(Quarter, st.lists(numbers, min_size=4, max_size=4), numbers)
quarters = st.lists(quarter, min_size=1, max_size=5).map(lambda some: (some * QUARTERS)[:QUARTERS])
hour = st.dictionaries(st.integers(0, 600), st.integers(1, 10**6)).map(Counter)
hours = st.lists(hour, min_size=1, max_size=5).map(lambda some: (some * HOURS)[:HOURS])


@given(quarters)
def test_counts_come_back(day: list[Quarter]) -> None:
    assert read_counts(write_counts(day)) == day


@given(hours)
def test_response_times_come_back(day: list[Counter[int]]) -> None:
    assert read_latency(write_latency(day)) == day


@given(st.integers(0, 10**9))
def test_a_bucket_tells_its_values_within_a_thirty_second(latency_ms: int) -> None:
    told = middle_ms(bucket(latency_ms))
    assert abs(told - latency_ms) * 32 <= latency_ms
    assert told == latency_ms or latency_ms >= 32


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_slower_answer_is_never_in_an_earlier_bucket(one: int, other: int) -> None:
    assert (one <= other) <= (bucket(one) <= bucket(other))


def test_every_bucket_is_used_in_turn() -> None:
    used = sorted({bucket(latency_ms) for latency_ms in range(100_000)})
    assert used == list(range(used[-1] + 1))


def test_a_clock_that_was_set_back_is_no_error() -> None:
    assert bucket(-5) == 0


def test_a_regular_day_takes_few_bytes() -> None:
    regular = write_counts([Quarter([15, 0, 0, 0], 15)] * QUARTERS)
    assert len(regular) < 30


def test_what_a_newer_version_wrote_is_not_guessed_at() -> None:
    with pytest.raises(UnknownSlots, match="newer version"):
        read_counts(b"\x02" + write_counts([Quarter()] * QUARTERS)[1:])
