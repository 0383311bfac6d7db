"""Made-up services and contracts of a period of 24 ms, for the properties of the accounting; and how often to try.

`make properties` tries each property many times; else the profile of `conftest.py` holds.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from sla_builders import contract, endpoint, terms, tiers

from sla.build import build_statement
from sla.facts import All, Any_, AtLeast, Exclusion, Expression, Member, Outage, ServiceFacts, Window
from sla.period import Period
from sla.spans import Spans
from sla.statement import ServiceStatement
from sla.terms import Contract, WindowTerms

END = 24
PERIOD = Period(0, END, "UTC", "tiny")


def times(share: int) -> settings:
    """So many times the profile's number of examples."""
    return settings(max_examples=settings.default.max_examples * share)


spans_of_time = st.tuples(st.integers(-4, END + 4), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
some_spans = st.lists(spans_of_time, max_size=4)
few_spans = st.lists(st.tuples(st.integers(0, END), st.integers(0, 5)).map(lambda p: (p[0], p[0] + p[1])), max_size=2)
rarely = st.sampled_from([False, False, False, True])
effects = st.sampled_from(["exclude", "count_up", "ignore"])


@st.composite
def endpoints(draw: Any, id: str) -> Any:
    outages = [Outage(f"O-{id}{i}", *span) for i, span in enumerate(draw(some_spans)) if span[0] < span[1]]
    if outages and draw(st.booleans()):
        outages[-1] = replace(outages[-1], to_ms=None)
    degraded = [Outage(f"D-{id}{i}", *span) for i, span in enumerate(draw(some_spans)) if span[0] < span[1]]
    return endpoint(id, outages=tuple(outages), degraded=tuple(degraded), unknown=Spans.of(draw(few_spans)))


members = st.sampled_from(["a", "b", "c"]).map(Member)


def groups(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    at_least = several.flatmap(lambda found: st.integers(1, len(found)).map(lambda k: AtLeast(k, found)))
    return several.map(All) | several.map(Any_) | at_least


expressions = st.recursive(members, groups, max_leaves=4)
scopes = st.sampled_from(
    [frozenset({("endpoint", "a")}), frozenset({("endpoint", "b"), ("endpoint", "c")}), frozenset({("service", "api")})]
)


@st.composite
def windows(draw: Any) -> tuple[Window, ...]:
    found = draw(st.lists(st.tuples(spans_of_time, scopes, st.integers(-20, END // 2)), max_size=3))
    return tuple(Window(f"M-{i}", *span, entered, scope) for i, (span, scope, entered) in enumerate(found))


@st.composite
def services(draw: Any) -> ServiceFacts:
    facts = {id: draw(endpoints(id)) for id in "abc"}
    composition = [(0, draw(expressions))]
    if draw(st.booleans()):
        composition.append((draw(st.integers(1, END - 1)), draw(expressions)))
    categories = st.sampled_from(["agreed", "client", "false_positive"])
    excluded = draw(st.lists(st.tuples(spans_of_time, categories), max_size=2))
    exclusions = tuple(Exclusion(f"X-{i}", *span, category) for i, (span, category) in enumerate(excluded))
    outside = Spans.of(draw(few_spans) if draw(rarely) else ())
    return ServiceFacts("api", "API", tuple(composition), facts, draw(windows()), exclusions, outside)


@st.composite
def contracts(draw: Any) -> Contract:
    options = {
        "maintenance": draw(effects),
        "exclusions": draw(effects),
        "unknown": draw(st.sampled_from(["exclude", "up", "down"])),
        "degraded": draw(st.sampled_from(["up", "down", Decimal("0.5"), Decimal("0.3")])),
        "min_coverage": Decimal(draw(st.integers(0, 100))),
        "windows": WindowTerms(notice_ms=draw(st.integers(0, 4))),
    }
    target = draw(st.sampled_from(["50", "90", "99.9", "100", None]))
    agreed = terms(target, start=draw(st.integers(-2, 2)), fee="100.00 EUR", **options)
    agreed = replace(agreed, credits=(tiers({"< 99.9": "10", "< 90": "25", "< 50": "50"}),))
    paused = Spans.of(draw(few_spans) if draw(rarely) else ())
    until = draw(st.integers(12, END + 2)) if draw(rarely) else None
    return contract(agreed, paused=paused, until_ms=until)


def ask(facts: ServiceFacts, agreed: Contract, as_of: int = END) -> ServiceStatement:
    return build_statement(agreed, [facts], PERIOD, as_of_ms=as_of).services[0]
