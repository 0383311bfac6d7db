"""Definitions, whole: what a config defines, what a load would store of it, and the readers of what was stored."""

from __future__ import annotations

from config.bodies import (
    client_of,
    contract_of,
    definitions_of,
    endpoint_of,
    method_changes,
    service_of,
)
from config.changes import changes
from config.composition import Composition, composition_of

__all__ = [
    "Composition",
    "changes",
    "client_of",
    "composition_of",
    "contract_of",
    "definitions_of",
    "endpoint_of",
    "method_changes",
    "service_of",
]
