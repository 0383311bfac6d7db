"""The same facts with something taken back: an exclusion that was agreed, a window that was announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sla.facts import ServiceFacts


def without(service: ServiceFacts, ids: Iterable[str]) -> ServiceFacts:
    """The service as if the exclusions and windows of these ids did not exist."""
    gone = frozenset(ids)
    return replace(
        service,
        exclusions=tuple(entry for entry in service.exclusions if entry.id not in gone),
        windows=tuple(window for window in service.windows if window.id not in gone),
    )


def judged_anew(service: ServiceFacts) -> ServiceFacts:
    """The service with no decision on its windows on record: other terms of acceptance judge each of them again."""
    return replace(service, windows=tuple(replace(window, accepted=None, why=None) for window in service.windows))
