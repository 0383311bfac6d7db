"""Everything agreed as dated JSON bodies, and the readers that turn stored bodies back into values.

A body holds no secret (references only) and is the same for the same file, so an unchanged reload stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

from config import terms as inheritance
from config.claims import caps_of, chronic_of, claim_of, stored_caps, stored_chronic, stored_claim
from config.contract import Contract as WrittenContract
from config.contract import Plan
from config.contract import Terms as WrittenTerms
from config.credits import as_json, credits_of
from config.endpoint import Endpoint
from config.fees import fee_terms_of
from config.model import Client, Config, Service
from config.options import options_body, options_of
from config.window import Maintenance
from sla.facts import Definition, DefinitionKind, Expression, MethodChange
from sla.money import format_minor, parse_amount
from sla.period import local_midnight_ms
from sla.spans import NOWHEN, Spans
from sla.terms import Contract, Terms

Body: TypeAlias = Mapping[str, Any]
BEGINNING_MS = 0  # a first version holds for all time before it too


def definitions_of(config: Config) -> tuple[tuple[DefinitionKind, str, dict[str, Any]], ...]:
    """(kind, id, body) of everything the config defines, in a fixed order."""
    found: list[tuple[DefinitionKind, str, dict[str, Any]]] = []
    found += [("client", name, _client_body(config, client)) for name, client in sorted(config.clients.items())]
    found += [("endpoint", name, _dump(endpoint)) for name, endpoint in sorted(config.endpoints.items())]
    found += [("service", name, _dump(service)) for name, service in sorted(config.services.items())]
    found += [("window", name, _window_body(config, window)) for name, window in sorted(config.maintenance.items())]
    found += [("contract", name, contract_body(config, held)) for name, held in sorted(config.contracts.items())]
    return tuple(found)


def _dump(value: Endpoint | Service) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude={"id"})


def _client_body(config: Config, client: Client) -> dict[str, Any]:
    return {
        "name": client.name,
        "timezone": client.timezone or config.timezone,
        "legal_entity": config.issuer.legal_entity,
        "four_eyes": config.issuer.four_eyes,
        "contact": config.contact,
    }


def _window_body(config: Config, window: Maintenance) -> dict[str, Any]:
    kinds = [("endpoint" if name in config.endpoints else "service", name) for name in window.covers]
    return {
        "title": window.title,
        "for": [list(pair) for pair in sorted(kinds)],
        "timezone": window.timezone or config.timezone,
        "start": window.start,
        "cron": window.cron,
        "duration_ms": window.duration_ms,
        "until": window.until,
    }


def contract_body(config: Config, contract: WrittenContract) -> dict[str, Any]:
    """A contract of the config, resolved: nothing outside its body can change what it says."""
    plan = config.plans.get(contract.plan) if contract.plan else None
    return resolved(contract, plan=plan, tz=config.zone_of(contract), currency=config.currency_of(contract))


def resolved(contract: WrittenContract, *, plan: Plan | None, tz: str | None, currency: str | None) -> dict[str, Any]:
    """The body of a contract with plan, inheritance, zone and currency put in. Raises MoneyError."""
    chains = inheritance.chain_of(contract, plan, at=("contracts", contract.id))
    starts = inheritance.starts_of(contract)
    return {
        "client": contract.client,
        "services": list(contract.services),
        "number": contract.number,
        "timezone": tz,
        "until": contract.until.isoformat() if contract.until else None,
        "paused": [[first.isoformat(), after.isoformat()] for first, after in contract.paused],
        "versions": [
            {"from": start.isoformat(), **terms_body(chain, currency, start)}
            for start, chain in zip(starts, chains, strict=True)
        ],
    }


def terms_body(chain: inheritance.Chain, currency: str | None, starts: date) -> dict[str, Any]:
    terms = inheritance.inherited(chain)
    fee = inheritance.typed_fee(terms["fee"], currency)
    minimum = inheritance.typed_minimum(terms["minimum"], fee.currency if fee else currency)
    return {
        "target": None if terms["target"] is None else str(terms["target"]),
        "objective": None if terms["objective"] is None else str(terms["objective"]),
        "fee": inheritance.stored_fee(terms["fee"], fee),
        "credits": as_json(terms["credits"], fee.currency if fee else currency),
        "several_rules": terms["several_rules"],
        "several_services": terms["several_services"],
        "cap": stored_caps(terms["cap"]),
        "minimum": minimum
        and f"{minimum[0]} {format_minor(minimum[1].minor, minimum[1].currency)} {minimum[1].currency}",
        "claim": stored_claim(terms["claim"]),
        "chronic": stored_chronic(terms["chronic"]),
        "review": terms["review"].isoformat() if terms["review"] else None,
        "clauses": terms["clauses"],
        **options_body(terms, starts),
    }


def completed(body: Body) -> Body:
    """A stored contract with the defaults of keys that a newer nines knows: it says what it said when it was stored."""
    return {**body, "versions": [_completed(version, _defaults()) for version in body["versions"]]}


def _completed(stored: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: {**defaults[key], **stored.get(key, {})} for key in inheritance.MERGED}
    return {**defaults, **stored, **merged}


@cache
def _defaults() -> dict[str, Any]:
    return terms_body([((), WrittenTerms())], None, date(2026, 1, 1))


def endpoint_of(id: str, body: Body) -> Endpoint:
    """The endpoint of a stored body."""
    if body.get("heartbeat"):  # a timeout was accepted once, and meant nothing
        body = {key: part for key, part in body.items() if key != "timeout_ms"}
    return Endpoint.model_validate({**body, "id": id})


def service_of(id: str, body: Body) -> tuple[str, Expression]:
    """(name, expression) of a stored service."""
    service = Service.model_validate({**body, "id": id})
    return service.name, service.rule


def client_of(id: str, body: Body) -> Client:
    """The client of a stored body: id, name, zone."""
    return Client(id=id, name=body["name"], timezone=body.get("timezone"))


def contract_of(history: Sequence[Definition], client: Body | None) -> Contract:
    """A contract from all its stored versions (ascending) and its client's body.

    The newest body says what is agreed; `known_from_ms` of each term version is when the ledger first knew it so.
    Raises LookupError for a contract that was removed before it began, or never stored.
    """
    latest = history[-1] if history else None
    if latest is None or latest.body is None:
        raise LookupError(f"contract {latest.id if latest else ''} is not in force")
    body, tz = completed(latest.body), latest.body["timezone"]
    issuer = client or {}
    return Contract(
        id=latest.id,
        client_id=body["client"],
        client_name=str(issuer.get("name", body["client"])),
        services=tuple(body["services"]),
        versions=tuple(
            terms_of(version, tz, known_from_ms=_known_from(history, version)) for version in body["versions"]
        ),
        number=body["number"],
        until_ms=until_ms(body),
        paused=paused(body),
        issuer=issuer.get("legal_entity"),
        four_eyes=bool(issuer.get("four_eyes", True)),
    )


def _known_from(history: Sequence[Definition], version: Mapping[str, Any]) -> int:
    return next(
        definition.known_from_ms
        for definition in history
        if definition.body is not None and version in completed(definition.body)["versions"]
    )


def until_ms(body: Body) -> int | None:
    """The first instant after the contract's end."""
    return None if body["until"] is None else local_midnight_ms(date.fromisoformat(body["until"]), body["timezone"])


def paused(body: Body) -> Spans:
    tz = body["timezone"]
    days = (tuple(local_midnight_ms(date.fromisoformat(day), tz) for day in pair) for pair in body["paused"])
    return Spans.of((first, after) for first, after in days) if body["paused"] else NOWHEN


def terms_of(version: Mapping[str, Any], tz: str, *, known_from_ms: int | None) -> Terms:
    """One stored version as the accounting reads it."""
    minimum = version["minimum"]
    comparison, _, least = (minimum or "").partition(" ")
    fee, fee_terms = fee_terms_of(version["fee"], version["period"])
    return Terms(
        from_ms=local_midnight_ms(date.fromisoformat(version["from"]), tz),
        known_from_ms=known_from_ms,
        options=options_of(version, tz),
        target=None if version["target"] is None else Decimal(version["target"]),
        objective=None if version["objective"] is None else Decimal(version["objective"]),
        fee=fee,
        fee_terms=fee_terms,
        credits=credits_of(version["credits"]) if version["credits"] else (),
        several_rules=version.get("several_rules", "sum"),
        several_services=version.get("several_services", "sum"),
        caps=caps_of(version["cap"]),
        minimum=None if minimum is None else (">" if comparison == ">" else ">=", parse_amount(least)),
        claim=claim_of(version.get("claim", "automatic")),
        chronic=chronic_of(version.get("chronic", ())),
        review=version.get("review"),
        clauses=tuple(sorted(version["clauses"].items())),
    )


def method_changes(
    endpoint_id: str, history: Sequence[Definition], from_ms: int, to_ms: int
) -> tuple[MethodChange, ...]:
    """Changes of interval, timeout, confirm and the like within [from_ms, to_ms): a statement prints them."""
    versions = sorted(
        (d for d in history if d.kind == "endpoint" and d.id == endpoint_id and d.body is not None),
        key=lambda d: d.known_from_ms,
    )
    found = []
    for before, after in pairwise(versions):
        text = _changed(before.body or {}, after.body or {})
        if text and from_ms <= after.known_from_ms < to_ms:
            found.append(MethodChange(after.known_from_ms, endpoint_id, text))
    return tuple(found)


def _changed(before: Body, after: Body) -> str:
    keys = {"interval_ms": "interval", "timeout_ms": "timeout", "confirm": "confirm", "recover": "recover"}
    return ", ".join(
        f"{name} {before.get(key)} to {after.get(key)}" + (" ms" if key.endswith("_ms") else "")
        for key, name in keys.items()
        if before.get(key) != after.get(key)
    )
