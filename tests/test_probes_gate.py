"""Rates and fairness of the gates."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import pytest

from probes.gate import Gate, Gates


async def test_attempts_pass_in_the_order_they_came() -> None:
    gates = Gates(per_host_per_s=100, global_per_s=100)
    passed: list[int] = []

    async def one(number: int) -> None:
        async with gates.admit("a"):
            passed.append(number)

    await asyncio.gather(*(one(number) for number in range(50)))
    assert passed == list(range(50))


async def test_a_throttled_host_does_not_delay_another() -> None:
    gates = Gates(per_host_per_s=1, global_per_s=100)
    began = time.monotonic()

    async def one(host: str) -> None:
        async with gates.admit(host):
            return

    crowd = [asyncio.create_task(one("crowded")) for _ in range(20)]
    await asyncio.sleep(0)
    await one("calm")
    assert time.monotonic() - began < 0.5
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_the_rate_holds_and_the_wait_is_told() -> None:
    gates = Gates(per_host_per_s=5, global_per_s=100)
    began = time.monotonic()
    waits_us = []
    for _ in range(6):
        async with gates.admit("a") as waited_us:
            waits_us.append(waited_us)
    assert time.monotonic() - began >= 0.99
    assert waits_us[-1] >= 900_000


async def test_no_more_attempts_run_at_once_than_there_are_places() -> None:
    gates = Gates(per_host_per_s=1000, global_per_s=1000, max_running=2)
    running, most = 0, 0

    async def one() -> None:
        nonlocal running, most
        async with gates.admit("a"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1

    await asyncio.gather(*(one() for _ in range(10)))
    assert most == 2


def test_a_fraction_of_an_attempt_per_second_is_a_rate() -> None:
    assert Gate(Fraction(1, 2)) is not None


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_that_lets_nothing_through_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="lets nothing through"):
        Gate(rate)


async def test_another_rate_acts_on_who_waits_and_keeps_their_order() -> None:
    gates = Gates(per_host_per_s=1, global_per_s=100)
    passed: list[int] = []

    async def one(number: int) -> None:
        async with gates.admit("a"):
            passed.append(number)

    crowd = [asyncio.create_task(one(number)) for number in range(20)]
    await asyncio.sleep(0.1)
    assert passed == [0]
    gates.change(per_host_per_s=100, global_per_s=100)
    async with asyncio.timeout(0.5):
        await asyncio.gather(*crowd)
    assert passed == list(range(20))
