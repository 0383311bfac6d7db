"""What a load would store, and what it must not: nothing that was in force in the past is rewritten.

Endpoints, services, clients and recurring windows change from the load on. A contract's terms, and a one-off window
that has begun, stand as they were: a change that touches them is refused with the entry to write instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias

from pydantic import ValidationError

from config.bodies import Body, completed, contract_body, definitions_of, endpoint_of, paused, service_of, until_ms
from config.calendars import occurrences
from config.model import Config
from config.options import with_recorded_days
from config.problems import ConfigError, KeyPath, Problem
from config.terms import chain_of, starts_of, written_at
from config.wording import differing, entry_text, value_text
from sla.facts import Definition, DefinitionKind
from sla.period import local, local_midnight_ms, running

Key: TypeAlias = tuple[DefinitionKind, str]
_FOREVER = 2**46


def changes(
    config: Config, in_force: Mapping[Key, Definition], *, at_ms: int, open_period: bool = False
) -> tuple[Definition, ...]:
    """The definitions to store at `at_ms`: new, changed and removed ones; none where the config says the same.

    Raises ConfigError where time already past would be touched. With `open_period` a contract's terms may change back
    to the start of the period that is running in the contract's zone.
    """
    wanted: dict[Key, Body] = {(kind, id): body for kind, id, body in definitions_of(config)}
    stored = {key: _known(definition) for key, definition in in_force.items() if definition.body is not None}
    wanted |= {key: _recorded(stored[key], body) for key, body in wanted.items() if key in stored}
    problems = [
        problem
        for key, before in stored.items()
        for problem in _touches_the_past(config, key, before, wanted.get(key), at_ms=at_ms, open_period=open_period)
    ]
    if problems:
        raise ConfigError(problems)
    new = [Definition(*key, at_ms, body) for key, body in wanted.items() if not _same(key, stored.get(key), body)]
    gone = [Definition(*key, at_ms, None) for key in stored if key not in wanted]
    return (*new, *gone)


def _known(definition: Definition) -> Body:
    body = definition.body or {}
    return completed(body) if definition.kind == "contract" else body


def _recorded(before: Body, after: Body) -> Body:
    """The contract with the holidays that are on record for versions that stand as they were."""
    if "versions" not in after:
        return after
    recorded = {version["from"]: version for version in before["versions"]}
    versions = [
        with_recorded_days(dict(version), recorded[version["from"]]) if version["from"] in recorded else version
        for version in after["versions"]
    ]
    return {**after, "versions": versions}


def _same(key: Key, before: Body | None, after: Body) -> bool:
    """Whether two bodies say the same; read first, so that a default added by a newer nines is no change."""
    if before is None or before == after:
        return before is not None
    try:
        if key[0] == "endpoint":
            return endpoint_of(key[1], before) == endpoint_of(key[1], after)
        return key[0] == "service" and service_of(key[1], before) == service_of(key[1], after)
    except ValidationError:
        return False


def _touches_the_past(
    config: Config, key: Key, before: Body, after: Body | None, *, at_ms: int, open_period: bool
) -> Iterator[Problem]:
    kind, id = key
    if kind == "window" and before.get("cron") is None and before != after:
        yield from _window(config, id, before, after, at_ms)
    elif kind == "contract" and before != after:
        limit_ms = _period_start_ms(at_ms, before) if open_period else at_ms
        found = (
            _removed(id, before, limit_ms, at_ms)
            if after is None
            else _changed(config, id, before, after, limit_ms, at_ms)
        )
        for path, message in found:
            yield config.sources.problem(path, message)


def _period_start_ms(at_ms: int, before: Body) -> int:
    """Where the period begins that is running under the terms in force."""
    version = _at(before, at_ms) or before["versions"][0]
    return running(at_ms, before["timezone"], version["period"]).from_ms


def _window(config: Config, id: str, before: Body, after: Body | None, at_ms: int) -> Iterator[Problem]:
    """A one-off that has begun stands. One that is over may leave the file: the ledger keeps it."""
    for start, end in occurrences(before, 0, _FOREVER):
        if start >= at_ms or (after is None and end <= at_ms):
            continue
        over = "is over" if end <= at_ms else "has begun"
        what = "cannot be taken back" if after is None else "cannot be changed"
        yield config.sources.problem(
            ("maintenance", id),
            f"this window {over} (it was {value_text(before)}) and {what}; "
            "put it back as it was, and write other work as an entry of its own",
        )


_Found: TypeAlias = Iterator[tuple[KeyPath, str]]


def _removed(id: str, before: Body, limit_ms: int, at_ms: int) -> _Found:
    """One that has ended by its own `until` may leave the file: the ledger keeps it."""
    ended_ms = until_ms(before)
    if ended_ms is not None and ended_ms <= at_ms:
        return
    began = before["versions"][0]["from"]
    if local_midnight_ms(date.fromisoformat(began), before["timezone"]) < limit_ms:
        yield (
            ("contracts", id),
            f"is in force since {began} and no longer in the file; "
            f"put it back, and end it with until: {_tomorrow(at_ms, before)}",
        )


def _tomorrow(at_ms: int, body: Body) -> str:
    return (local(at_ms, body["timezone"]).date() + timedelta(days=1)).isoformat()


def _changed(config: Config, id: str, before: Body, after: Body, limit_ms: int, at_ms: int) -> _Found:
    at: KeyPath = ("contracts", id)
    began = _from_ms(before["versions"][0], before)
    if began < limit_ms:
        for key in ("client", "services", "timezone"):
            if before[key] != after[key]:
                yield (*at, key), _for_another(key, before, at_ms)
        if before["timezone"] != after["timezone"]:
            return  # every local midnight moves with the zone; one message is enough
    yield from _until(at, before, after, limit_ms, at_ms)
    yield from _pauses(at, before, after, limit_ms)
    yield from _terms(config, id, before, after, limit_ms, at_ms)


def _for_another(key: str, before: Body, at_ms: int) -> str:
    was = before[key] if isinstance(before[key], str) else ", ".join(before[key])
    return (
        f"was {was} since {before['versions'][0]['from']} and cannot change for time past; put it back, "
        f"end this contract with until: {_tomorrow(at_ms, before)}, and write a new contract from that day"
    )


def _until(at: KeyPath, before: Body, after: Body, limit_ms: int, at_ms: int) -> _Found:
    was, now = until_ms(before), until_ms(after)
    if was != now and min(value for value in (was, now) if value is not None) < limit_ms:
        kept = before["until"] or f"{_tomorrow(at_ms, before)} or later"
        yield (*at, "until"), f"changes time that is past; write until: {kept}"


def _pauses(at: KeyPath, before: Body, after: Body, limit_ms: int) -> _Found:
    was, now = paused(before), paused(after)
    moved = ((was - now) | (now - was)).clip(0, limit_ms)
    if moved:
        spans = ", ".join("/".join(pair) for pair in before["paused"]) or "nothing"
        yield (
            (*at, "paused"),
            f"changes time that is past; put back what was paused ({spans}), and add pauses from tomorrow on",
        )


def _from_ms(version: Mapping[str, Any], body: Body) -> int:
    return local_midnight_ms(date.fromisoformat(version["from"]), body["timezone"])


def _terms(config: Config, id: str, before: Body, after: Body, limit_ms: int, at_ms: int) -> _Found:
    """Compare the terms in force at every instant before the limit; the first instant that differs is reported."""
    starts = sorted({_from_ms(version, body) for body in (before, after) for version in body["versions"]})
    for start in (start for start in starts if start < limit_ms):
        was, now = _at(before, start), _at(after, start)
        if was is None or now is None:
            yield ("contracts", id, "from"), _moved(before, after, at_ms)
            return
        unlike = [key for key in was if key != "from" and was[key] != now.get(key)]
        if unlike and now["from"] != was["from"]:
            yield _written(config, id, start, "from"), _too_early(now["from"], before, at_ms)
            return
        for key in unlike:
            yield _written(config, id, start, key), _refusal(key, was, now, before, at_ms)
        if unlike:
            return


def _at(body: Body, at_ms: int) -> Mapping[str, Any] | None:
    held = [version for version in body["versions"] if _from_ms(version, body) <= at_ms]
    return held[-1] if held else None


def _moved(before: Body, after: Body, at_ms: int) -> str:
    was, now = before["versions"][0]["from"], after["versions"][0]["from"]
    entry = f"{{from: {_tomorrow(at_ms, before)}, ...}}"
    return f"{now} moves a beginning that is past; put {was} back, and add new terms under versions: `- {entry}`"


def _too_early(day: str, before: Body, at_ms: int) -> str:
    return (
        f"{day} is not in the future, so it would change time past; write from: {_tomorrow(at_ms, before)} or later "
        "(or nines config apply --open-period, for the running period alone)"
    )


def _refusal(key: str, was: Mapping[str, Any], now: Mapping[str, Any], before: Body, at_ms: int) -> str:
    entry = entry_text(_tomorrow(at_ms, before), key, now[key], was[key])
    back = "leave it out again" if was[key] is None else f"put {value_text(differing(was[key], now[key]), key)} back"
    return (
        f"changes what is agreed since {was['from']}; {back}, and add under versions: "
        f"`- {entry}` (or nines config apply --open-period, for the running period alone)"
    )


def _written(config: Config, id: str, at_ms: int, key: str) -> KeyPath:
    """Where the value now in force at an instant was written: in a version, the contract or its plan."""
    contract = config.contracts[id]
    plan = config.plans.get(contract.plan) if contract.plan else None
    chains = chain_of(contract, plan, at=("contracts", id))
    tz = contract_body(config, contract)["timezone"]
    begun = [
        chain for start, chain in zip(starts_of(contract), chains, strict=True) if local_midnight_ms(start, tz) <= at_ms
    ]
    if begun and key == "from":
        return (*begun[-1][-1][0], "from")
    path, _ = written_at(begun[-1], key) if begun else (None, None)
    return path or ("contracts", id)
