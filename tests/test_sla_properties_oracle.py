"""The law read once more, millisecond by millisecond, with weights and figures: what a statement must say.

An expression is the k-th best of its members: that one rule gives state, degraded and weight alike. No set of time, no
sweep and no layer is used here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sla_worlds import END, PERIOD, contracts, services, times

from sla.build import build_statement
from sla.facts import All, Any_, Expression, Member, Outage, ServiceFacts, Window
from sla.statement import ServiceStatement
from sla.terms import Contract, Options

UP, DEGRADED, UNKNOWN, DOWN = range(4)  # from best to worst: unknown members matter only where the others leave it open
NAMES = ("up", "degraded", "unknown", "down")
WEIGHTS = st.sampled_from([None, None, Fraction(0), Fraction(1, 4), Fraction(9999, 10000), Fraction(1)])


@st.composite
def worlds(draw: Any) -> tuple[ServiceFacts, Contract, int]:
    """A service, its contract, and when it is asked for. Outages of a sole member may count in part."""
    facts, agreed = draw(services()), draw(contracts())
    named = {id for _, expression in facts.composition for id in endpoints_of(expression)}
    endpoints = {}
    for id, fact in facts.endpoints.items():
        outages = fact.outages
        if len(named) == 1:
            outages = tuple(replace(outage, weight=draw(WEIGHTS)) for outage in outages)
        slow = tuple(replace(outage, weight=draw(WEIGHTS)) for outage in fact.degraded)
        first = draw(st.sampled_from([None, 0, 3, 20]))
        endpoints[id] = replace(fact, first_check_ms=first, outages=outages, degraded=slow)
    terms = agreed.versions[0]
    options = replace(
        terms.options,
        before_first_check=draw(st.sampled_from(["unknown", "not_contracted"])),
        partial_period=draw(st.sampled_from(["prorate", "counts_up"])),
    )
    agreed = replace(agreed, versions=(replace(terms, options=options),))
    return replace(facts, endpoints=endpoints), agreed, draw(st.sampled_from([END, END, 1, 11]))


def endpoints_of(expression: Expression) -> list[str]:
    if isinstance(expression, Member):
        return [expression.endpoint]
    return [id for member in expression.members for id in endpoints_of(member)]


def kth_best(expression: Expression, of: Callable[[str], Any]) -> Any:
    """`all` is as good as its worst member, `any` as its best, `at least k` as its k-th best."""
    if isinstance(expression, Member):
        return of(expression.endpoint)
    found = sorted(kth_best(member, of) for member in expression.members)
    if isinstance(expression, All):
        return found[-1]
    return found[0] if isinstance(expression, Any_) else found[expression.k - 1]


@dataclass(frozen=True)
class Plain:
    """Answers about one millisecond `at` at a time."""

    facts: ServiceFacts
    agreed: Contract
    as_of: int

    @property
    def options(self) -> Options:
        return self.agreed.versions[0].options

    def expression(self, at: int) -> Expression:
        return [expression for since, expression in self.facts.composition if since <= at][-1]

    def hit(self, outages: tuple[Outage, ...], at: int) -> list[Outage]:
        return [o for o in outages if o.from_ms <= at and (o.to_ms is None or at < o.to_ms)]

    def member(self, id: str, at: int) -> int:
        fact = self.facts.endpoints[id]
        if at in fact.unknown:
            return UNKNOWN
        if self.hit(fact.outages, at):
            return DOWN
        return DEGRADED if self.hit(fact.degraded, at) else UP

    def weight_of(self, id: str, at: int) -> Fraction:
        """What a member counts; one that nobody saw may count whole."""
        fact, option = self.facts.endpoints[id], self.options.degraded
        if at in fact.unknown:
            return Fraction(1)
        usual = Fraction({"up": 0, "down": 1}[option] if isinstance(option, str) else option)
        down = [Fraction(1) if o.weight is None else o.weight for o in self.hit(fact.outages, at)]
        slow = [usual if o.weight is None else o.weight for o in self.hit(fact.degraded, at)]
        return max([*down, *slow], default=Fraction(0))

    def weight(self, at: int) -> Fraction:
        found: Fraction = kth_best(self.expression(at), lambda id: self.weight_of(id, at))
        return found

    def windows(self, at: int) -> list[Window]:
        notice = self.options.windows.notice_ms
        known = [w for w in self.facts.windows if w.entered_ms is not None and w.entered_ms <= self.as_of]
        return [w for w in known if w.from_ms <= at < w.to_ms and w.from_ms - (w.entered_ms or 0) >= notice]

    def in_window(self, at: int, member: Callable[[str], int]) -> bool:
        scopes = {scope for window in self.windows(at) for scope in window.scope}
        if ("service", "api") in scopes:
            return True

        def were(state: int) -> int:
            found: int = kth_best(self.expression(at), lambda id: state if ("endpoint", id) in scopes else member(id))
            return found

        return were(DOWN) == DOWN and were(UP) in (UP, DEGRADED)

    def contracted(self, at: int) -> bool:
        begins = [self.agreed.versions[0].from_ms]
        if self.options.before_first_check == "not_contracted":
            firsts = [f.first_check_ms for f in self.facts.endpoints.values() if f.first_check_ms is not None]
            begins.append(min(firsts, default=0))
        ended = self.agreed.until_ms is not None and at >= self.agreed.until_ms
        return at >= max(begins) and not ended and at not in self.agreed.paused

    def excluded(self, at: int) -> bool:
        return any(x.category != "false_positive" and x.from_ms <= at < x.to_ms for x in self.facts.exclusions)

    def time_class(self, at: int) -> str:
        state = kth_best(self.expression(at), lambda id: self.member(id, at))
        in_window = self.in_window(at, lambda id: self.member(id, at))
        if not self.contracted(at):
            return "not_contracted"
        if at in self.facts.outside_hours:
            return "outside_service_hours"
        for taken, effect, name in (
            (self.excluded(at), self.options.exclusions, "excluded"),
            (in_window, self.options.maintenance, "maintenance"),
        ):
            if taken and (effect == "exclude" or (effect == "count_up" and state != UNKNOWN)):
                return name
        wrong = any(x.category == "false_positive" and x.from_ms <= at < x.to_ms for x in self.facts.exclusions)
        return "up" if wrong and state != UNKNOWN else NAMES[state]

    def spared(self, at: int) -> bool:
        """Unknown time that would have counted up is left out of the coverage."""
        in_window = self.in_window(at, lambda id: self.member(id, at))
        by_window = self.options.maintenance == "count_up" and in_window
        return by_window or (self.options.exclusions == "count_up" and self.excluded(at))

    def will_count(self, at: int) -> bool:
        """Of the time to come: contracted, inside hours and not announced as maintenance."""
        planned = self.options.maintenance == "exclude" and self.in_window(at, lambda _: UP)
        out = self.options.partial_period == "prorate" and not self.contracted(at)
        return not planned and not out and at not in self.facts.outside_hours


@dataclass(frozen=True)
class Sums:
    classes: dict[str, int]
    base: int  # without unknown time
    down: Fraction
    unknown: int
    coverage: Fraction | None
    ahead: int


def summed(plain: Plain) -> Sums:
    options, past = plain.options, range(plain.as_of)
    classes = [plain.time_class(at) for at in past]
    counts = {name: classes.count(name) for name in set(classes)}
    base = known = sum(counts.get(name, 0) for name in ("up", "degraded", "down"))
    base += counts.get("maintenance", 0) if options.maintenance == "count_up" else 0
    base += counts.get("excluded", 0) if options.exclusions == "count_up" else 0
    base += counts.get("not_contracted", 0) if options.partial_period == "counts_up" else 0
    blind = sum(classes[at] == "unknown" and not plain.spared(at) for at in past)
    return Sums(
        counts,
        base,
        sum((plain.weight(at) for at in past if classes[at] in ("down", "degraded")), Fraction(0)),
        counts.get("unknown", 0),
        Fraction(known, known + blind) if known + blind else None,
        sum(plain.will_count(at) for at in range(plain.as_of, END)),
    )


def verdict(sums: Sums, options: Options, target: Decimal | None) -> tuple[str, str | None]:
    base, down = decided(sums, options)
    if not base:
        return "NO_DATA", "no_checks" if sums.unknown else "all_excluded"
    if target is None:
        return "NO_TARGET", None

    def met(whole: int, used: Fraction) -> bool:
        return used <= (whole + sums.ahead) * (1 - Fraction(target or 0) / 100)

    if options.unknown == "exclude":
        if sums.coverage is not None and sums.coverage < Fraction(options.min_coverage) / 100:
            return "UNDETERMINED", "coverage"
        whole = sums.base + sums.unknown
        if met(whole, sums.down) != met(whole, sums.down + sums.unknown):
            return "UNDETERMINED", "bounds"
    return ("MET" if met(base, down) else "NOT_MET"), None


def decided(sums: Sums, options: Options) -> tuple[int, Fraction]:
    """Base and counted time under the option `unknown`."""
    base = sums.base + (sums.unknown if options.unknown != "exclude" else 0)
    return base, sums.down + (sums.unknown if options.unknown == "down" else 0)


def floored(share: Fraction, digits: int) -> Fraction:
    return Fraction(floor(share * 100 * 10**digits), 10**digits)


def check(found: ServiceStatement, plain: Plain) -> None:
    sums, options, target = summed(plain), plain.options, plain.agreed.versions[0].target
    base, down = decided(sums, options)
    assert {name: length for name, length in found.split_ms.items() if length} == sums.classes
    assert (found.considered_ms, Fraction(found.measure.counted)) == (base, down)
    assert (found.verdict, found.reason) == verdict(sums, options, target)
    covered = None if found.coverage_pct is None else Fraction(found.coverage_pct)
    assert covered == (None if sums.coverage is None else floored(sums.coverage, 3))
    if base:
        assert Fraction(found.availability_pct or "") == floored((base - down) / base, 6)
        assert found.bounds_pct is not None
        low, high = (Fraction(bound) / 100 for bound in found.bounds_pct)
        whole = sums.base + sums.unknown
        assert 0 <= (whole - sums.down - sums.unknown) / whole - low < Fraction(1, 100_000)
        assert 0 <= high - (whole - sums.down) / whole < Fraction(1, 100_000)
    if target is not None and base + sums.ahead:
        allowed = floor((base + sums.ahead) * (1 - Fraction(target) / 100))
        assert found.budget is not None
        assert (found.budget.allowed_ms, found.budget.used_ms) == (allowed, ceil(down))


@times(6)
@given(worlds())
def test_a_statement_says_what_a_plain_reading_of_every_millisecond_says(
    world: tuple[ServiceFacts, Contract, int],
) -> None:
    facts, agreed, as_of = world
    [found] = build_statement(agreed, [facts], PERIOD, as_of_ms=as_of).services
    check(found, Plain(facts, agreed, as_of))
