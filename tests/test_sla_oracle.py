"""The law read a second time: every slot of a short period classed on its own, and the statement compared with it.

Nothing here uses sets of time, sweeps or layers: one slot after the other is asked what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from random import Random

import pytest

from sla.build import build_statement
from sla.facts import (
    All,
    Any_,
    AtLeast,
    EndpointFacts,
    Exclusion,
    Expression,
    Member,
    Outage,
    ServiceFacts,
    Window,
)
from sla.money import Money
from sla.period import parse
from sla.rules import Cap, Edge, Percent, Tier, Tiers
from sla.spans import Spans
from sla.statement import ServiceStatement
from sla.terms import Contract, Options, Terms, WindowTerms

SLOT = 3_600_000
PERIOD = parse("2026-11-02/2026-11-05", "UTC")
COUNT = (PERIOD.to_ms - PERIOD.from_ms) // SLOT
NAMES = ("a", "b", "c")
Test = Callable[[int], bool]


@dataclass(frozen=True)
class Scene:
    facts: ServiceFacts
    contract: Contract
    as_of_ms: int

    @property
    def terms(self) -> Terms:
        return self.contract.versions[0]

    @property
    def options(self) -> Options:
        return self.terms.options


def scene(seed: int) -> Scene:
    """A made-up service and contract; one in three is looked at while the period still runs."""
    draw = Random(seed)
    options = Options(
        timezone="UTC",
        maintenance=draw.choice(("exclude", "exclude", "count_up", "ignore")),
        exclusions=draw.choice(("exclude", "exclude", "count_up", "ignore")),
        unknown=draw.choice(("exclude", "exclude", "exclude", "up", "down")),
        min_coverage=Decimal(draw.choice(("0", "50", "90", "95", "100"))),
        degraded=draw.choice(("up", "down", Decimal("0.5"), Decimal("0.25"))),
        partial_period=draw.choice(("prorate", "prorate", "counts_up")),
        before_first_check=draw.choice(("unknown", "not_contracted")),
        rounding=draw.choice(("half_up", "half_even")),
        windows=WindowTerms(notice_ms=draw.choice((0, 2 * SLOT, 10 * SLOT))),
    )
    as_of_ms = PERIOD.to_ms if draw.random() < 0.67 else at(draw.randint(1, COUNT - 1))
    return Scene(_service(draw), _contract(draw, options), as_of_ms)


def at(slot: int) -> int:
    return PERIOD.from_ms + slot * SLOT


def _span(draw: Random) -> tuple[int, int]:
    first = draw.randint(-5, COUNT)
    return at(first), at(first + draw.choice((1, 2, 3, 6, 20)))


def _spans(draw: Random, most: int) -> list[tuple[int, int]]:
    return [_span(draw) for _ in range(draw.randint(0, most))]


def _outages(draw: Random, most: int, name: str, *, weighed: bool) -> tuple[Outage, ...]:
    weights = (None, None, None, Fraction(1, 2), Fraction(0)) if weighed else (None,)
    found = [Outage(f"{name}{n}", *span, weight=draw.choice(weights)) for n, span in enumerate(_spans(draw, most))]
    return tuple(replace(one, to_ms=None) if draw.random() < 0.1 else one for one in found)


def _service(draw: Random) -> ServiceFacts:
    names = NAMES[: draw.choice((1, 1, 2, 3))]
    endpoints = {
        name: EndpointFacts(
            name,
            draw.choice((None, 0, at(draw.randint(0, COUNT)))),
            _outages(draw, 3, f"D{name}", weighed=len(names) == 1),
            _outages(draw, 2, f"S{name}", weighed=True),
            Spans.of(_spans(draw, draw.choice((0, 0, 1, 3)))),
        )
        for name in names
    }
    composition = [(0, _expression(draw, names))]
    if draw.random() < 0.3:
        composition.append((at(draw.randint(1, COUNT)), _expression(draw, names)))
    return ServiceFacts(
        "shop",
        "Shop",
        tuple(composition),
        endpoints,
        tuple(_window(draw, n, names) for n in range(draw.randint(0, 3))),
        tuple(_exclusion(draw, n) for n in range(draw.randint(0, 2))),
        Spans.of(_spans(draw, draw.choice((0, 0, 2)))),
    )


def _expression(draw: Random, names: tuple[str, ...]) -> Expression:
    members = tuple(Member(name) for name in names)
    if len(members) == 3 and draw.random() < 0.4:
        return All((members[0], Any_(members[1:])))
    return draw.choice((All(members), Any_(members), AtLeast(draw.randint(1, len(members)), members)))


def _window(draw: Random, number: int, names: tuple[str, ...]) -> Window:
    start, end = _span(draw)
    scope = draw.choice((("service", "shop"), ("endpoint", draw.choice(names)), ("endpoint", "elsewhere")))
    entered = draw.choice((None, start - 20 * SLOT, start - 10 * SLOT, start - SLOT, start + SLOT))
    return Window(f"M-{number}", start, end, entered, frozenset([scope]))


def _exclusion(draw: Random, number: int) -> Exclusion:
    return Exclusion(f"X-{number}", *_span(draw), category=draw.choice(("agreed", "client", "false_positive")))


def _contract(draw: Random, options: Options) -> Contract:
    rows = (("<", "99", "5"), ("<=", "90", "10.5"), ("<", "90", "33.33"), ("<", "40", "80"))
    tiers = Tiers(tuple(Tier(Edge(sign, Decimal(edge)), Percent(Decimal(pay))) for sign, edge, pay in rows))  # type: ignore[arg-type]
    fee = Money(draw.choice((5, 1234, 250_000)), draw.choice(("EUR", "JPY", "BHD")))
    terms = Terms(
        draw.choice((0, 0, at(draw.randint(0, COUNT // 2)))),
        None,
        options,
        draw.choice((None, Decimal(50), Decimal(90), Decimal("99.9"), Decimal(100))),
        fee,
        (tiers,),
        caps=draw.choice(((), *((Cap("period", Percent(Decimal(most))),) for most in ("100", "20.5")))),
        minimum=draw.choice((None, (">", Money(130, fee.currency)), (">=", Money(130, fee.currency)))),
    )
    return Contract(
        "c",
        "acme",
        "Sample Client",
        ("shop",),
        (terms,),
        until_ms=draw.choice((None, None, at(draw.randint(COUNT // 2 + 1, COUNT)))),
        paused=Spans.of(_spans(draw, draw.choice((0, 0, 1)))),
    )


# What one slot was, by ACCOUNTING.md 1.3 and section 2.


def inside(slot: int, span: tuple[int, int | None]) -> bool:
    return span[0] <= at(slot) and (span[1] is None or at(slot) < span[1])


def within(slot: int, spans: Spans) -> bool:
    return any(inside(slot, span) for span in spans)


def state(expression: Expression, of: Callable[[str], bool | None]) -> bool | None:
    """Works, is down (False), or None: unknown. By counting both ways."""
    if isinstance(expression, Member):
        return of(expression.endpoint)
    needed = {All: len(expression.members), Any_: 1}.get(type(expression)) or getattr(expression, "k", 0)
    states = [state(member, of) for member in expression.members]
    if states.count(True) >= needed:
        return True
    return False if states.count(True) + states.count(None) < needed else None


class Slots:
    """Answers about single slots of a scene."""

    def __init__(self, found: Scene) -> None:
        self.scene, self.facts, self.options = found, found.facts, found.options

    def expression(self, slot: int) -> Expression:
        held = [expression for from_ms, expression in self.facts.composition if from_ms <= at(slot)]
        return held[-1]

    def hit(self, name: str, slot: int, *, degraded: bool) -> list[Outage]:
        facts = self.facts.endpoints[name]
        listed = facts.degraded if degraded else facts.outages
        return [outage for outage in listed if inside(slot, (outage.from_ms, outage.to_ms))]

    def member(self, name: str, slot: int) -> bool | None:
        if within(slot, self.facts.endpoints[name].unknown):
            return None
        return not self.hit(name, slot, degraded=False)

    def badness(self, name: str, slot: int) -> Fraction:
        plain = {"up": Fraction(0), "down": Fraction(1)}
        option = self.options.degraded
        usual = plain[option] if isinstance(option, str) else Fraction(option)
        down = [Fraction(1) if o.weight is None else o.weight for o in self.hit(name, slot, degraded=False)]
        slow = [usual if o.weight is None else o.weight for o in self.hit(name, slot, degraded=True)]
        return max([*down, *slow], default=Fraction(0))

    def accepted(self) -> list[Window]:
        notice = self.options.windows.notice_ms
        return [
            w
            for w in self.facts.windows
            if w.entered_ms is None or (w.entered_ms <= self.scene.as_of_ms and w.from_ms - w.entered_ms >= notice)
        ]

    def covered(self, slot: int, member: Callable[[str, int], bool | None]) -> bool:
        here = [w for w in self.accepted() if inside(slot, w.span)]
        if any(("service", "shop") in w.scope for w in here):
            return True
        names = {name for w in here for kind, name in w.scope if kind == "endpoint"}
        if not names:
            return False
        expression = self.expression(slot)

        def were(works: bool) -> bool | None:
            return state(expression, lambda name: works if name in names else member(name, slot))

        return were(False) is False and were(True) is True

    def not_contracted(self, slot: int) -> bool:
        contract = self.scene.contract
        outside = at(slot) < contract.versions[0].from_ms or within(slot, contract.paused)
        outside = outside or (contract.until_ms is not None and at(slot) >= contract.until_ms)
        firsts = [f.first_check_ms for f in self.facts.endpoints.values() if f.first_check_ms is not None]
        early = self.options.before_first_check == "not_contracted" and at(slot) < min(firsts, default=0)
        return outside or early

    def time_class(self, slot: int) -> str:
        observed = state(self.expression(slot), lambda name: self.member(name, slot))
        taken = [x for x in self.facts.exclusions if inside(slot, x.span)]
        wrong = any(x.category == "false_positive" for x in taken)
        if self.not_contracted(slot):
            return "not_contracted"
        if within(slot, self.facts.outside_hours):
            return "outside_service_hours"
        if any(x.category != "false_positive" for x in taken) and self.takes(self.options.exclusions, observed):
            return "excluded"
        if self.covered(slot, self.member) and self.takes(self.options.maintenance, observed):
            return "maintenance"
        if observed is None:
            return "unknown"
        if wrong:
            return "up"
        return "down" if not observed else "degraded" if self.slow(slot) else "up"

    def takes(self, effect: str, observed: bool | None) -> bool:
        return effect == "exclude" or (effect == "count_up" and observed is not None)

    def slow(self, slot: int) -> bool:
        def sound(name: str) -> bool | None:
            works = self.member(name, slot)
            return works and not self.hit(name, slot, degraded=True)

        return state(self.expression(slot), sound) is not True

    def weight(self, slot: int) -> Fraction:
        """The most that the members that decide count; of an expression, the least that leaves it working."""
        levels = sorted({self.badness(name, slot) for name in self.facts.endpoints} - {Fraction(0)})

        def lighter(level: Fraction) -> bool:
            def light(name: str) -> bool | None:
                return None if self.member(name, slot) is None else self.badness(name, slot) < level

            return state(self.expression(slot), light) is True

        return max((level for level in levels if not lighter(level)), default=Fraction(0))

    def spared(self, slot: int) -> bool:
        """Unknown time that accepted maintenance or an exclusion would have counted up is no gap of coverage."""
        counts_up = self.options.maintenance == "count_up" and self.covered(slot, self.member)
        taken = any(inside(slot, x.span) and x.category != "false_positive" for x in self.facts.exclusions)
        return counts_up or (self.options.exclusions == "count_up" and taken)

    def ahead(self, slot: int) -> bool:
        if self.options.partial_period == "prorate" and self.not_contracted(slot):
            return False
        planned = self.options.maintenance == "exclude" and self.covered(slot, lambda *_: True)
        return not planned and not within(slot, self.facts.outside_hours)


@dataclass(frozen=True)
class Sums:
    classes: dict[str, int]
    base: int
    counted: Fraction
    unknown: int
    coverage: Fraction | None
    ahead: int


def summed(found: Scene) -> Sums:
    slots, options = Slots(found), found.options
    past = [slot for slot in range(COUNT) if at(slot) < found.as_of_ms]
    classes = {slot: slots.time_class(slot) for slot in past}

    def length(*names: str) -> int:
        return SLOT * sum(one in names for one in classes.values())

    base = length("up", "degraded", "down")
    blind = SLOT * sum(classes[slot] == "unknown" and not slots.spared(slot) for slot in past)
    coverage = Fraction(base, base + blind) if base + blind else None
    base += length("maintenance") if options.maintenance == "count_up" else 0
    base += length("excluded") if options.exclusions == "count_up" else 0
    base += length("not_contracted") if options.partial_period == "counts_up" else 0
    counted = sum((SLOT * slots.weight(s) for s in past if classes[s] in ("down", "degraded")), Fraction(0))
    ahead = SLOT * sum(slots.ahead(slot) for slot in range(len(past), COUNT))
    return Sums(
        {name: length(name) for name in set(classes.values())}, base, counted, length("unknown"), coverage, ahead
    )


def share(base: int, counted: Fraction) -> Fraction:
    return (base - counted) / base * 100


def verdict(sums: Sums, found: Scene) -> tuple[str, str | None]:
    options, target = found.options, found.terms.target
    decided = options.unknown != "exclude"
    considered = sums.base + (sums.unknown if decided else 0)
    counted = sums.counted + (sums.unknown if options.unknown == "down" else 0)
    if not considered:
        return "NO_DATA", "no_checks" if sums.unknown else "all_excluded"
    if target is None:
        return "NO_TARGET", None
    if not decided and sums.coverage is not None and sums.coverage * 100 < Fraction(options.min_coverage):
        return "UNDETERMINED", "coverage"
    whole = sums.base + sums.unknown + sums.ahead
    best, worst = share(whole, sums.counted), share(whole, sums.counted + sums.unknown)
    if not decided and (best >= Fraction(target)) != (worst >= Fraction(target)):
        return "UNDETERMINED", "bounds"
    return ("MET" if share(considered + sums.ahead, counted) >= Fraction(target) else "NOT_MET"), None


def owed(availability: Fraction, found: Scene) -> int:
    """Minor units: the deepest row, the cap, one rounding, the minimum."""
    terms = found.terms
    assert terms.fee is not None
    rows = [
        (edge, sign, pay)
        for edge, sign, pay in ((99, "<", "5"), (90, "<=", "10.5"), (90, "<", "33.33"), (40, "<", "80"))
    ]
    hit = [pay for edge, sign, pay in rows if availability < edge or (sign == "<=" and availability == edge)]
    exact = terms.fee.minor * Fraction(hit[-1]) / 100 if hit else Fraction(0)
    for cap in terms.caps:
        assert isinstance(cap.limit, Percent)
        exact = min(exact, terms.fee.minor * Fraction(cap.limit.value) / 100)
    half = exact - floor(exact) == Fraction(1, 2)
    whole = floor(exact + Fraction(1, 2))
    whole -= half and whole % 2 and found.options.rounding == "half_even"
    if terms.minimum is None:
        return whole
    return whole if whole > 130 or (whole == 130 and terms.minimum[0] == ">=") else 0


def compare(printed: ServiceStatement, sums: Sums, found: Scene) -> None:
    options, target = found.options, found.terms.target
    assert {name: length for name, length in printed.split_ms.items() if length} == sums.classes
    considered = sums.base + (sums.unknown if options.unknown != "exclude" else 0)
    counted = sums.counted + (sums.unknown if options.unknown == "down" else 0)
    assert (printed.considered_ms, Fraction(printed.measure.counted)) == (considered, counted)
    assert (printed.verdict, printed.reason) == verdict(sums, found)
    assert printed.coverage_pct == (None if sums.coverage is None else _floored(sums.coverage * 100, 3))
    if not considered:
        assert (printed.availability_pct, printed.bounds_pct) == (None, None)
    else:
        assert printed.availability_pct == _floored(share(considered, counted), 6)
        assert printed.bounds_pct is not None
        low, high = _bounds(sums)
        assert printed.bounds_pct[0][: len(_floored(low, 3))] == _floored(low, 3)
        assert Fraction(printed.bounds_pct[1]) >= high
    if target is not None and considered + sums.ahead:
        assert printed.budget is not None
        allowed = floor((100 - Fraction(target)) / 100 * (considered + sums.ahead))
        assert (printed.budget.allowed_ms, printed.budget.used_ms) == (allowed, ceil(counted))
        assert printed.budget.remaining_ms == allowed - ceil(counted)
    else:
        assert printed.budget is None


def _floored(value: Fraction, digits: int) -> str:
    scaled = floor(value * 10**digits)
    return f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}d}"


def _bounds(sums: Sums) -> tuple[Fraction, Fraction]:
    whole = sums.base + sums.unknown
    return share(whole, sums.counted + sums.unknown), share(whole, sums.counted)


def compare_credit(printed: ServiceStatement, sums: Sums, found: Scene) -> None:
    options, credit = found.options, printed.credit
    assert credit is not None
    considered = sums.base + (sums.unknown if options.unknown != "exclude" else 0)
    if printed.provisional or not considered:
        assert (credit.state, credit.amount, credit.lines) == ("none", None, ())
        return
    figure = share(considered, sums.counted + (sums.unknown if options.unknown == "down" else 0))
    low_pct, high_pct = _bounds(sums) if options.unknown == "exclude" else (figure, figure)
    amounts = [_minor(text, found) for text in (credit.amount, credit.low, credit.high)]
    assert amounts == [owed(figure, found), owed(high_pct, found), owed(low_pct, found)]
    assert credit.amount is not None
    assert sum(_minor(line.amount, found) for line in credit.lines) == (amounts[0] if credit.lines else 0)
    short = sums.coverage is not None and sums.coverage * 100 < Fraction(options.min_coverage)
    open_ = options.unknown == "exclude" and short
    assert credit.determined == (amounts[1] == amounts[2] and not open_)


def _minor(text: str | None, found: Scene) -> int:
    assert text is not None
    assert found.terms.fee is not None
    digits = {"EUR": 2, "JPY": 0, "BHD": 3}[found.terms.fee.currency]
    assert len(text.partition(".")[2]) == digits
    return int(text.replace(".", ""))


@pytest.mark.parametrize("block", range(8))
def test_a_statement_says_what_every_single_slot_of_it_says(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        found = scene(seed)
        [printed] = build_statement(found.contract, [found.facts], PERIOD, as_of_ms=found.as_of_ms).services
        sums = summed(found)
        try:
            compare(printed, sums, found)
            compare_credit(printed, sums, found)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
