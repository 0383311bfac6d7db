"""Facts and a contract in, a frozen Statement out. The one engine behind every number that the product shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sla.accounts import account
from sla.credits import credit_totals, credits_of
from sla.facts import ServiceFacts
from sla.period import Period
from sla.printing import options_json, versions_json
from sla.service import judge_service, service_statement
from sla.statement import Statement
from sla.terms import Contract, in_force


@dataclass(frozen=True, slots=True)
class Identity:
    """What a statement is called and by whom: all that the accounting does not know. Null where it does not exist."""

    statement_id: str | None = None
    number: str | None = None
    revision: int = 1
    supersedes: str | None = None
    previous: str | None = None
    state: Literal["DRAFT", "FINAL", "RESTATED"] = "DRAFT"
    software: dict[str, str] = field(default_factory=dict)  # {"nines", "tzdata"}
    journal: dict[str, Any] | None = None  # {"ledger_id", "seq", "hash"}


def build_statement(
    contract: Contract,
    services: Sequence[ServiceFacts],
    period: Period,
    *,
    as_of_ms: int,
    identity: Identity | None = None,
) -> Statement:
    """The statement of one contract for one period, as of an instant; a period still running is provisional."""
    named = identity or Identity()
    cases = [judge_service(contract, service, period, as_of_ms=as_of_ms) for service in services]
    accounts = [account(contract, case.service, case.parts, case.told, period) for case in cases]
    credits = credits_of(accounts, as_of_ms=as_of_ms)
    printed = tuple(service_statement(case, credit) for case, credit in zip(cases, credits, strict=True))
    return Statement(
        statement_id=named.statement_id,
        number=named.number,
        revision=named.revision,
        supersedes=named.supersedes,
        previous=named.previous,
        state=named.state,
        issuer={"legal_entity": contract.issuer, "four_eyes": contract.four_eyes},
        client={"id": contract.client_id, "name": contract.client_name or None},
        contract={
            "id": contract.id,
            "number": contract.number,
            "versions": versions_json(contract, period.from_ms, period.to_ms),
        },
        period={"from_ms": period.from_ms, "to_ms": period.to_ms, "tz": period.tz, "label": period.label},
        as_of_ms=as_of_ms,
        software=dict(named.software),
        journal=named.journal,
        options=options_json(in_force(contract.versions, period.to_ms - 1).options),
        services=printed,
        totals=credit_totals(printed),
    )
