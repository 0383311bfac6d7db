"""What single entries cannot know: that names refer to something, that zones are stated, that terms fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from config.composite import named_in
from config.contract import Contract, Plan, Terms
from config.credits import as_json, gap_below, without_target
from config.fees import no_fee_of
from config.model import Config
from config.options import option_problems
from config.problems import KeyPath, Problem, unknown_name
from config.terms import chain_of, inherited, typed_fee, typed_minimum, written_at
from sla.money import MoneyError


def crosscheck(config: Config, *, written: Mapping[str, Any]) -> list[Problem]:
    """Problems between entries. `written`: the raw sections, for a bad entry is not also a missing one."""
    names = {section: _names(written.get(section)) for section in ("endpoints", "services", "clients", "plans")}
    return [
        config.sources.problem(path, message)
        for part in (
            _commands(config),
            _heartbeats(config),
            _parents(config, names),
            _services(config, names),
            _windows(config, names),
            _contracts(config, names),
        )
        for path, message in part
    ]


Found = Iterator[tuple[KeyPath, str]]
_Names = dict[str, list[str]]


def _names(section: Any) -> list[str]:
    return list(section) if isinstance(section, dict) else []


def _commands(config: Config) -> Found:
    """Which programs may run is the main file's to say."""
    for name, endpoint in config.endpoints.items():
        if endpoint.command and endpoint.command[0] not in config.exec_allowed:
            wanted = endpoint.command[0]
            yield (
                ("endpoints", name, "command"),
                f"{wanted} is not allowed; write exec_allowed: [{wanted}] in the main file",
            )


def _heartbeats(config: Config) -> Found:
    """A job that tells of itself needs somebody who listens."""
    if config.listen.push_address is None:
        for name, endpoint in config.endpoints.items():
            if endpoint.kind == "heartbeat":
                yield ("endpoints", name, "heartbeat"), "is heard by nobody; write e.g. listen: {push: 127.0.0.1:8092}"


def _parents(config: Config, names: _Names) -> Found:
    """What an endpoint is reached through is another endpoint, and the way through them ends."""
    for name, endpoint in config.endpoints.items():
        at: KeyPath = ("endpoints", name, "parent")
        if endpoint.parent is not None and endpoint.parent not in names["endpoints"]:
            yield at, unknown_name("endpoint", endpoint.parent, names["endpoints"], "endpoints")
        elif name in (way := _way(config, name)):
            yield at, f"leads in a circle: {' > '.join((name, *way))}; leave one of them out"


def _way(config: Config, name: str) -> list[str]:
    """The endpoints that this one is reached through, the nearest first; one met twice ends it."""
    way: list[str] = []
    while (found := config.endpoints.get(way[-1] if way else name)) and found.parent and found.parent not in way:
        way.append(found.parent)
    return way


def _services(config: Config, names: _Names) -> Found:
    endpoints = set(names["endpoints"])
    for name, service in config.services.items():
        if name in endpoints:
            yield ("services", name), "an endpoint of this id is a service by itself; choose another id"
        for path, member in named_in(service.rule, ("services", name)):
            if member not in endpoints:
                yield path, unknown_name("endpoint", member, names["endpoints"], "endpoints")


def _windows(config: Config, names: _Names) -> Found:
    known = [*names["endpoints"], *names["services"]]
    here = set(known)
    for name, window in config.maintenance.items():
        for number, target in enumerate(window.covers):
            if target not in here:
                path = ("maintenance", name, "for", number)
                yield path, unknown_name("endpoint or service", target, known, "endpoints")
        if window.timezone is None and config.timezone is None:
            yield (
                ("maintenance", name),
                "has no time zone; write timezone: Europe/Berlin here or at the top of the file",
            )


def _contracts(config: Config, names: _Names) -> Found:
    known = [*names["services"], *names["endpoints"]]
    here = set(known)
    for name, contract in config.contracts.items():
        at: KeyPath = ("contracts", name)
        if contract.client not in names["clients"]:
            yield (*at, "client"), unknown_name("client", contract.client, names["clients"], "clients")
        for number, service in enumerate(contract.services):
            if service not in here:
                yield (*at, "services", number), unknown_name("service", service, known, "services")
        if contract.plan is not None and contract.plan not in names["plans"]:
            yield (*at, "plan"), unknown_name("plan", contract.plan, names["plans"], "plans")
        if config.zone_of(contract) is None:
            yield at, "has no time zone; write timezone: Europe/Berlin here, in its client or at the top of the file"
        plan = config.plans.get(contract.plan) if contract.plan else None
        yield from terms_problems(contract, plan=plan, currency=config.currency_of(contract), at=at)


def terms_problems(contract: Contract, *, plan: Plan | None, currency: str | None, at: KeyPath) -> Found:
    """Each version with all that it inherits: a faulty value is reported once, where it was written."""
    found: dict[tuple[KeyPath, str], None] = {}
    for chain in chain_of(contract, plan, at=at):
        for path, message in _version(chain, currency):
            found[(path, message)] = None
    yield from found


def _version(chain: list[tuple[KeyPath, Terms | Plan]], currency: str | None) -> Found:
    fee_at, fee = written_at(chain, "fee")
    money = None
    try:
        money = typed_fee(fee, currency)
        minimum_at, minimum = written_at(chain, "minimum")
        fee_at = minimum_at or fee_at
        typed_minimum(minimum, money.currency if money else currency)
    except MoneyError as error:
        yield fee_at or chain[-1][0], str(error)
    target_at, target = written_at(chain, "target")
    credits_at, credits = written_at(chain, "credits")
    try:
        as_json(credits, money.currency if money else currency)
    except MoneyError as error:
        yield credits_at or chain[-1][0], str(error)
    wrong = gap_below(target, credits) if isinstance(target, Decimal) else without_target(credits)
    if wrong:
        yield credits_at or target_at or chain[-1][0], wrong
    wrong = no_fee_of(fee, written_at(chain, "period")[1])
    if wrong:
        yield fee_at or chain[-1][0], wrong
    for (key, name), message in option_problems(inherited(chain)).items():
        yield (*(written_at(chain, key)[0] or chain[-1][0]), name), message
