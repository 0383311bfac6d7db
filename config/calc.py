"""`nines calc`: plain facts of one period, in YAML or JSON, to the values that the accounting starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from config.bodies import BEGINNING_MS, contract_of, resolved
from config.calc_facts import SERVICE, TERMS, FactsReader, read_mapping
from config.calc_inputs import inputs_of, more_buckets_than
from config.contract import Contract as WrittenContract
from config.contract import Plan
from config.crosscheck import terms_problems
from config.problems import ConfigError, KeyPath, Problem, unknown_key
from config.reading import Sources, read
from sla import period as periods
from sla.facts import Definition, ServiceFacts
from sla.terms import Contract, in_force

_FACTS = "period: 2026-10 and down: [{start, end}]"
_OPTIONS = {  # option of ACCOUNTING.md section 3: where a contract writes it
    "maintenance": ("maintenance", "effect"),
    "exclusions": ("exclusions", "effect"),
    "unknown": ("measure", "unknown"),
    "min_coverage": ("measure", "min_coverage"),
    "degraded": ("measure", "degraded"),
    "before_first_check": ("measure", "before_first_check"),
    "digits": ("measure", "digits"),
    "partial_period": ("partial_period",),
    "period": ("period",),
    "rounding": ("rounding",),
}
_NAMED_LATER = (
    *("outage_start", "min_outage", "min_outage_before_exclusions", "merge_gap", "bucket", "bad", "min_run"),
    *("service_hours", "base", "compare", "quorum_of", "windows", "timezone"),
)


@dataclass(frozen=True, slots=True)
class CalcInput:
    """What `sla.build.build_statement` takes. Given facts are complete: the statement is as of the period's end."""

    contract: Contract
    services: tuple[ServiceFacts, ...]
    period: periods.Period
    as_of_ms: int


def parse_calc(text: str, name: str, *, contract_text: str | None = None, contract_name: str = "") -> CalcInput:
    """Read facts, and the terms beside them or in a file of their own. Raises ConfigError with every problem."""
    value, sources, problems = read_mapping(text, name, _FACTS)
    reader = FactsReader(sources, problems, value)
    reader.refuse_unknown(with_contract=contract_text is not None)
    own = reader.zone("zone")
    if contract_text is None:
        contract = _own_contract(value, sources, problems, own or "UTC")
    else:
        contract = _contract_file(contract_text, contract_name, problems, own or "UTC")
    tz = contract.versions[0].options.timezone if contract else own or "UTC"
    period = reader.period(own or tz)
    facts = reader.facts(own or tz, period)
    terms = in_force(contract.versions, period.to_ms - 1) if contract and period else None
    facts = replace(facts, inputs=inputs_of(reader, terms, own or tz))
    if period is not None and (too_many := more_buckets_than(facts.inputs, period)):
        reader.refuse(("series", "requests", "buckets"), too_many)
    if problems or contract is None or period is None:
        raise ConfigError(problems)
    if contract.services != (SERVICE,):
        facts = replace(facts, id=contract.services[0], name=contract.services[0])
    return CalcInput(contract, (facts,), period, period.to_ms)


def _own_contract(value: Mapping[str, Any], sources: Sources, problems: list[Problem], tz: str) -> Contract | None:
    """The terms of the facts' own file, as a contract that has always held."""
    written: dict[str, Any] = {key: value[key] for key in TERMS if value.get(key) is not None}
    for options_key in ("options", "policy"):
        _put_options(value.get(options_key), options_key, written, sources, problems)
    moved = Sources(sources.main, {**sources.places, **_moved(sources)})
    faults: list[Problem] = []
    contract = _contract(written | {"from": "1900-01-01"}, (), moved, faults, id=None, tz=tz)
    key = "policy" if "policy" in value else "options"
    names = {".".join(path): f"{key}.{name}" for name, path in _OPTIONS.items()}
    problems += [replace(fault, path=names.get(fault.path, fault.path)) for fault in faults]
    return contract


def _moved(sources: Sources) -> dict[KeyPath, tuple[str, int]]:
    """An option's line under the path at which a contract would have it."""
    found: dict[KeyPath, tuple[str, int]] = {}
    for path, place in sources.places.items():
        if len(path) == 2 and path[0] in ("options", "policy") and path[1] in _OPTIONS:
            found[_OPTIONS[str(path[1])]] = place
    return found


def _put_options(options: Any, key: str, written: dict[str, Any], sources: Sources, problems: list[Problem]) -> None:
    if options is None:
        return
    if not isinstance(options, dict):
        problems.append(sources.problem((key,), "is no mapping; write e.g. {unknown: down}"))
        return
    for name, value in options.items():
        if name in _NAMED_LATER:
            problems.append(sources.problem((key, name), "is not computed by this version; leave it out"))
        elif name not in _OPTIONS:
            problems.append(sources.problem((key, name), unknown_key(name, _OPTIONS)))
        else:
            _put(written, _OPTIONS[name], value)


def _put(written: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if len(path) == 1:
        written[path[0]] = value
    else:
        written.setdefault(path[0], {})[path[1]] = value


def _contract(
    written: Mapping[str, Any],
    at: KeyPath,
    sources: Sources,
    problems: list[Problem],
    *,
    id: str | None,
    tz: str,
    plan: Plan | None = None,
    currency: str | None = None,
) -> Contract | None:
    """A contract about the one service of the facts: its own where it names exactly one."""
    own = [name for key in ("service", "services") for name in _listed(written.get(key))]
    named = {key: value for key, value in written.items() if key not in ("service", "services")}
    found = read(
        WrittenContract,
        {"client": "client", **named, "services": own if len(own) == 1 else SERVICE},
        at,
        sources,
        id=id or "calc",
    )
    if isinstance(found, list):
        problems += found
        return None
    currency = found.currency or currency
    faults = [sources.problem(*fault) for fault in terms_problems(found, plan=plan, currency=currency, at=at)]
    problems += faults
    if faults:
        return None
    body = resolved(found, plan=plan, tz=found.timezone or tz, currency=currency)
    held = contract_of([Definition("contract", id or "calc", BEGINNING_MS, body)], None)
    versions = tuple(replace(version, known_from_ms=None) for version in held.versions)
    return replace(
        held, id=id, client_id=id and found.client, client_name=found.client if id else "", versions=versions
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _contract_file(text: str, name: str, problems: list[Problem], tz: str) -> Contract | None:
    """`contracts:` with one entry (a whole config may stand around it), or the entry alone under its id."""
    value, sources, faults = read_mapping(text, name, _FACTS)
    problems += faults
    entries, at = (value["contracts"], ("contracts",)) if "contracts" in value else (value, ())
    if not isinstance(entries, dict) or len(entries) != 1:
        problems.append(sources.problem(at, "is not exactly one contract; write the entry under its id"))
        return None
    [(id, entry)] = entries.items()
    if not isinstance(entry, dict):
        problems.append(sources.problem((*at, id), "is no contract; write target, fee and credits below its id"))
        return None
    client = _entry(value, "clients", entry.get("client"))
    zone = client.get("timezone") or value.get("timezone") if at else None
    plan = _plan(value, entry.get("plan"), (*at, id, "plan"), sources, problems)
    currency = client.get("currency")
    return _contract(entry, (*at, id), sources, problems, id=id, tz=zone or tz, plan=plan, currency=currency)


def _entry(value: Mapping[str, Any], section: str, id: Any) -> dict[str, Any]:
    entries = value.get(section)
    found = entries.get(id) if isinstance(entries, dict) else None
    return found if isinstance(found, dict) else {}


def _plan(value: Mapping[str, Any], id: Any, at: KeyPath, sources: Sources, problems: list[Problem]) -> Plan | None:
    if id is None:
        return None
    entry = _entry(value, "plans", id)
    if not entry:
        problems.append(sources.problem(at, f"no plan {id!r} stands in this file; write its terms here instead"))
        return None
    found = read(Plan, entry, ("plans", id), sources, id=str(id))
    if isinstance(found, list):
        problems += found
        return None
    return found
