"""What a service was made of at each instant, read from the dated definitions of it and of its endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

from config.bodies import BEGINNING_MS, service_of
from config.endpoint import majority
from sla.compose import endpoint_of, members, quorum
from sla.facts import Definition, DefinitionKind, Expression, Member

Dated: TypeAlias = tuple[tuple[int, Expression], ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """What a service was made of: (from_ms, expression) ascending; every member's key and every endpoint ever in it."""

    name: str
    dated: Dated
    keys: tuple[str, ...]
    endpoints: tuple[str, ...]


def composition_of(
    service_id: str,
    history: Sequence[Definition],
    *,
    endpoint_history: Callable[[str], Sequence[Definition]] = lambda _: (),
) -> Composition:
    """The dated composition of a service, or of the endpoint that is a service by itself.

    `history` holds definitions of any kind and id; `endpoint_history` gives those of a member, whose locations vote.
    An id may have been an endpoint first and a service later: at each instant it is what was in force then. Raises
    LookupError for an id that was never defined.
    """
    own = [d for d in history if d.id == service_id and d.kind in ("service", "endpoint")]
    held: dict[DefinitionKind, Definition] = {}
    dated: list[tuple[int, Expression]] = []
    newest: Definition | None = None
    for at_ms, loaded in groupby(sorted(own, key=_known_from), key=_known_from):
        held |= {d.kind: d for d in loaded}
        in_force = [held[kind] for kind in ("service", "endpoint") if kind in held and held[kind].body is not None]
        if not in_force:
            continue  # what was removed goes on as it last was: nobody looks at it any more
        newest = in_force[0]
        _put(dated, at_ms, _expression(newest))
    if newest is None:
        raise LookupError(f"no service or endpoint {service_id!r} is defined")
    named = dict.fromkeys(name for _, expression in dated for name in members(expression))
    voices = {name: _voices(name, endpoint_history(name)) for name in named}
    whole = _voiced(tuple(dated), voices)
    keys = tuple(dict.fromkeys(key for _, expression in whole for key in members(expression)))
    endpoints = tuple(dict.fromkeys(map(endpoint_of, keys)))
    return Composition(str((newest.body or {}).get("name", service_id)), whole, keys, endpoints)


def _known_from(definition: Definition) -> int:
    return definition.known_from_ms


def _put(dated: list[tuple[int, Expression]], at_ms: int, expression: Expression) -> None:
    """The first holds for all time before it, too; one that says the same again changes nothing."""
    if not dated or dated[-1][1] != expression:
        dated.append((at_ms if dated else BEGINNING_MS, expression))


def _expression(definition: Definition) -> Expression:
    if definition.kind == "endpoint":
        return Member(definition.id)
    return service_of(definition.id, definition.body or {})[1]


def _voices(endpoint: str, history: Sequence[Definition]) -> Dated:
    """Which of its locations spoke for an endpoint, and how many had to say down."""
    dated: list[tuple[int, Expression]] = []
    for definition in sorted(history, key=_known_from):
        if definition.kind == "endpoint" and definition.id == endpoint and definition.body is not None:
            _put(dated, definition.known_from_ms, located(endpoint, definition.body))
    return tuple(dated) or ((BEGINNING_MS, Member(endpoint)),)


def located(endpoint: str, body: Mapping[str, Any]) -> Expression:
    """The vote of the locations that a stored endpoint names."""
    locations = body.get("locations") or ["local"]
    return quorum(endpoint, locations, body.get("quorum") or majority(len(locations)))


def _voiced(dated: Dated, voices: Mapping[str, Dated]) -> Dated:
    """Every endpoint replaced by the vote of its locations, at each instant the one in force."""
    cuts = {at_ms for at_ms, _ in dated} | {at_ms for voice in voices.values() for at_ms, _ in voice}
    found: list[tuple[int, Expression]] = []
    for cut in sorted(cuts):
        at = {name: _in_force(voice, cut) for name, voice in voices.items()}
        _put(found, cut, _with(_in_force(dated, cut), at))
    return tuple(found)


def _in_force(dated: Dated, at_ms: int) -> Expression:
    return next((expression for from_ms, expression in reversed(dated) if from_ms <= at_ms), dated[0][1])


def _with(expression: Expression, voices: Mapping[str, Expression]) -> Expression:
    if isinstance(expression, Member):
        return voices[expression.key]
    return replace(expression, members=tuple(_with(member, voices) for member in expression.members))
