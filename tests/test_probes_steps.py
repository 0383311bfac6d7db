"""Three clocks compared: a step of one, a sleep of another, and the slewing that is neither."""

from __future__ import annotations

import pytest

from probes.steps import Clocks, Slept, Stepped


class Hands:
    """Three clocks, set by hand."""

    def __init__(self) -> None:
        self.wall, self.steady, self.awake = 1_000_000, 5_000, 5_000

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall, steady=lambda: self.steady, awake=lambda: self.awake)

    def go(self, ms: int) -> None:
        self.wall, self.steady, self.awake = self.wall + ms, self.steady + ms, self.awake + ms


@pytest.mark.parametrize("by_ms", [-1_800_000, -1_001, 1_001, 3_600_000])
def test_a_set_wall_clock_is_a_step_told_once(by_ms: int) -> None:
    hands = Hands()
    clocks = hands.clocks()
    hands.go(700)
    hands.wall += by_ms
    step = Stepped(by_ms, hands.wall)
    assert clocks.look() == (step,)
    assert step.before_ms == 1_000_700
    hands.go(700)
    assert clocks.look() == ()


def test_slewing_never_adds_up_to_a_step() -> None:
    hands = Hands()
    clocks = hands.clocks()
    for _ in range(100):
        hands.go(1_000)
        hands.wall += 50
        assert clocks.look() == ()


def test_a_suspended_machine_slept_and_its_clock_did_not_step() -> None:
    hands = Hands()
    clocks = hands.clocks()
    hands.wall, hands.steady = hands.wall + 28_800_000, hands.steady + 28_800_000
    assert clocks.look() == (Slept(1_000_000, 29_800_000),)


def test_a_stall_of_ours_is_neither() -> None:
    hands = Hands()
    clocks = hands.clocks()
    hands.go(40_000)
    assert clocks.look() == ()
