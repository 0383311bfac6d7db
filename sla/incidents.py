"""Outages of one endpoint that follow each other closely are one incident; from the third on it flaps.

Nothing is counted differently for it: each outage stays what it is (case 30). It says what a person is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CALM_MS = 300_000
LONGEST_CALM_MS = 3_600_000
CALM_INTERVALS = 3  # an endpoint that is looked at seldom needs longer to prove that it is steady
FLAPS_FROM = 3


@dataclass(frozen=True, slots=True)
class Spell:
    """One outage in short; `to_ms` is None while it lasts."""

    id: str
    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class Incident:
    """Outages in order, each begun within the calm time after the one before had ended."""

    spells: tuple[Spell, ...]

    @property
    def id(self) -> str:
        """That of the first outage in it."""
        return self.spells[0].id

    @property
    def from_ms(self) -> int:
        return self.spells[0].from_ms

    @property
    def flaps(self) -> bool:
        return len(self.spells) >= FLAPS_FROM

    @property
    def over_ms(self) -> int:
        """How long its outages lasted together, but for one that still does."""
        return sum(spell.to_ms - spell.from_ms for spell in self.spells if spell.to_ms is not None)

    def upto(self, id: str) -> Incident:
        """As it was when that outage of it was the newest."""
        number = next(number for number, spell in enumerate(self.spells, 1) if spell.id == id)
        return Incident(self.spells[:number])


def calm_ms(interval_ms: int) -> int:
    """How long one state must last before it is taken for steady."""
    return max(CALM_MS, min(CALM_INTERVALS * interval_ms, LONGEST_CALM_MS))


def incidents(spells: Iterable[Spell], *, calm_ms: int) -> Iterator[Incident]:
    """Outages of one endpoint, ascending, as incidents."""
    together: list[Spell] = []
    for spell in spells:
        if together and not _close(together, spell, calm_ms):
            yield Incident(tuple(together))
            together = []
        together.append(spell)
    if together:
        yield Incident(tuple(together))


def _close(before: Sequence[Spell], spell: Spell, calm_ms: int) -> bool:
    ended_ms = before[-1].to_ms
    return ended_ms is None or spell.from_ms - ended_ms < calm_ms
