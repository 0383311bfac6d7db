"""How a service is composed, as written: `all`, `any`, `at least K of`, nested, to the expression of the accounting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from config import units
from config.problems import At, KeyPath, unknown_key
from config.typed import identifier
from sla.facts import All, Any_, AtLeast, Expression, Member

KEYS = ("all", "any", "at least 2 of")  # what an unknown key is compared with
DEEPEST = 8  # groups in groups: more is a mistake, not a service
_AT_LEAST = re.compile(r"at least\s+(\S+)\s+of")
_NEEDED = "needs one rule; write all: [a, b] (every one works) or any: [a, b] (one works)"


def is_rule(key: object) -> bool:
    """Whether a key says how members make a service: `all`, `any`, `at least 2 of`."""
    return isinstance(key, str) and (key in ("all", "any") or _AT_LEAST.fullmatch(key) is not None)


def rule_of(value: object) -> Expression:
    """`{all: [web, {any: [a, b]}]}`, `{at least 2 of: [a, b, c]}`. Raises At with the path of what is wrong."""
    return value if isinstance(value, All | Any_ | AtLeast) else _group(value, ())


def _group(value: object, at: KeyPath) -> Expression:
    if not isinstance(value, Mapping):
        raise At(at, "is no group; write e.g. {any: [node-a, node-b]}")
    rules = [key for key in value if is_rule(key)]
    for key in value:
        if key not in rules:
            raise At((*at, key), unknown_key(str(key), KEYS))
    if len(rules) != 1:
        raise At(at, _NEEDED)
    if len(at) // 2 >= DEEPEST:
        raise At(at, f"is the {DEEPEST + 1}th group in a group; at most {DEEPEST} deep can be read by anyone")
    [key] = rules
    members = _members(value[key], (*at, key))
    if key == "all":
        return All(members)
    return Any_(members) if key == "any" else AtLeast(_least(key, len(members), (*at, key)), members)


def _members(value: object, at: KeyPath) -> tuple[Expression, ...]:
    items = units.listed(value)
    if not items:
        raise At(at, "is empty; write e.g. [web, api]")
    found = tuple(_member(item, (*at, number)) for number, item in enumerate(items))
    twice = next((member for member in found if found.count(member) > 1), None)
    if twice is not None:
        name = twice.endpoint if isinstance(twice, Member) else "the same group"
        raise At(at, f"names {name} twice; once is enough")
    return found


def _member(item: object, at: KeyPath) -> Expression:
    if isinstance(item, Mapping):
        return _group(item, at)
    try:
        return Member(identifier(item))
    except ValueError as error:
        raise At(at, str(error)) from None


def _least(key: str, count: int, at: KeyPath) -> int:
    match = _AT_LEAST.fullmatch(key)
    number = match[1] if match else ""
    if not number.isascii() or not number.isdigit():
        raise At(at, f"{number!r} is no whole number; write e.g. at least 2 of: [a, b, c]")
    k = int(number)
    if not 1 <= k <= count:
        always = "always" if k < 1 else "never"
        raise At(at, f"at least {k} of {count} {always} works; write 1 to {count}")
    return k


def as_json(rule: Expression) -> Any:
    """What a stored definition holds; reads back with `rule_of`."""
    if isinstance(rule, Member):
        return rule.endpoint
    key = {All: "all", Any_: "any"}.get(type(rule)) or f"at least {getattr(rule, 'k', 0)} of"
    return {key: [as_json(member) for member in rule.members]}


def named_in(rule: Expression, at: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Every endpoint with the path at which it stands."""
    if isinstance(rule, Member):
        yield at, rule.endpoint
        return
    [key] = as_json(rule)
    for number, member in enumerate(rule.members):
        yield from named_in(member, (*at, key, number))
