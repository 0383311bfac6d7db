"""Outages that follow each other closely are one incident; none is lost, none is in two."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.incidents import CALM_MS, Spell, calm_ms, incidents

MINUTE = 60_000
LENGTHS = st.lists(st.tuples(st.integers(0, 2 * CALM_MS), st.integers(0, 2 * CALM_MS)), max_size=30)


def spells(*lengths: tuple[int, int]) -> list[Spell]:
    """One for each (good before it, bad in it), in ms."""
    found, at_ms = [], 0
    for number, (good_ms, bad_ms) in enumerate(lengths):
        found.append(Spell(f"O-{number}", at_ms + good_ms, at_ms + good_ms + bad_ms))
        at_ms += good_ms + bad_ms
    return found


def test_case_30_is_one_flapping_incident_of_600_s() -> None:
    (found,) = incidents(spells(*[(MINUTE, MINUTE)] * 10), calm_ms=calm_ms(MINUTE))
    assert (found.id, len(found.spells), found.flaps, found.over_ms) == ("O-0", 10, True, 600_000)
    assert [found.upto(f"O-{number}").flaps for number in range(4)] == [False, False, True, True]


def test_the_calm_time_ends_an_incident_to_the_millisecond() -> None:
    near, far = [(0, MINUTE), (CALM_MS - 1, MINUTE)], [(0, MINUTE), (CALM_MS, MINUTE)]
    assert [len(list(incidents(spells(*each), calm_ms=CALM_MS))) for each in (near, far)] == [1, 2]


@pytest.mark.parametrize(("interval", "calm"), [(1, 5), (2, 6), (10, 30), (20, 60), (1440, 60)])
def test_what_is_looked_at_seldom_needs_longer_to_be_steady(interval: int, calm: int) -> None:
    assert calm_ms(interval * MINUTE) == calm * MINUTE


@given(LENGTHS)
def test_incidents_are_the_outages_cut_where_it_was_calm(lengths: list[tuple[int, int]]) -> None:
    made = spells(*lengths)
    found = list(incidents(made, calm_ms=CALM_MS))
    assert [spell for incident in found for spell in incident.spells] == made
    for before, after in pairwise(found):
        assert after.from_ms - (before.spells[-1].to_ms or 0) >= CALM_MS
    for incident in found:
        assert all(b.from_ms - (a.to_ms or 0) < CALM_MS for a, b in pairwise(incident.spells))
