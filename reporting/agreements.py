"""What was agreed, read once from the ledger's dated definitions: contracts, compositions, windows, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from config.calendars import windows_between
from config.definitions import Composition, composition_of, contract_of, method_changes
from ledger.definitions import history
from ledger.store import Ledger
from sla.facts import Definition, DefinitionKind, MethodChange, Window
from sla.terms import Contract


@dataclass(frozen=True, slots=True)
class Agreements:
    """Every version of every definition, by kind and id, ascending. What was removed keeps its versions."""

    versions: Mapping[DefinitionKind, Mapping[str, tuple[Definition, ...]]]

    def ids(self, kind: DefinitionKind) -> tuple[str, ...]:
        """Ids ever defined, in order."""
        return tuple(sorted(self.versions.get(kind, {})))

    def current(self, kind: DefinitionKind) -> dict[str, Mapping[str, Any]]:
        """The bodies in force by the newest versions; what was removed is not in it."""
        newest = {id: found[-1].body for id, found in self.versions.get(kind, {}).items()}
        return {id: body for id, body in sorted(newest.items()) if body is not None}

    def body(self, kind: DefinitionKind, id: str) -> Mapping[str, Any] | None:
        """The newest body, of a removed thing its last one; None for what was never defined."""
        kept = self._kept(kind, id)
        return kept[-1].body if kept else None

    def name(self, kind: DefinitionKind, id: str) -> str:
        return str((self.body(kind, id) or {}).get("name") or id)

    def contract(self, id: str) -> Contract:
        """The contract with all its versions; one that was removed ends there, if not before. Raises LookupError."""
        kept = self._kept("contract", id)
        client = str((kept[-1].body or {}).get("client", "")) if kept else ""
        found = contract_of(kept, self.body("client", client))
        gone = self.versions.get("contract", {}).get(id, ())[len(kept) :]
        if not gone:
            return found
        removed_ms = gone[0].known_from_ms
        return replace(found, until_ms=removed_ms if found.until_ms is None else min(found.until_ms, removed_ms))

    def contracts_of(self, client: str) -> tuple[Contract, ...]:
        """In order of their ids."""
        return tuple(found for found in map(self.contract, self.ids("contract")) if found.client_id == client)

    def composition(self, service: str) -> Composition:
        """Raises LookupError for an id that was never defined."""
        own = self._of(service, "service", "endpoint")
        return composition_of(service, own, endpoint_history=lambda id: self._of(id, "endpoint"))

    def method_changes(self, endpoint: str, from_ms: int, to_ms: int) -> tuple[MethodChange, ...]:
        return method_changes(endpoint, self._of(endpoint, "endpoint"), from_ms, to_ms)

    def windows(self, from_ms: int, to_ms: int) -> tuple[Window, ...]:
        """Every occurrence of announced maintenance that overlaps [from_ms, to_ms), not yet judged."""
        found = [version for versions in self.versions.get("window", {}).values() for version in versions]
        return windows_between(found, from_ms, to_ms)

    def _kept(self, kind: DefinitionKind, id: str) -> tuple[Definition, ...]:
        versions = self.versions.get(kind, {}).get(id, ())
        last = max((number for number, version in enumerate(versions) if version.body is not None), default=-1)
        return versions[: last + 1]

    def _of(self, id: str, *kinds: DefinitionKind) -> Sequence[Definition]:
        return [version for kind in kinds for version in self.versions.get(kind, {}).get(id, ())]


def agreements(ledger: Ledger) -> Agreements:
    """Read all definitions."""
    versions: dict[DefinitionKind, dict[str, list[Definition]]] = {}
    for definition in history(ledger):
        versions.setdefault(definition.kind, {}).setdefault(definition.id, []).append(definition)
    return Agreements({kind: {id: tuple(found) for id, found in of.items()} for kind, of in versions.items()})
