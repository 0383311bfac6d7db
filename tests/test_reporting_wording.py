"""Durations, shares and times as people read them."""

from __future__ import annotations

from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from reporting_boards import berlin

from reporting.wording import (
    SHORT_UNITS,
    full_time,
    iso_utc,
    left,
    near_time,
    plain,
    share_up,
    used,
    whole_percent,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("length_ms", "down", "up"),
    [
        (0, "0 s", "0 s"),
        (1, "0 s", "1 s"),
        (59_999, "59 s", "1 min 0 s"),
        (515_500, "8 min 35 s", "8 min 36 s"),
        (3_599_001, "59 min 59 s", "1 h 0 min"),
        (4_199_000, "1 h 9 min", "1 h 10 min"),
        (93_600_000, "1 d 2 h", "1 d 2 h"),
        (86_400_001, "1 d 0 h", "1 d 1 h"),
    ],
)
def test_what_is_left_is_rounded_down_and_what_is_used_up(length_ms: int, down: str, up: str) -> None:
    assert (left(length_ms), used(length_ms)) == (down, up)


def test_units_are_short_on_the_terminal() -> None:
    assert left(2_577_000, units=SHORT_UNITS) == "42 m 57 s"


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        left(-1)


@pytest.mark.parametrize(("share", "text"), [("0", "0.0 %"), ("4990/10000", "49.9 %"), ("10001/10000", "100.1 %")])
def test_shares_are_rounded_up_to_a_tenth(share: str, text: str) -> None:
    assert share_up(Fraction(share)) == text


def test_a_share_just_above_a_tenth_takes_the_next() -> None:
    assert share_up(Fraction(80_001, 100_000)) == "80.1 %"
    assert whole_percent(Fraction(751, 1000)) == "76 %"


def test_times_name_the_day_only_where_it_is_another() -> None:
    now = berlin(23, "12:18:40")
    assert near_time(berlin(23, "14:00:00"), BERLIN, now_ms=now) == "14:00"
    assert near_time(berlin(24, "02:00:00"), BERLIN, now_ms=now) == "Tue 02:00"
    assert near_time(berlin(9, "02:00:00", month=12), BERLIN, now_ms=now) == "9 Dec"


def test_full_times_carry_the_zone() -> None:
    assert full_time(berlin(25, "02:30:00", month=10), BERLIN) == "Sun 25 Oct 2026 02:30:00 CEST"
    assert iso_utc(1_795_432_715_007) == "2026-11-23T11:18:35.007Z"


def test_foreign_text_keeps_to_one_line() -> None:
    assert plain("a\nb\x1b[0m\u202e c\u2066") == "a b [0m c"
