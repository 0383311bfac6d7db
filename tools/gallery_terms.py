"""Statements under less usual terms, for the gallery: credits per outage under caps, office hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from config.calc import parse_calc
from sla.build import build_statement
from sla.facts import EndpointFacts, ServiceFacts
from sla.statement import Statement

DOWN = """
down:
  - {start: 2026-10-06T08:00:00Z, end: 2026-10-06T09:10:00Z}
  - {start: 2026-10-14T09:30:00Z, end: 2026-10-14T11:47:13Z}
  - {start: 2026-10-17T22:30:00Z, end: 2026-10-17T23:47:13Z}
"""
PER_OUTAGE = """
from: 2026-01-01
timezone: Europe/Berlin
target: 99.9
fee: 2500.00 EUR
credits:
  - per_unit: {unit: 30 min, count: started, of: outage, after: 0.01 %, pay: 5 %}
    if: missed
  - tiers: availability
    rows: {< 99.9: 10 %, < 99.0: 25 %}
several_rules: sum
cap: [12 % of event, 30 % of period]
minimum: "> 1.00"
claim: {by: request, deadline: 30 days after period_end}
"""
OFFICE_HOURS = """
from: 2026-01-01
timezone: Europe/Berlin
target: 99.5
fee: 4200.00 EUR
credits:
  - steps: {step: 0.5 %, count: completed, pay: 2 %}
cap: 20 % of period
chronic: [3 in a row]
measure:
  service_hours: {mon-fri: "08:00-18:00", holidays: DE-BE}
  unknown: up
  bucket: 5 min
  bad: ">= 50 %"
"""
EXCLUDED = """
exclusions: [{start: 2026-10-14T09:40:00Z, end: 2026-10-14T10:00:00Z, category: client, clause: "9.1"}]
"""
BEFORE = """
inputs: {history: [missed, missed]}
unknown: [{start: 2026-10-20T09:00:00Z, end: 2026-10-20T09:30:00Z}]
"""
TERMS = {"per-outage": (PER_OUTAGE, EXCLUDED), "office-hours": (OFFICE_HOURS, BEFORE)}


def statements() -> Iterator[tuple[str, Statement]]:
    """Each with its name for a file."""
    for name, (terms, facts) in TERMS.items():
        entry = f"client: client\nservice: service{terms}".replace("\n", "\n  ")
        given = parse_calc(f"period: 2026-10\n{DOWN}{facts}", name, contract_text=f"{name}:\n  {entry}\n")
        contract = replace(given.contract, client_name="Sample Client", issuer="Sample Provider", number=name)
        services = [_named(service) for service in given.services]
        yield name, build_statement(contract, services, given.period, as_of_ms=given.as_of_ms)


def _named(service: ServiceFacts) -> ServiceFacts:
    """Outages with the ids that a statement prints."""
    known = {key: _numbered(facts) for key, facts in service.endpoints.items()}
    return replace(service, name="Order API", endpoints=known)


def _numbered(facts: EndpointFacts) -> EndpointFacts:
    outages = (replace(outage, id=f"O-{number:05d}") for number, outage in enumerate(facts.outages, start=1))
    return replace(facts, outages=tuple(outages))
