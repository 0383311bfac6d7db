"""A contract's versions with all they inherit: plan, then contract, then each version in turn (CONTRACTS.md 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

from config.claims import Fee
from config.contract import Contract, Plan, Terms
from config.problems import KeyPath
from sla.money import Money, MoneyError, format_minor, parse_amount

Chain = list[tuple[KeyPath, Terms]]
MERGED = ("measure", "maintenance", "exclusions", "clauses")  # mappings of options: each key is inherited by itself


def chain_of(contract: Contract, plan: Plan | None, *, at: KeyPath) -> list[Chain]:
    """For each version what it is made of, the most general first, with where that was written."""
    base: Chain = [(("plans", plan.id), plan)] if plan else []
    base.append((at, contract))
    chains = [base] if contract.starts is not None else []
    for number, version in enumerate(contract.versions):
        base = [*base, ((*at, "versions", number), version)]
        chains.append(base)
    return chains


def starts_of(contract: Contract) -> list[date]:
    first = [] if contract.starts is None else [contract.starts]
    return [*first, *(version.starts for version in contract.versions)]


def written_at(chain: Chain, key: str) -> tuple[KeyPath | None, Any]:
    """The value in force and where it was written last; (None, default) where it was written nowhere."""
    for path, terms in reversed(chain):
        if key in terms.model_fields_set:
            return (*path, key), getattr(terms, key)
    return None, getattr(chain[-1][1], key)


def inherited(chain: Chain) -> dict[str, Any]:
    """Every term of the last link of the chain, by field name; the merged ones as plain dicts of options."""
    values = {key: written_at(chain, key)[1] for key in Terms.model_fields if key not in MERGED}
    return values | {key: _merged(chain, key) for key in MERGED}


def _merged(chain: Chain, key: str) -> dict[str, Any]:
    default = Terms.model_fields[key].get_default(call_default_factory=True)
    found = _options(default, only_set=False)
    for _, terms in chain:
        found |= _options(getattr(terms, key), only_set=True) if key in terms.model_fields_set else {}
    return found


def _options(value: Any, *, only_set: bool) -> dict[str, Any]:
    if not isinstance(value, BaseModel):
        return dict(value)
    names: Sequence[str] = tuple(value.model_fields_set if only_set else type(value).model_fields)
    return {name: getattr(value, name) for name in names}


def typed_fee(fee: Fee | None, currency: str | None) -> Money | None:
    """The fee's amount with its currency. Raises MoneyError where neither it nor the client names one."""
    return None if fee is None or fee.amount is None else parse_amount(fee.amount, currency)


def stored_fee(fee: Fee | None, money: Money | None) -> Any:
    """The fee with its amount as it will be read back: text, or a mapping where more than an amount is said."""
    amount = None if money is None else f"{format_minor(money.minor, money.currency)} {money.currency}"
    return None if fee is None else replace(fee, amount=amount).stored


def typed_minimum(text: str | None, currency: str | None) -> tuple[Literal[">", ">="], Money] | None:
    """The least that is paid out, in the fee's currency. Raises MoneyError."""
    if text is None:
        return None
    comparison, amount = text.split(" ", 1)
    money = parse_amount(amount, currency)
    if currency is not None and money.currency != currency:
        raise MoneyError(f"{amount!r} is not in the fee's currency; write it in {currency}")
    return (">" if comparison == ">" else ">="), money
