"""What truly happened in the sample month: made up, plausible, the same on every run for the same month.

Days and hours are wall-clock times of the sample's zone. No day is later than the 28th, so every month will do.
"""

from __future__ import annotations

import random
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sla.facts import Verdict
from sla.judge import Check, Method

ZONE = "Europe/Berlin"
SEED = 20260101


@dataclass(frozen=True, slots=True)
class Trouble:
    """From `start` (day of the month, hour:minute:second) on, for so long, every check ends like this."""

    endpoint: str
    day: int
    start: str
    minutes: float
    verdict: Verdict
    error: str
    latency_ms: int | None = None


TROUBLES = (
    Trouble("orders-api", 6, "09:41:22", 38.2, "down", "http_status"),
    Trouble("orders-login", 19, "14:05:41", 17.5, "down", "connect_timeout"),
    Trouble("portal", 14, "02:09:30", 116.9, "down", "connect_refused"),  # planned until 04:00, works go on
    Trouble("tracking-a", 22, "11:20:05", 124.0, "down", "connect_refused"),  # its twin carries on
    Trouble("tracking-b", 9, "16:00:10", 1.4, "down", "http_status"),
    Trouble("shop", 11, "20:15:33", 9.3, "down", "http_status"),
    Trouble("payments", 24, "23:12:08", 6.7, "down", "connect_refused"),  # in a window that was entered too late
    Trouble("shop", 25, "18:40:00", 26.0, "degraded", "slow", 2400),
)
# Single failed checks that the retry does not confirm: they stay no downtime.
BLIPS = (("orders-api", 3, "04:17:00"), ("portal", 17, "12:44:00"), ("payments", 8, "22:05:00"))
# The monitor itself was away: nobody knows, so nobody is told "up".
MONITOR_OFF = ((27, "03:02:00", 14.0),)

# Usual response times in ms by endpoint.
PACE = {
    "orders-api": 120,
    "orders-login": 85,
    "portal": 240,
    "tracking-a": 95,
    "tracking-b": 110,
    "shop": 310,
    "payments": 150,
}
# Days (first, last) on which an endpoint answered so many times slower than usual, without missing a limit.
SLUGGISH = (("portal", 19, 22, 1.8), ("orders-api", 5, 6, 1.5), ("shop", 25, 25, 1.6), ("tracking-b", 9, 12, 1.3))
WEEKEND = 0.85


@dataclass(frozen=True, slots=True)
class Spell:
    """A trouble placed in time: [from_ms, to_ms)."""

    from_ms: int
    to_ms: int
    verdict: Verdict
    error: str | None
    latency_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of the sample's zone."""

    year: int
    number: int

    @property
    def label(self) -> str:
        return f"{self.year}-{self.number:02}"

    @property
    def title(self) -> str:
        """`October 2026`."""
        return f"{date(self.year, self.number, 1):%B %Y}"

    @property
    def from_ms(self) -> int:
        return self.instant_ms(1, "00:00:00")

    @property
    def to_ms(self) -> int:
        return self.following().from_ms

    @property
    def length(self) -> int:
        """Days."""
        return monthrange(self.year, self.number)[1]

    def following(self) -> Month:
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)

    def preceding(self) -> Month:
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    def instant_ms(self, day: int, clock: str) -> int:
        """The instant of a wall-clock time `HH:MM:SS` on that day."""
        naive = datetime.strptime(f"{self.label}-{day:02} {clock}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
        return round(naive.replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


def last_full_month(at_ms: int) -> Month:
    """The newest month that has been over for an hour at `at_ms`, when its statement can be frozen."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(ZONE)) - timedelta(hours=1)
    return Month(local.year, local.month).preceding()


def spells(endpoint: str, month: Month) -> tuple[Spell, ...]:
    """Everything that was wrong with the endpoint in that month, in order."""
    found = [
        _spell(month, trouble.day, trouble.start, trouble.minutes, trouble.verdict, trouble.error, trouble.latency_ms)
        for trouble in TROUBLES
        if trouble.endpoint == endpoint
    ]
    return tuple(sorted(found, key=lambda spell: spell.from_ms))


def _blips(endpoint: str, month: Month, grid: _Grid) -> Iterator[Spell]:
    """One due check each that fails, and is well again when it is tried again."""
    for who, day, start in BLIPS:
        if who == endpoint:
            due_ms = grid.next_after(month.instant_ms(day, start))
            yield Spell(due_ms, due_ms + 1, "down", "timeout_first_byte")


def monitor_off(month: Month) -> tuple[tuple[int, int], ...]:
    """The spans [from_ms, to_ms) of that month in which nothing was checked."""
    starts = ((month.instant_ms(day, start), minutes) for day, start, minutes in MONITOR_OFF)
    return tuple((from_ms, from_ms + round(minutes * 60_000)) for from_ms, minutes in starts)


def _spell(
    month: Month, day: int, start: str, minutes: float, verdict: Verdict, error: str, latency_ms: int | None = None
) -> Spell:
    from_ms = month.instant_ms(day, start)
    return Spell(from_ms, from_ms + round(minutes * 60_000), verdict, error, latency_ms)


class Watched:
    """One endpoint of the sample month as its checks see it, at the pace at which the daemon would look."""

    def __init__(self, endpoint: str, month: Month, method: Method) -> None:
        rng = random.Random(f"{SEED} {endpoint} {month.label}")
        self._grid = _Grid(method, rng.randrange(method.interval_ms // 1000) * 1000)
        self._spells = (*spells(endpoint, month), *_blips(endpoint, month, self._grid))
        self._off = monitor_off(month)
        self._from_ms, self._pace_ms = month.from_ms, PACE[endpoint]
        self._by_day = tuple(_day_factor(endpoint, month, day) for day in range(33))
        self._noise = tuple(rng.lognormvariate(0.0, 0.28) for _ in range(1021))  # a prime: no beat with the days

    def checks(self, *, from_ms: int, to_ms: int) -> Iterator[tuple[Check, bool]]:
        """Every check begun in [from_ms, to_ms), in order, each with True where it was a retry."""
        grid = self._grid
        at_ms, retry, number = grid.next_after(from_ms - 1), False, 0
        while at_ms < to_ms:
            away_until = self._away_until(at_ms)
            if away_until is not None:
                at_ms, retry = grid.next_after(away_until - 1), False
                continue
            check = self._check(at_ms, number)
            yield check, retry
            number += 1
            retry = check.verdict == "down"
            at_ms = at_ms + grid.retry_ms if retry else grid.next_after(at_ms)

    def _away_until(self, at_ms: int) -> int | None:
        return next((to_ms for from_ms, to_ms in self._off if from_ms <= at_ms < to_ms), None)

    def _check(self, at_ms: int, number: int) -> Check:
        for spell in self._spells:
            if spell.from_ms <= at_ms < spell.to_ms:
                return Check(at_ms, spell.verdict, spell.error, spell.latency_ms)
        usual_ms = self._pace_ms * self._by_day[(at_ms - self._from_ms) // 86_400_000 + 1]
        return Check(
            at_ms, "up", None, round(usual_ms * self._noise[number % 1021] * _BY_HOUR[at_ms // 3_600_000 % 24])
        )


def _day_factor(endpoint: str, month: Month, day: int) -> float:
    """How slow a day is beside the usual one; day 0 and those after the month's end are usual ones."""
    factor = 1.0
    for who, first, last, slower in SLUGGISH:
        if who == endpoint and first <= day <= last:
            factor *= slower
    if 0 < day <= month.length and date(month.year, month.number, day).weekday() >= 5:
        factor *= WEEKEND
    return factor


# Slower by day than by night.
_BY_HOUR = tuple(0.82 + 0.38 * max(0.0, 1 - abs(hour - 13) / 9) for hour in range(24))


class _Grid:
    """The due times of one endpoint: phase + n * interval; after a failure its own quicker pace."""

    def __init__(self, method: Method, phase_ms: int) -> None:
        self._interval_ms, self._phase_ms = method.interval_ms, phase_ms

        self.retry_ms = method.retry_ms

    def next_after(self, at_ms: int) -> int:
        ticks = (at_ms - self._phase_ms) // self._interval_ms + 1
        return self._phase_ms + ticks * self._interval_ms
