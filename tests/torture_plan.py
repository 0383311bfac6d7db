"""What the crash test does, by its seed alone: which endpoints fail when, and what is killed when."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

CONFIRM = 2
MOST_PER_S = 250  # what the daemon's gates let through: a restart does not burst
GOOD, BAD, DROPPED = 200, 503, 0  # answers; 0 closes the connection without one

Victim = Literal["group", "probe", "web", "supervisor", "frozen", "locked"]
KILLED = ("group", "probe", "web", "supervisor")


@dataclass(frozen=True, slots=True)
class Watched:
    """One endpoint: how often it is checked, and from when on (ms after the server's start) it answers what."""

    id: str
    interval_ms: int
    from_ms: tuple[int, ...]
    answers: tuple[int, ...]

    @property
    def reach_ms(self) -> int:
        """How long one check vouches for: the interval twice and the timeout, which is the interval too."""
        return 3 * self.interval_ms

    def answer(self, after_ms: int) -> int:
        return self.answers[bisect_right(self.from_ms, after_ms) - 1]


@dataclass(frozen=True, slots=True)
class Load:
    """How many endpoints are checked each second, every two and every five seconds."""

    each_s: int
    every_2_s: int
    every_5_s: int

    @property
    def per_s(self) -> float:
        return self.each_s + self.every_2_s / 2 + self.every_5_s / 5


LONG = Load(190, 10, 25)  # 200 checks a second
FEW = Load(24, 12, 10)


@dataclass(frozen=True, slots=True)
class Blow:
    """What happens `after_s` after the daemon began to check (`under_load`) or to start, and how long it stays dead."""

    victim: Victim
    after_s: float
    pause_s: float
    under_load: bool = True


def watched(seed: int, load: Load, *, lasting_s: int) -> dict[str, Watched]:
    """The endpoints of this seed; a sixth of them never fail."""
    intervals = [1_000] * load.each_s + [2_000] * load.every_2_s + [5_000] * load.every_5_s
    made = (_one(seed, f"e{number:03d}", interval, lasting_s) for number, interval in enumerate(intervals))
    return {one.id: one for one in made}


def _one(seed: int, id: str, interval_ms: int, lasting_s: int) -> Watched:
    chance = random.Random(f"{seed} {id}")
    if chance.random() < 1 / 6:
        return Watched(id, interval_ms, (0,), (GOOD,))
    at_ms, from_ms, answers = 0, [0], [GOOD]
    while at_ms < lasting_s * 1000:
        at_ms += _spell(chance, (2, 6), (8, 40))
        from_ms.append(at_ms)
        answers.append(chance.choice((BAD, BAD, DROPPED)))
        at_ms += _spell(chance, (0.5, 2.5), (3, 8), (10, 45))
        from_ms.append(at_ms)
        answers.append(GOOD)
    return Watched(id, interval_ms, tuple(from_ms), tuple(answers))


def _spell(chance: random.Random, *spans_s: tuple[float, float]) -> int:
    return round(chance.uniform(*chance.choice(spans_s)) * 1000)


def few_blows(seed: int) -> Iterator[Blow]:
    """Five SIGKILLs, mostly of the prober alone: it is back sooner than the whole daemon."""
    chance = random.Random(f"{seed} few")
    victims: tuple[Victim, ...] = ("probe", "locked", "probe", "group", "probe", "frozen", "probe")
    return (Blow(victim, chance.uniform(0.02, 1.2), 0.0) for victim in victims)


def blows(seed: int, kills: int) -> Iterator[Blow]:
    """So many SIGKILLs; now and then the daemon is frozen while its files are copied.

    The supervisor brings a child back later each time it dies early, so that no two child deaths follow each other
    under one supervisor.
    """
    chance = random.Random(f"{seed} blows")
    before: Victim = "group"
    for number in range(kills):
        if number % 10 == 4:
            yield Blow("frozen", chance.uniform(0.2, 2), 0.0)
        victim: Victim = "group" if before in ("probe", "web") else _victim(chance)
        before = victim
        pause_s = chance.choice((0.0, 0.0, chance.uniform(0, 1), chance.uniform(1, 4)))
        under_load = chance.random() > 1 / 6
        yield Blow(victim, chance.uniform(0.02, 3) if under_load else chance.uniform(0.1, 2), pause_s, under_load)


def _victim(chance: random.Random) -> Victim:
    choices: tuple[Victim, ...] = ("group", "probe", "web", "supervisor")
    return chance.choices(choices, weights=(55, 25, 12, 8))[0]


def config(watched: dict[str, Watched], url: str) -> str:
    """nines.yaml for the daemon, but for where it listens."""
    lines = [f"rates: {{per_host_per_s: {MOST_PER_S}, global_per_s: {MOST_PER_S}}}", "endpoints:"]
    for one in watched.values():
        every = f"{one.interval_ms // 1000} s"
        lines.append(f'  {one.id}: {{url: "{url}{one.id}", interval: {every}, timeout: {every}, confirm: {CONFIRM}}}')
    return "\n".join(lines) + "\n"
