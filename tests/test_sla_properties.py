"""Properties of the whole engine, against a plain evaluation of every single millisecond of tiny periods."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sla_builders import contract, measured
from sla_worlds import END, PERIOD, ask, contracts, services, some_spans, times

from sla.build import build_statement
from sla.canonical import as_json, canonical, from_json
from sla.facts import All, Any_, Expression, Member, Outage, ServiceFacts, Window
from sla.period import Period
from sla.terms import Contract, Options

# --- the plain evaluation ------------------------------------------------------------------------------------------


def within(at: int, span: tuple[int, int]) -> bool:
    return span[0] <= at < span[1]


def three_valued(expression: Expression, states: dict[str, str]) -> str:
    if isinstance(expression, Member):
        return states[expression.endpoint]
    found = [three_valued(member, states) for member in expression.members]
    needed = {All: len(found), Any_: 1}.get(type(expression)) or getattr(expression, "k", 1)
    if found.count("works") >= needed:
        return "works"
    return "down" if len(found) - found.count("down") < needed else "unknown"


def accepted(window: Window, options: Options) -> bool:
    return window.entered_ms is not None and window.from_ms - window.entered_ms >= options.windows.notice_ms


def class_at(at: int, facts: ServiceFacts, agreed: Contract) -> str:
    options = agreed.versions[0].options
    ended = agreed.until_ms is not None and at >= agreed.until_ms
    if at < agreed.versions[0].from_ms or ended or at in agreed.paused:
        return "not_contracted"
    if at in facts.outside_hours:
        return "outside_service_hours"
    expression = [e for since, e in facts.composition if since <= at][-1]
    states = {}
    for id, fact in facts.endpoints.items():
        down = any(within(at, (o.from_ms, END if o.to_ms is None else o.to_ms)) for o in fact.outages)
        states[id] = "unknown" if at in fact.unknown else "down" if down else "works"
    state = three_valued(expression, states)
    taken = [x for x in facts.exclusions if within(at, x.span) and x.category != "false_positive"]
    wrong = any(within(at, x.span) for x in facts.exclusions if x.category == "false_positive")
    if taken and (options.exclusions == "exclude" or (options.exclusions == "count_up" and state != "unknown")):
        return "excluded"
    if covered(at, facts, options, expression, states) and (
        options.maintenance == "exclude" or (options.maintenance == "count_up" and state != "unknown")
    ):
        return "maintenance"
    if state == "unknown" or wrong:
        return "unknown" if state == "unknown" else "up"
    return "down" if state == "down" else "degraded" if slow(at, facts, expression, states) else "up"


def covered(at: int, facts: ServiceFacts, options: Options, expression: Expression, states: dict[str, str]) -> bool:
    here = [w for w in facts.windows if within(at, w.span) and accepted(w, options) and w.entered_ms < END]
    named = {id for window in here for kind, id in window.scope if kind == "endpoint"}
    if any(("service", "api") in window.scope for window in here):
        return True
    if_down = states | dict.fromkeys(named, "down")
    if_up = states | dict.fromkeys(named, "works")
    return three_valued(expression, if_down) == "down" and three_valued(expression, if_up) == "works"


def slow(at: int, facts: ServiceFacts, expression: Expression, states: dict[str, str]) -> bool:
    sound = {
        id: "works"
        if state == "works"
        and not any(within(at, (o.from_ms, END if o.to_ms is None else o.to_ms)) for o in facts.endpoints[id].degraded)
        else "down"
        for id, state in states.items()
    }
    return three_valued(expression, sound) != "works"


# --- the properties ------------------------------------------------------------------------------------------------


@times(6)
@given(services(), contracts(), st.sampled_from([END, END, END, 0, 7, 15]))
def test_every_millisecond_has_the_class_that_a_plain_evaluation_gives_it(
    facts: ServiceFacts, agreed: Contract, as_of: int
) -> None:
    known = replace(facts, windows=tuple(w for w in facts.windows if (w.entered_ms or 0) <= as_of))
    found = ask(facts, agreed, as_of)
    told = {at: s.time_class for s in found.timeline for at in range(s.from_ms, s.to_ms)}
    assert told == {at: class_at(at, known, agreed) for at in range(as_of)}


@given(services(), contracts())
def test_classes_sum_to_the_period_and_the_timeline_has_no_gap(facts: ServiceFacts, agreed: Contract) -> None:
    found = ask(facts, agreed)
    assert sum(found.split_ms.values()) == END
    edges = [0, *(line.to_ms for line in found.timeline)]
    assert [line.from_ms for line in found.timeline] == edges[:-1]
    assert edges[-1] == END


@given(services(), contracts())
def test_the_figure_follows_from_the_timeline_and_lies_between_its_bounds(
    facts: ServiceFacts, agreed: Contract
) -> None:
    found, options = ask(facts, agreed), agreed.versions[0].options
    time = found.split_ms
    weighed = sum(
        (line.to_ms - line.from_ms) * Fraction(line.weight or 1)
        for line in found.timeline
        if line.time_class in ("down", "degraded")
    )
    base = time["up"] + time["degraded"] + time["down"]
    base += time["maintenance"] * (options.maintenance == "count_up") + time["excluded"] * (
        options.exclusions == "count_up"
    )
    counted = weighed + time["unknown"] * (options.unknown == "down")
    base += time["unknown"] * (options.unknown != "exclude")
    assert (int(found.measure.base), Fraction(found.measure.counted)) == (base, counted)
    if found.availability_pct is None:
        assert (base, found.verdict) == (0, "NO_DATA")
    elif found.bounds_pct is not None:
        low, high = (Fraction(bound) for bound in found.bounds_pct)
        assert low <= Fraction(found.availability_pct) + Fraction(1, 10**6)
        assert Fraction(found.availability_pct) <= high


@given(services(), contracts())
def test_counted_time_is_that_of_the_outages_listed(facts: ServiceFacts, agreed: Contract) -> None:
    found = ask(facts, agreed)
    for kind in ("down", "degraded"):
        whole = sum(
            line.to_ms - line.from_ms for line in found.timeline if line.time_class == kind and line.weight is None
        )
        listed = sum(each.counted_ms for each in found.outages if each.kind == kind)
        assert listed >= whole if kind == "degraded" else listed == whole


@given(services(), contracts(), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(facts: ServiceFacts, agreed: Contract, random: Any) -> None:
    def mixed(items: Any) -> tuple[Any, ...]:
        return tuple(random.sample(list(items), len(items)))

    shuffled = replace(
        facts,
        windows=mixed(facts.windows),
        exclusions=mixed(facts.exclusions),
        endpoints={
            id: replace(
                facts.endpoints[id],
                outages=mixed(facts.endpoints[id].outages),
                degraded=mixed(facts.endpoints[id].degraded),
            )
            for id in mixed(facts.endpoints)
        },
    )
    assert ask(shuffled, agreed) == ask(facts, agreed)


@given(services(), contracts(), st.integers(-3, END + 3))
def test_a_statement_survives_json_byte_for_byte(facts: ServiceFacts, agreed: Contract, as_of: int) -> None:
    statement = build_statement(agreed, [facts], PERIOD, as_of_ms=as_of)
    written = canonical(as_json(statement))
    read = from_json(json.loads(written))
    assert read == statement
    assert canonical(as_json(read)) == written


@given(services(), contracts(), st.integers(1, END - 1))
def test_the_days_of_a_period_sum_to_it(facts: ServiceFacts, agreed: Contract, cut: int) -> None:
    whole = ask(facts, agreed)
    halves = [
        build_statement(agreed, [facts], Period(start, end, "UTC", "half"), as_of_ms=END).services[0]
        for start, end in ((0, cut), (cut, END))
    ]
    for name, length in whole.split_ms.items():
        assert sum(half.split_ms[name] for half in halves) == length
    assert sum(Fraction(half.measure.counted) for half in halves) == Fraction(whole.measure.counted)


@given(services(), contracts())
def test_a_credit_lies_between_its_bounds_and_lines_sum_to_it(facts: ServiceFacts, agreed: Contract) -> None:
    credit = ask(facts, agreed).credit
    assert credit is not None
    if credit.amount is not None and credit.low is not None and credit.high is not None:
        assert 0 <= Decimal(credit.low) <= Decimal(credit.amount) <= Decimal(credit.high) <= Decimal("100.00")
        assert sum((Decimal(line.amount) for line in credit.lines), Decimal(0)) == Decimal(credit.amount)


@given(some_spans, some_spans)
def test_more_downtime_never_raises_the_figure(spans: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    def figure(found: list[tuple[int, int]]) -> Fraction:
        facts = measured(*(Outage(None, *span) for span in found if span[0] < span[1]))
        return Fraction(ask(facts, contract()).availability_pct or 0)

    assert figure([*spans, *more]) <= figure(spans)


@given(services(), contracts())
def test_the_figure_without_an_exclusion_is_that_of_a_statement_without_it(
    facts: ServiceFacts, agreed: Contract
) -> None:
    for told in ask(facts, agreed).exclusions:
        others = tuple(entry for entry in facts.exclusions if entry.id != told.id)
        assert ask(replace(facts, exclusions=others), agreed).availability_pct == told.without_pct


@given(services(), contracts(), st.integers(1, END - 1), st.integers(1, END))
def test_a_new_target_cuts_parts_that_sum_to_the_whole(
    facts: ServiceFacts, agreed: Contract, cut: int, as_of: int
) -> None:
    first = replace(agreed.versions[0], target=Decimal("99"))
    second = replace(first, from_ms=max(cut, first.from_ms + 1), target=Decimal("42"))
    one = ask(facts, replace(agreed, versions=(first,)), as_of)
    two = ask(facts, replace(agreed, versions=(first, second)), as_of)
    assert (two.split_ms, two.measure, two.timeline) == (one.split_ms, one.measure, one.timeline)
    assert (two.availability_pct, two.coverage_pct, two.outages) == (
        one.availability_pct,
        one.coverage_pct,
        one.outages,
    )
    assert len(two.parts) == (2 if second.from_ms < as_of else 1)
