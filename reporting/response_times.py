"""Response times per local day of a statement's period, for the report's chart."""

from __future__ import annotations

from ledger.latency import latencies
from ledger.store import Ledger
from reporting.agreements import Agreements, agreements
from reporting.report.latency import DailyLatency
from sla.period import Period, days
from sla.statement import ServiceStatement, Statement


def response_times(ledger: Ledger, statement: Statement) -> dict[str, tuple[DailyLatency, ...]]:
    """One series per service of one endpoint, under its id; per endpoint of a composed service, under its name."""
    agreed = agreements(ledger)
    found = statement.period
    period = Period(found["from_ms"], found["to_ms"], found["tz"], found["label"])
    return {
        key: _series(ledger, endpoint, period)
        for service in statement.services
        for key, endpoint in _endpoints(agreed, service)
    }


def _endpoints(agreed: Agreements, service: ServiceStatement) -> list[tuple[str, str]]:
    """(key of the chart, endpoint) of everything that the service was made of."""
    if service.id is None:
        return []
    members = sorted(agreed.composition(service.id).endpoints)
    if len(members) == 1:
        return [(service.id, members[0])]
    return [(agreed.name("endpoint", member), member) for member in members]


def _series(ledger: Ledger, endpoint: str, period: Period) -> tuple[DailyLatency, ...]:
    """Days of the period in order; those after now have no checks and so no figures."""
    cuts = days(period)
    found = latencies(ledger, endpoint, [(from_ms, to_ms) for _, from_ms, to_ms in cuts])
    return tuple(
        DailyLatency(day, timed.p50_ms, timed.p95_ms, timed.p99_ms)
        for (day, _, _), timed in zip(cuts, found, strict=True)
    )
