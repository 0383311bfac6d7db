"""When an outage begins by the contract: option `outage_start` of ACCOUNTING.md section 3, the first step of its order.

The judge lets an outage begin at the first failed check. A contract may say: at the last good one, half way between
the two, or at the check that confirmed it. No start is moved back over time that nobody measured. Degraded stretches,
which are confirmed likewise, begin by the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sla.facts import EndpointFacts, Outage, ServiceFacts
from sla.spans import Spans
from sla.terms import Options, Terms, in_force


def begun_by(service: ServiceFacts, versions: Sequence[Terms]) -> ServiceFacts:
    """The service with every outage beginning where the version in force at its first failed check lets it."""
    if all(terms.options.outage_start == "first_failure" for terms in versions):
        return service
    endpoints: Mapping[str, EndpointFacts] = {
        name: replace(
            facts,
            outages=tuple(_begun(outage, versions, facts.unknown) for outage in facts.outages),
            degraded=tuple(_begun(stretch, versions, facts.unknown) for stretch in facts.degraded),
        )
        for name, facts in service.endpoints.items()
    }
    return replace(service, endpoints=endpoints)


def _begun(outage: Outage, versions: Sequence[Terms], unknown: Spans) -> Outage:
    options = in_force(versions, outage.from_ms).options
    return replace(outage, from_ms=start_of(outage, options, unknown))


def start_of(outage: Outage, options: Options, unknown: Spans) -> int:
    """The instant at which the outage begins under the contract; as judged where the check that decides is unknown.

    Half a millisecond falls to the earlier side.
    """
    first, rule = outage.from_ms, options.outage_start
    if rule == "confirmation":
        confirmed = first if outage.confirmed_ms is None else outage.confirmed_ms
        return max(first, confirmed if outage.to_ms is None else min(confirmed, outage.to_ms))
    if rule == "first_failure" or outage.last_good_ms is None or outage.last_good_ms >= first:
        return first
    wanted = outage.last_good_ms if rule == "last_success" else (outage.last_good_ms + first) // 2
    blind = unknown.clip(wanted, first).spans
    return blind[-1][1] if blind else wanted
