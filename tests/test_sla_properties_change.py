"""What a change of the facts may do to the figures: a border moved by a millisecond, downtime removed, an exclusion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from sla_worlds import END, PERIOD, ask, contracts, services, spans_of_time, times

from sla.build import build_statement
from sla.facts import EndpointFacts, Exclusion, Outage, ServiceFacts
from sla.spans import Span, Spans
from sla.statement import ServiceStatement
from sla.terms import Contract

Border = Callable[[int], tuple[ServiceFacts, Contract] | None]  # both with the border moved by that many ms


def availability(found: ServiceStatement) -> Fraction | None:
    base = int(found.measure.base)
    return (base - Fraction(found.measure.counted)) / base if base else None


def moved(span: tuple[int, int | None], side: int, by: int) -> tuple[int, int | None] | None:
    """The span with one border moved; None where it has no such border, or nothing would be left of it."""
    start, end = span
    if side == 0:
        return (start + by, end) if end is None or start + by < end else None
    return None if end is None or end + by <= start else (start, end + by)


def swapped(items: tuple[Any, ...], index: int, item: Any) -> tuple[Any, ...]:
    return (*items[:index], item, *items[index + 1 :])


def sides(count: int) -> Iterator[tuple[int, int]]:
    return ((index, side) for index in range(count) for side in (0, 1))


def borders(facts: ServiceFacts, agreed: Contract) -> list[Border]:
    """Every border of every fact and of the contract."""
    found = [b for id, fact in facts.endpoints.items() for b in _of_endpoint(facts, agreed, id, fact)]
    found += [_of_entry(facts, agreed, "windows", *place) for place in sides(len(facts.windows))]
    found += [_of_entry(facts, agreed, "exclusions", *place) for place in sides(len(facts.exclusions))]
    found += [_of_hours(facts, agreed, *place) for place in sides(len(facts.outside_hours.spans))]
    found += [_of_pause(facts, agreed, *place) for place in sides(len(agreed.paused.spans))]
    found += [_of_composition(facts, agreed, index) for index in range(1, len(facts.composition))]
    found.append(lambda by: (facts, replace(agreed, versions=_from(agreed, by))))
    if agreed.until_ms is not None:
        found.append(lambda by: (facts, replace(agreed, until_ms=(agreed.until_ms or 0) + by)))
    return found


def _from(agreed: Contract, by: int) -> tuple[Any, ...]:
    return tuple(replace(terms, from_ms=terms.from_ms + by) for terms in agreed.versions)


def _of_endpoint(facts: ServiceFacts, agreed: Contract, id: str, fact: EndpointFacts) -> Iterator[Border]:
    def put(**change: Any) -> tuple[ServiceFacts, Contract]:
        return replace(facts, endpoints={**facts.endpoints, id: replace(fact, **change)}), agreed

    def of(name: str, index: int, side: int) -> Border:
        def move(by: int) -> tuple[ServiceFacts, Contract] | None:
            outage: Outage = getattr(fact, name)[index]
            span = moved((outage.from_ms, outage.to_ms), side, by)
            changed = span and replace(outage, from_ms=span[0], to_ms=span[1])
            return changed and put(**{name: swapped(getattr(fact, name), index, changed)})

        return move

    def of_unknown(index: int, side: int) -> Border:
        return lambda by: (spans := _moved_in(fact.unknown, index, side, by)) and put(unknown=spans)

    yield from (of("outages", *place) for place in sides(len(fact.outages)))
    yield from (of("degraded", *place) for place in sides(len(fact.degraded)))
    yield from (of_unknown(*place) for place in sides(len(fact.unknown.spans)))


def _moved_in(spans: Spans, index: int, side: int, by: int) -> Spans | None:
    span = moved(spans.spans[index], side, by)
    return None if span is None else Spans.of(swapped(spans.spans, index, span))


def _of_entry(facts: ServiceFacts, agreed: Contract, name: str, index: int, side: int) -> Border:
    def move(by: int) -> tuple[ServiceFacts, Contract] | None:
        entry = getattr(facts, name)[index]
        span = moved(entry.span, side, by)
        if span is None:
            return None
        changed = replace(entry, from_ms=span[0], to_ms=span[1])
        return replace(facts, **{name: swapped(getattr(facts, name), index, changed)}), agreed

    return move


def _of_hours(facts: ServiceFacts, agreed: Contract, index: int, side: int) -> Border:
    def move(by: int) -> tuple[ServiceFacts, Contract] | None:
        spans = _moved_in(facts.outside_hours, index, side, by)
        return spans and (replace(facts, outside_hours=spans), agreed)

    return move


def _of_pause(facts: ServiceFacts, agreed: Contract, index: int, side: int) -> Border:
    def move(by: int) -> tuple[ServiceFacts, Contract] | None:
        spans = _moved_in(agreed.paused, index, side, by)
        return spans and (facts, replace(agreed, paused=spans))

    return move


def _of_composition(facts: ServiceFacts, agreed: Contract, index: int) -> Border:
    def move(by: int) -> tuple[ServiceFacts, Contract]:
        since, expression = facts.composition[index]
        return replace(facts, composition=swapped(facts.composition, index, (since + by, expression))), agreed

    return move


@times(3)
@given(services(), contracts(), st.data(), st.sampled_from([-1, 1]))
def test_moving_a_border_by_a_millisecond_moves_a_class_by_at_most_one(
    facts: ServiceFacts, agreed: Contract, data: st.DataObject, by: int
) -> None:
    decided = tuple(replace(w, accepted=index % 3 != 0, why="on record") for index, w in enumerate(facts.windows))
    facts = replace(facts, windows=decided)  # else a start that moves may fall short of the notice
    found = borders(facts, agreed)
    after = found[data.draw(st.integers(0, len(found) - 1))](by)
    assume(after is not None)
    assert after is not None
    old, new = ask(facts, agreed), ask(*after)
    assert all(abs(new.split_ms[name] - length) <= 1 for name, length in old.split_ms.items())
    assert abs(Fraction(new.measure.counted) - Fraction(old.measure.counted)) <= 1
    assert sum(new.split_ms.values()) == sum(old.split_ms.values())


@times(3)
@given(services(), contracts(), st.data())
def test_removing_downtime_never_lowers_availability(
    facts: ServiceFacts, agreed: Contract, data: st.DataObject
) -> None:
    listed = [(id, index) for id, fact in facts.endpoints.items() for index in range(len(fact.outages))]
    assume(listed)
    id, index = data.draw(st.sampled_from(listed))
    fact = facts.endpoints[id]
    shorter = data.draw(st.booleans())
    outage = fact.outages[index]
    kept = (replace(outage, from_ms=outage.from_ms + 1),) if shorter and _longer_than_1_ms(outage) else ()
    outages = (*fact.outages[:index], *kept, *fact.outages[index + 1 :])
    less = replace(facts, endpoints={**facts.endpoints, id: replace(fact, outages=outages)})
    old, new = ask(facts, agreed), ask(less, agreed)
    # Where nobody saw another member, one that is not down may decide what was open, or leave open what it decided.
    assume(unseen(new) == unseen(old))
    before, after = availability(old), availability(new)
    assert before is None or after is None or after >= before


def unseen(found: ServiceStatement) -> list[Span]:
    return [(line.from_ms, line.to_ms) for line in found.timeline if line.time_class == "unknown"]


def _longer_than_1_ms(outage: Outage) -> bool:
    return outage.to_ms is None or outage.to_ms - outage.from_ms > 1


def with_exclusion(facts: ServiceFacts, span: Span) -> ServiceFacts:
    return replace(facts, exclusions=(*facts.exclusions, Exclusion("X-new", *span, "client", "§ 7", "agreed")))


@times(3)
@given(services(), contracts(), spans_of_time)
def test_an_exclusion_never_lowers_a_figure_in_which_it_counts_up(
    facts: ServiceFacts, agreed: Contract, span: Span
) -> None:
    up = replace(agreed.versions[0].options, exclusions="count_up")
    agreed = replace(agreed, versions=(replace(agreed.versions[0], options=up),))
    before, after = availability(ask(facts, agreed)), availability(ask(with_exclusion(facts, span), agreed))
    assert before is None or (after is not None and after >= before)


@times(3)
@given(services(), contracts())
def test_an_exclusion_made_from_an_outage_never_lowers_a_figure(facts: ServiceFacts, agreed: Contract) -> None:
    found = ask(facts, agreed)
    before = availability(found)
    for line in found.timeline:
        if line.time_class == "down" and before is not None:
            after = availability(ask(with_exclusion(facts, (line.from_ms, line.to_ms)), agreed))
            assert after is None or after >= before


@given(services(), contracts(), st.integers(1, END))
def test_asking_later_changes_no_class_of_the_time_before(facts: ServiceFacts, agreed: Contract, as_of: int) -> None:
    known = tuple(window for window in facts.windows if window.entered_ms is not None and window.entered_ms <= 0)
    facts = replace(facts, windows=known)
    early, late = (build_statement(agreed, [facts], PERIOD, as_of_ms=at).services[0].timeline for at in (as_of, END))
    told = {at: line.time_class for line in late for at in range(line.from_ms, line.to_ms)}
    assert {at: line.time_class for line in early for at in range(line.from_ms, line.to_ms)} == {
        at: told[at] for at in range(as_of)
    }
