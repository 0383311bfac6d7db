"""The bridge that makes every figure: dated definitions and recorded facts in, one Statement per contract out.

Reports, credits, the board and the JSON all render what comes from here; nothing else computes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from config.calendars import outside_hours
from ledger import journal
from ledger.exclusions import exclusions_between
from ledger.facts import checks_within, endpoint_facts
from ledger.store import Ledger
from reporting.agreements import Agreements, agreements
from reporting.maintenance import announced
from reporting.periods_before import with_history
from reporting.zone_files import tzdata_version
from sla.build import Identity, build_statement
from sla.compose import membership
from sla.facts import EndpointFacts, ServiceFacts, Window
from sla.inputs import NOTHING_ENTERED, Inputs
from sla.laying import around_period
from sla.period import Period, local, parse
from sla.sections import under_contract
from sla.spans import Span
from sla.statement import Statement
from sla.terms import Contract, in_force
from sla.windows import caps_from_ms

__all__ = [
    "NothingInForce",
    "StatementError",
    "UnknownClient",
    "UnknownInput",
    "build",
    "build_all",
    "contracts_of",
    "is_in_force",
    "service_facts",
    "statements_of",
    "zone_of",
]

Entered: TypeAlias = Mapping[tuple[str, str], Inputs]  # by contract and service
NOTHING: Entered = MappingProxyType({})
_NAMESPACE = uuid.UUID("5b3a6f0e-6a0d-5c9b-9f5d-0c1d5f7b9e21")


class StatementError(Exception):
    """What was asked for cannot be built; the message says what there is."""


class NoDefinitions(StatementError):
    """this ledger holds no definitions yet; run `nines config apply`, or start the daemon with `nines run`"""


class UnknownClient(StatementError):
    """No client of that id was ever defined."""


class UnknownInput(StatementError):
    """Inputs were entered for a contract or a service that does not exist."""


class NothingInForce(StatementError):
    """No contract was in force in the period, or the period has not begun."""


def build(
    ledger: Ledger,
    client_id: str,
    period_text: str,
    *,
    now_ms: int,
    version: str,
    inputs: Entered = NOTHING,
) -> tuple[Statement, ...]:
    """One statement for each contract of the client that was in force in the period, as of `now_ms`.

    The period is cut in the contract's zone; one still running is provisional. `inputs` is what was entered, by
    contract and service. Raises UnknownClient, NothingInForce, UnknownInput and PeriodError.
    """
    agreed = agreements(ledger)
    refuse_unknown(agreed, inputs)
    wanted = dated(contracts_of(agreed, client_id), period_text)
    found = [(contract, period) for contract, period in wanted if is_in_force(contract, period, now_ms)]
    if not found:
        raise NothingInForce(_why_nothing(agreed.name("client", client_id), wanted, now_ms))
    return tuple(statements_of(ledger, agreed, found, now_ms=now_ms, version=version, inputs=inputs))


def build_all(
    ledger: Ledger, period_text: str, *, now_ms: int, version: str, inputs: Entered = NOTHING
) -> tuple[Statement, ...]:
    """The statements of every contract that was in force in the period, by client; () where none was.

    Raises NoDefinitions where nothing was ever defined, and PeriodError.
    """
    agreed = agreements(ledger)
    if not agreed.versions:
        raise NoDefinitions(NoDefinitions.__doc__)
    refuse_unknown(agreed, inputs)
    contracts = [contract for client in agreed.ids("client") for contract in agreed.contracts_of(client)]
    found = [each for each in dated(contracts, period_text) if is_in_force(*each, now_ms)]
    return tuple(statements_of(ledger, agreed, found, now_ms=now_ms, version=version, inputs=inputs))


def refuse_unknown(agreed: Agreements, inputs: Entered) -> None:
    """Raises UnknownInput for an entry of a contract, or a service, that does not exist: it would change nothing."""
    for contract, service in inputs:
        known = agreed.contract(contract).services if contract in agreed.ids("contract") else ()
        if service not in known:
            there_are = f"its services are {', '.join(known)}" if known else "no contract of that id is known"
            raise UnknownInput(f"inputs for {contract}, {service}: {there_are}; mend the file of inputs")


def contracts_of(agreed: Agreements, client_id: str) -> tuple[Contract, ...]:
    """The client's contracts. Raises UnknownClient with the ids that exist,
    NothingInForce without any contract, NoDefinitions on an empty ledger."""
    clients = agreed.ids("client")
    if not agreed.versions:
        raise NoDefinitions(NoDefinitions.__doc__)
    if client_id not in clients:
        there_are = f"there are: {', '.join(clients)}" if clients else "none is; add one under clients:"
        raise UnknownClient(f"no client {client_id!r} is known here; {there_are}")
    found = agreed.contracts_of(client_id)
    if not found:
        raise NothingInForce(
            f"client {client_id} has no contract; add one under contracts: and run `nines config apply`"
        )
    return found


def dated(contracts: Sequence[Contract], period_text: str) -> list[tuple[Contract, Period]]:
    """Each contract with the period cut in its own zone. Raises PeriodError."""
    return [(contract, period_of(contract, period_text)) for contract in contracts]


def period_of(contract: Contract, period_text: str) -> Period:
    """The period named, cut in the contract's zone; `2026-10` is the billing month that begins then, where agreed."""
    calendar = parse(period_text, zone_of(contract))
    terms = in_force(contract.versions, calendar.to_ms - 1)
    return parse(period_text, zone_of(contract), terms.options.period)


def zone_of(contract: Contract) -> str:
    return contract.versions[-1].options.timezone


def is_in_force(contract: Contract, period: Period, now_ms: int) -> bool:
    """Whether the contract holds for any of the part of the period that has begun."""
    begins_ms = max(contract.versions[0].from_ms, period.from_ms)
    ends_ms = period.to_ms if contract.until_ms is None else min(contract.until_ms, period.to_ms)
    return begins_ms < min(ends_ms, now_ms)


def _why_nothing(client: str, wanted: Sequence[tuple[Contract, Period]], now_ms: int) -> str:
    period = wanted[0][1]
    if period.from_ms >= now_ms:
        return f"{period.label} has not begun; name a period up to now"
    spans = [f"{contract.id} {_span_words(contract)}" for contract, _ in wanted]
    return f"no contract of {client} was in force in {period.label}: {', '.join(spans)}"


def _span_words(contract: Contract) -> str:
    tz = zone_of(contract)
    begins = f"runs from {local(contract.versions[0].from_ms, tz):%Y-%m-%d}"
    return begins if contract.until_ms is None else f"{begins} until {local(contract.until_ms, tz):%Y-%m-%d}"


def statements_of(
    ledger: Ledger,
    agreed: Agreements,
    wanted: Sequence[tuple[Contract, Period]],
    *,
    now_ms: int,
    version: str,
    inputs: Entered = NOTHING,
) -> Iterator[Statement]:
    """The statement of each contract for its period, all as of `now_ms` and under one head of the journal."""
    head = journal.head(ledger)
    for contract, period in wanted:
        name = f"{ledger.id}/{contract.id}/{period.from_ms}-{period.to_ms}/{period.tz}"
        identity = Identity(
            statement_id=str(uuid.uuid5(_NAMESPACE, name)),
            software={"nines": version, "tzdata": tzdata_version()},
            journal=None if head is None else {"ledger_id": head.ledger_id, "seq": head.seq, "hash": head.hash},
        )
        known = service_facts(ledger, agreed, contract, period, now_ms=now_ms)
        given = with_inputs(contract, known, inputs)
        look_up = partial(service_facts, ledger, agreed, contract, now_ms=now_ms)
        facts = with_history(contract, period, given, known=look_up, now_ms=now_ms)
        yield build_statement(contract, facts, period, as_of_ms=now_ms, identity=identity)


def with_inputs(contract: Contract, facts: Sequence[ServiceFacts], inputs: Entered) -> list[ServiceFacts]:
    """The services with what was entered for them."""
    return [replace(each, inputs=inputs.get((contract.id or "", each.id), NOTHING_ENTERED)) for each in facts]


def service_facts(
    ledger: Ledger, agreed: Agreements, contract: Contract, period: Period, *, now_ms: int, sampled: bool = True
) -> tuple[ServiceFacts, ...]:
    """What is known of each service of the contract over the period: composition, checks, windows, exclusions.

    Without `sampled` no checks are counted: no figure depends on them, and counting takes most of the time.
    """
    made_of = {service: agreed.composition(service) for service in contract.services}
    names = sorted({key for composition in made_of.values() for key in composition.keys})
    known = endpoint_facts(ledger, names, from_ms=period.from_ms, to_ms=period.to_ms, now_ms=now_ms, sampled=False)
    around: Span = (period.from_ms, period.to_ms)
    while (wider := around_period(contract, period, known.values(), now_ms=now_ms)) != around:
        around = wider  # what lies there may hold outages that reach out further
        wide = endpoint_facts(ledger, names, from_ms=around[0], to_ms=around[1], now_ms=now_ms, sampled=False)
        known = _wider(known, wide)
    windows_from_ms = min(around[0], caps_from_ms(contract, period.from_ms))
    windows = announced(ledger, agreed, contract, from_ms=windows_from_ms, to_ms=around[1])
    found = tuple(
        _facts_of(ledger, agreed, contract, period, service, known=known, windows=windows, around=around, now_ms=now_ms)
        for service in contract.services
    )
    if not sampled:
        return found
    until_ms = min(period.to_ms, now_ms)
    return tuple(_sampled(ledger, contract, facts, period, until_ms=until_ms) for facts in found)


def _wider(known: Mapping[str, EndpointFacts], wide: Mapping[str, EndpointFacts]) -> dict[str, EndpointFacts]:
    """What was observed around the period too, with the checks counted in the period alone."""
    return {
        name: replace(facts, outages=wide[name].outages, degraded=wide[name].degraded, unknown=wide[name].unknown)
        for name, facts in known.items()
    }


def _facts_of(
    ledger: Ledger,
    agreed: Agreements,
    contract: Contract,
    period: Period,
    service: str,
    *,
    known: Mapping[str, EndpointFacts],
    windows: Sequence[Window],
    around: Span,
    now_ms: int,
) -> ServiceFacts:
    made_of = agreed.composition(service)
    subjects = [("service", service)]
    if len(made_of.endpoints) == 1:  # of several endpoints one may be excluded without the service being so
        subjects.append(("endpoint", made_of.endpoints[0]))
    until_ms = min(period.to_ms, now_ms)
    return ServiceFacts(
        id=service,
        name=made_of.name,
        composition=made_of.dated,
        endpoints={key: known[key] for key in made_of.keys if key in known},
        windows=tuple(windows),
        exclusions=exclusions_between(ledger, subjects, contract=contract.id, from_ms=around[0], to_ms=around[1]),
        outside_hours=outside_hours(contract, *around),
        method_changes=tuple(
            change for name in made_of.endpoints for change in agreed.method_changes(name, period.from_ms, until_ms)
        ),
    )


def _sampled(ledger: Ledger, contract: Contract, facts: ServiceFacts, period: Period, *, until_ms: int) -> ServiceFacts:
    """The facts with only those checks counted that were due while the endpoint served the contract."""
    asked = under_contract(contract, facts, period, until_ms=until_ms)
    span = (period.from_ms, period.to_ms)
    counted = {
        name: checks_within(ledger, known, asked & membership(facts, name, span))
        for name, known in facts.endpoints.items()
    }
    return replace(facts, endpoints=counted)
