"""`nines calc`: plain facts of one period, in YAML or JSON, to the values that the accounting starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from config.bodies import BEGINNING_MS, contract_of, resolved
from config.calc_facts import SERVICE, TERMS, FactsReader, read_mapping
from config.calc_inputs import inputs_of, more_buckets_than
from config.calendars import outside_hours
from config.contract import Contract as WrittenContract
from config.contract import Plan
from config.crosscheck import terms_problems
from config.problems import ConfigError, KeyPath, Problem, unknown_key
from config.reading import Sources, read
from sla import period as periods
from sla.facts import Definition, ServiceFacts
from sla.laying import around_period
from sla.terms import Contract, in_force

_FACTS = "period: 2026-10 and down: [{start, end}]"
_ONE_CONTRACT = "acme-api: {client: acme, target: 99.9, credits: {< 99.9: 10 %}}"
OPTION_PATHS: dict[str, KeyPath] = {  # option of ACCOUNTING.md section 3: where a contract writes it
    "maintenance": ("maintenance", "effect"),
    "windows": ("maintenance",),
    "exclusions": ("exclusions", "effect"),
    "exclusion_categories": ("exclusions", "categories"),
    **{
        name: ("measure", name)
        for name in (
            *("unknown", "min_coverage", "outage_start", "min_outage", "min_outage_before_exclusions", "merge_gap"),
            *("bucket", "bad", "min_run", "degraded", "service_hours", "before_first_check", "compare", "digits"),
            "quorum_of",
        )
    },
    **{name: (name,) for name in ("partial_period", "base", "period", "timezone", "rounding")},
}


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
    period = reader.period(own or tz, contract.versions[-1].options.period if contract else "month")
    facts = reader.facts(own or tz, period)
    terms = in_force(contract.versions, period.to_ms - 1) if contract and period else None
    facts = replace(facts, inputs=inputs_of(reader, terms, own or tz))
    if period is not None and (too_many := more_buckets_than(facts.inputs, period)):
        reader.refuse(("series", "requests", "buckets"), too_many)
    if problems or contract is None or period is None:
        raise ConfigError(problems)
    around = around_period(contract, period, facts.endpoints.values(), now_ms=period.to_ms)
    facts = replace(facts, outside_hours=facts.outside_hours | outside_hours(contract, *around))
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
    problems += [replace(fault, path=_as_written(fault.path, key)) for fault in faults]
    return contract


def _as_written(path: str, key: str) -> str:
    """A contract's path as the option that stands for it."""
    if path.startswith(("measure.by", "maintenance.effect.")):
        return path
    for name, at in sorted(OPTION_PATHS.items(), key=lambda item: -len(item[1])):
        place = ".".join(map(str, at))
        if path == place or path.startswith((f"{place}.", f"{place}[")):
            return f"{key}.{name}{path[len(place) :]}"
    return path


def _moved(sources: Sources) -> dict[KeyPath, tuple[str, int]]:
    """An option's line under the path at which a contract would have it."""
    found: dict[KeyPath, tuple[str, int]] = {}
    for path, place in sources.places.items():
        if len(path) >= 2 and path[0] in ("options", "policy") and path[1] in OPTION_PATHS:
            found[(*OPTION_PATHS[str(path[1])], *path[2:])] = place
    return found


def _put_options(options: Any, key: str, written: dict[str, Any], sources: Sources, problems: list[Problem]) -> None:
    if options is None:
        return
    if not isinstance(options, dict):
        problems.append(sources.problem((key,), "is no mapping; write e.g. {unknown: down}"))
        return
    for name, value in options.items():
        if name not in OPTION_PATHS:
            problems.append(sources.problem((key, name), unknown_key(name, OPTION_PATHS)))
        elif name != "windows":
            _put(written, OPTION_PATHS[name], value)
        elif isinstance(value, dict) and "effect" not in value:
            written.setdefault("maintenance", {}).update(value)
        else:
            problems.append(sources.problem((key, name), "are no terms of windows; write e.g. {notice: 72 h}"))


def _put(written: dict[str, Any], path: KeyPath, value: Any) -> None:
    if len(path) == 1:
        written[str(path[0])] = value
    else:
        written.setdefault(str(path[0]), {})[path[1]] = value


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
        problems.append(
            sources.problem(at, f"is not exactly one contract; write its terms below one id, e.g. {_ONE_CONTRACT}")
        )
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
