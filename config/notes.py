"""What is worth knowing about a config that is right: said by `config check`, never a reason to refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from config.model import Config
from config.problems import KeyPath, Problem
from config.terms import chain_of, written_at
from sla.burn import left_out

_DAY_MS = 86_400_000
_USUAL_DAYS = {"week": 7, "month": 30, "quarter": 90, "year": 365}  # the rules are stated for 30 days


def notes(config: Config) -> list[Problem]:
    """Each with its place, in the order of the file; the same line is said once."""
    found = dict.fromkeys(config.sources.problem(path, message) for path, message in _burn(config))
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
