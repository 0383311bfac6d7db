"""The one timer of all endpoints: never early, within a slot, and what is set anew replaces what was set."""

from __future__ import annotations

import asyncio
import time

from probes.wheel import SLOT_MS, Wheel


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def turned(wheel: Wheel[str], *, until_s: float) -> None:
    wheel.start()
    await asyncio.sleep(until_s)
    wheel.stop()


async def test_each_is_fired_within_its_slot_and_never_early() -> None:
    fired: dict[str, int] = {}
    begun = now_ms()
    wheel: Wheel[str] = Wheel(now_ms, lambda key, due_ms: fired.update({key: now_ms() - due_ms}))
    for number in range(200):
        wheel.set(f"e{number}", begun + number)
    await turned(wheel, until_s=0.4)
    assert len(fired) == 200
    assert min(fired.values()) >= 0
    assert sorted(fired.values())[100] <= 3 * SLOT_MS
    assert len(wheel) == 0


async def test_the_last_instant_that_was_set_is_the_only_one() -> None:
    fired: list[tuple[str, int]] = []
    begun = now_ms()
    wheel: Wheel[str] = Wheel(now_ms, lambda key, due_ms: fired.append((key, due_ms)))
    wheel.set("later", begun + 20)
    wheel.set("later", begun + 60)
    wheel.set("earlier", begun + 10_000)
    wheel.set("earlier", begun + 30)
    wheel.set("never", begun + 10)
    wheel.drop("never")
    await turned(wheel, until_s=0.3)
    assert fired == [("earlier", begun + 30), ("later", begun + 60)]


async def test_a_new_instant_before_all_others_is_kept_too() -> None:
    fired: list[str] = []
    wheel: Wheel[str] = Wheel(now_ms, lambda key, _: fired.append(key))
    wheel.set("far", now_ms() + 60_000)
    wheel.start()
    await asyncio.sleep(0.02)
    wheel.set("near", now_ms() + 20)
    await asyncio.sleep(0.2)
    wheel.stop()
    assert fired == ["near"]


async def test_one_that_sets_itself_due_at_once_waits_for_the_next_turn() -> None:
    fired: list[int] = []

    def again(key: str, due_ms: int) -> None:
        fired.append(due_ms)
        wheel.set(key, now_ms())

    wheel: Wheel[str] = Wheel(now_ms, again)
    wheel.set("busy", now_ms())
    await turned(wheel, until_s=0.2)
    assert 2 <= len(fired) <= 25


async def test_the_hook_of_a_turn_comes_before_what_is_due() -> None:
    happened: list[str] = []
    wheel: Wheel[str] = Wheel(now_ms, lambda key, _: happened.append(key), on_turn=lambda: happened.append("turn"))
    wheel.set("a", now_ms())
    await turned(wheel, until_s=0.05)
    assert happened[:2] == ["turn", "a"]
