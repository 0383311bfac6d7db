"""The periods before one: judged anew from what is on record, for terms that look back at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sla.build import build_statement
from sla.facts import ServiceFacts
from sla.history import history_of, periods_needed
from sla.period import Period, running
from sla.terms import Contract, in_force

Known = Callable[[Period], tuple[ServiceFacts, ...]]  # the contract's services over another period


def with_history(
    contract: Contract, period: Period, facts: Sequence[ServiceFacts], *, known: Known, now_ms: int
) -> tuple[ServiceFacts, ...]:
    """The services with the verdicts of the periods before, where the terms need them and nobody entered any.

    Only the contract's own periods have a history, and only from its first one on.
    """
    count = periods_needed(in_force(contract.versions, period.to_ms - 1))
    if not count or all(service.inputs.history is not None for service in facts):
        return tuple(facts)
    before = list(_before(contract, period, count))
    if before and not _is_agreed(contract, period):
        return tuple(facts)
    judged = [
        {service.id: service for service in build_statement(contract, known(each), each, as_of_ms=now_ms).services}
        for each in reversed(before)
    ]
    return tuple(
        service
        if service.inputs.history is not None
        else replace(service, inputs=replace(service.inputs, history=history_of([each[service.id] for each in judged])))
        for service in facts
    )


def _before(contract: Contract, period: Period, count: int) -> Iterator[Period]:
    """The newest first, each by the terms in force at its own end."""
    start_ms = period.from_ms
    for _ in range(count):
        if start_ms <= contract.versions[0].from_ms:
            return
        options = in_force(contract.versions, start_ms - 1).options
        found = running(start_ms - 1, options.timezone, options.period)
        yield found
        start_ms = found.from_ms


def _is_agreed(contract: Contract, period: Period) -> bool:
    options = in_force(contract.versions, period.to_ms - 1).options
    agreed = running(period.to_ms - 1, options.timezone, options.period)
    return (agreed.from_ms, agreed.to_ms) == (period.from_ms, period.to_ms)
