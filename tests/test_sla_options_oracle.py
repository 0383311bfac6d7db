"""The order of ACCOUNTING.md section 3 read a second time, slot by slot: no sets of time, no sweeps, one list of flags.

Outages, exclusions, windows, unknown time and hours are made up around a period of one day; every slot of it and of the
time around it is asked what it was, and the statement is compared with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from random import Random
from typing import Any

import pytest
from sla_builders import contract, judged, measured, terms

from sla.facts import Exclusion, Outage, ServiceFacts, Window
from sla.period import parse
from sla.spans import Span, Spans
from sla.statement import ServiceStatement
from sla.terms import Edge, Least

SLOT = 600_000
PERIOD = parse("2026-11-02/2026-11-03", "UTC")
COUNT, EDGE = 144, 60  # slots of the period, and on either side of it
Flags = list[bool]


@dataclass(frozen=True)
class Scene:
    facts: ServiceFacts
    options: dict[str, Any]
    found: ServiceStatement


def at(slot: int) -> int:
    return PERIOD.from_ms + slot * SLOT


def spans(draw: Random, most: int, longest: int) -> list[Span]:
    starts = [draw.randint(-EDGE // 2, COUNT + 10) for _ in range(draw.randint(0, most))]
    return [(at(start), at(start + draw.randint(1, longest))) for start in starts]


def scene(seed: int) -> Scene:
    draw = Random(seed)
    facts = measured(
        *(Outage(f"O-{n}", *span) for n, span in enumerate(spans(draw, 8, 9))),
        unknown=Spans.of(spans(draw, 3, 6)),
        exclusions=tuple(
            Exclusion(f"X-{n}", *span, category=draw.choice(("agreed", "agreed", "false_positive")))
            for n, span in enumerate(spans(draw, 2, 4))
        ),
        windows=tuple(Window(f"M-{n}", *span, entered_ms=0) for n, span in enumerate(spans(draw, 2, 4))),
        outside_hours=Spans.of(spans(draw, 1, 12)),
    )
    options: dict[str, Any] = {
        "merge_gap_ms": draw.choice((0, 0, SLOT, 2 * SLOT)),
        "min_outage": draw.choice((None, Least(">=", 3 * SLOT), Least(">", 3 * SLOT))),
        "min_outage_before_exclusions": draw.random() < 0.3,
        "bucket_ms": draw.choice((None, None, 4 * SLOT, 6 * SLOT)),
        "maintenance": draw.choice(("exclude", "count_up", "ignore")),
        "exclusions": draw.choice(("exclude", "count_up", "ignore")),
        "unknown": draw.choice(("exclude", "exclude", "up", "down")),
    }
    if options["bucket_ms"]:
        limits = (Edge(">=", Decimal(100)), Edge(">=", Decimal(50)), Edge(">", Decimal(50)), Edge(">", Decimal(0)))
        options |= {"bad": draw.choice(limits), "min_run": draw.choice((1, 1, 2, 3))}
    return Scene(facts, options, judged(facts, PERIOD, contract(terms("99", **options))))


class Slots:
    """What every slot from `EDGE` before the period to `EDGE` after it was."""

    def __init__(self, scene: Scene) -> None:
        self.options, facts = scene.options, scene.facts
        (known,) = facts.endpoints.values()
        taking = [
            e for e in facts.exclusions if e.category != "false_positive" and self.options["exclusions"] != "ignore"
        ]
        windows = facts.windows if self.options["maintenance"] != "ignore" else ()
        self.outage = self.within(outage for outage in known.outages)
        self.wrong = self.within(e for e in facts.exclusions if e.category == "false_positive")
        self.excluded = self.within(taking)
        self.window = self.within(windows)
        self.unknown = [slot in known.unknown for slot in self.starts()]
        self.outside = [slot in facts.outside_hours for slot in self.starts()]

    @staticmethod
    def starts() -> list[int]:
        return [at(slot) for slot in range(-EDGE, COUNT + EDGE)]

    def within(self, entries: Any) -> Flags:
        held = [(entry.from_ms, entry.to_ms) for entry in entries]
        return [any(start <= slot < end for start, end in held) for slot in self.starts()]

    def cut(self, slot: int) -> bool:
        """Taken out: it ends a piece."""
        return self.outside[slot] or self.excluded[slot] or self.window[slot]

    def apart(self, slot: int) -> bool:
        """Not in the base."""
        gone = self.excluded[slot] and self.options["exclusions"] == "exclude"
        return self.outside[slot] or gone or (self.window[slot] and self.options["maintenance"] == "exclude")

    def counts(self, reading: str) -> Flags:
        down = [out and not wrong for out, wrong in zip(self.outage, self.wrong, strict=True)]
        if reading == "up":
            down = [out and not blind for out, blind in zip(down, self.unknown, strict=True)]
        if reading == "down":
            down = [out or blind for out, blind in zip(down, self.unknown, strict=True)]
        flags = [d and not w for d, w in zip(self.merged(down), self.wrong, strict=True)]
        if self.options["min_outage_before_exclusions"]:
            flags = self.long(flags)
        flags = [flag and not self.cut(slot) for slot, flag in enumerate(flags)]
        if not self.options["min_outage_before_exclusions"]:
            flags = self.long(flags)
        if self.options["bucket_ms"]:
            flags = self.in_buckets(flags, reading)
        return [flag and not self.cut(slot) and not self.unknown[slot] for slot, flag in enumerate(flags)]

    def merged(self, down: Flags) -> Flags:
        gap, found = self.options["merge_gap_ms"] // SLOT, down[:]
        places = [slot for slot, out in enumerate(down) if out]
        for one, after in pairwise(places):
            if after - one - 1 <= gap:
                found[one:after] = [True] * (after - one)
        return found

    def long(self, flags: Flags) -> Flags:
        least, found, slot = self.options["min_outage"], [False] * len(flags), 0
        while slot < len(flags):
            end = slot
            while end < len(flags) and flags[end]:
                end += 1
            length = (end - slot) * SLOT
            if least is None or length > least.ms or (length == least.ms and least.comparison == ">="):
                found[slot:end] = [True] * (end - slot)
            slot = end + 1
        return found

    def in_buckets(self, flags: Flags, reading: str) -> Flags:
        size = self.options["bucket_ms"] // SLOT
        starts = range(EDGE % size, len(flags) - size + 1, size)
        kinds = [self.kind(range(start, start + size), flags, reading) for start in starts]
        found = [False] * len(flags)
        for number, start in enumerate(starts):
            if kinds[number] == "bad" and self.run(kinds, number) >= self.options["min_run"]:
                found[start : start + size] = [True] * size
        return found

    def kind(self, bucket: range, flags: Flags, reading: str) -> str:
        blind = reading == "judged" and self.options["unknown"] == "exclude"
        considered = [slot for slot in bucket if not self.apart(slot) and not (blind and self.unknown[slot])]
        if blind and all(self.unknown[slot] and not self.cut(slot) for slot in bucket):
            return "unseen"
        down = sum(flags[slot] and (reading == "down" or not self.unknown[slot]) for slot in considered)
        share = Fraction(100 * down, len(considered)) if considered else Fraction(0)
        edge = self.options["bad"]
        reached = share > edge.value or (share == edge.value and edge.comparison == ">=")
        return "bad" if considered and down and reached else "good"

    @staticmethod
    def run(kinds: list[str], number: int) -> int:
        bad = 1
        for step in (-1, 1):
            here = number + step
            while 0 <= here < len(kinds) and kinds[here] != "good":
                bad += kinds[here] == "bad"
                here += step
        return bad

    def inside(self) -> range:
        return range(EDGE, EDGE + COUNT)


@pytest.mark.parametrize("seed", range(150))
def test_the_order_of_operations_agrees_with_one_slot_after_the_other(seed: int) -> None:
    made = scene(seed)
    slots, found = Slots(made), made.found
    inside = slots.inside()
    agreed_down = made.options["unknown"] == "down"
    blind = [slot for slot in inside if slots.unknown[slot] and not slots.apart(slot)]
    known = sum(not slots.apart(slot) and not slots.unknown[slot] for slot in inside)
    base = known if made.options["unknown"] == "exclude" else known + len(blind)

    def counted(reading: str) -> int:
        flags = slots.counts(reading)
        return sum(flags[slot] for slot in inside)

    here = counted("down") + len(blind) if agreed_down else counted("judged")
    assert Fraction(found.measure.counted) == here * SLOT
    assert found.considered_ms == base * SLOT
    assert sum(found.split_ms.values()) == COUNT * SLOT
    assert found.split_ms["down"] == (here - len(blind) if agreed_down else here) * SLOT
    if base:
        assert found.bounds_pct is not None
        low = Fraction(100 * (known - counted("down")), known + len(blind))
        high = Fraction(100 * (known + len(blind) - counted("up")), known + len(blind))
        assert found.bounds_pct[0] == f"{Decimal(floor(low * 1000)) / 1000:.3f}"
        assert Decimal(found.bounds_pct[1]).quantize(Decimal("0.001")) == Decimal(ceil(high * 1000)) / 1000
        share = Fraction(found.availability_pct or 0)
        assert low - Fraction(1, 10**6) <= share <= high


def test_the_scenes_hold_what_is_to_be_tried() -> None:
    """Without that the agreement above would say little."""
    changed = [
        made
        for made in map(scene, range(150))
        if Fraction(made.found.measure.counted)
        != Fraction(judged(made.facts, PERIOD, contract(terms("99", **{
            key: made.options[key] for key in ("maintenance", "exclusions", "unknown")
        }))).measure.counted)
    ]  # fmt: skip
    assert len(changed) > 50
    assert any(made.options.get("min_run", 1) > 1 for made in changed)
