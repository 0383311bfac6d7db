"""What is worth knowing about a config that is right: said by `config check` and logged by the daemon.

Never a reason to refuse it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

from config.endpoint import Endpoint
from config.model import Config
from config.problems import KeyPath, Problem
from config.terms import chain_of, written_at
from sla.burn import left_out

_DAY_MS = 86_400_000
_ROOM = Fraction(3, 2)  # of a right rate: retries come on top of the checks that are counted
_USUAL_DAYS = {"week": 7, "month": 30, "quarter": 90, "year": 365}  # the rules are stated for 30 days


def notes(config: Config) -> list[Problem]:
    """Each with its place, in the order of the file; the same line is said once."""
    said = (*_burn(config), *_rates(config))
    found = dict.fromkeys(config.sources.problem(path, message) for path, message in said)
    return sorted(found, key=lambda note: (note.file, note.line or 0, note.path))


def _burn(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Default burn rules that no downtime could set off: all time down would not burn fast enough."""
    for name, contract in config.contracts.items():
        plan = config.plans.get(contract.plan) if contract.plan else None
        for chain in chain_of(contract, plan, at=("contracts", name)):
            target_at, target = written_at(chain, "target")
            if not isinstance(target, Decimal):
                continue
            _, period = written_at(chain, "period")
            days = _USUAL_DAYS.get(str(period), 30)
            rules = ", ".join(str(rule) for rule in left_out(target, days * _DAY_MS))
            if rules:
                at = target_at or ("contracts", name)
                yield at, f"at {target} % in {days} days a burn alert could never fire and is left out: {rules}"


def _rates(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Limits that the endpoints' own pace exceeds: the checks queue, and each comes later than its interval says."""
    asked = [one for one in config.endpoints.values() if one.checked_here and one.kind != "heartbeat"]
    yield from _exceeded("global_per_s", config.rates.global_per_s, asked, "all endpoints together")
    hosts = defaultdict[str, list[Endpoint]](list)
    for one in asked:
        hosts[one.host.rstrip(".")].append(one)
    if hosts:
        busiest = max(hosts, key=lambda host: _per_s(hosts[host]))  # what is right for this one is right for all
        who = (
            f"the endpoints on {busiest}"
            if busiest
            else "commands and questions to the system's name servers, one host for all,"
        )
        yield from _exceeded("per_host_per_s", config.rates.per_host_per_s, hosts[busiest], who)


def _exceeded(key: str, allowed: int, asked: list[Endpoint], who: str) -> Iterator[tuple[KeyPath, str]]:
    needed = _per_s(asked)
    if needed > allowed:
        shown = f"{math.ceil(needed * 10) / 10:g}"
        told = f"{allowed} checks a second are allowed, {who} need {shown} ({len(asked)} endpoints): checks come late"
        yield ("rates", key), f"{told}; write longer intervals, or e.g. {key}: {math.ceil(needed * _ROOM)}"


def _per_s(endpoints: Iterable[Endpoint]) -> Fraction:
    """Checks per second while all is well."""
    return sum((Fraction(1_000, one.interval_ms) for one in endpoints), Fraction())
