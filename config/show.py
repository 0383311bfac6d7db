"""`nines config show`: the config as nines understands it, secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from config import composite, units
from config.bodies import definitions_of
from config.claims import Fee, stored_caps, stored_chronic, stored_claim
from config.credits import credits_of
from config.credits import shown as credits_shown
from config.model import Config, Service
from config.secret import Secret
from config.wording import value_text
from sla.rules import Claim

_TERMS: dict[str, Callable[[Any], Any]] = {  # terms that are values of their own, as YAML writes them
    "credits": lambda rules: credits_shown(rules) if rules else [],
    "cap": stored_caps,
    "claim": lambda claim: stored_claim(claim) if claim.deadline or claim.notice else claim.by,
    "chronic": stored_chronic,
    "fee": lambda fee: fee.stored,
}


def show_lines(config: Config, *, full: bool = False) -> list[str]:
    """The same as YAML, which loads again where no secret was written out."""
    return list(_yaml(shown(config, full=full), ""))


def _yaml(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, part in value.items():
        if isinstance(part, Mapping) and part and not _short(part):
            yield f"{indent}{_text(key)}:"
            yield from _yaml(part, indent + "  ")
        elif isinstance(part, list) and part and any(isinstance(item, Mapping) for item in part):
            yield f"{indent}{_text(key)}:"
            for item in part:
                if not isinstance(item, Mapping):
                    yield f"{indent}  - {_flow(item)}"
                    continue
                first, *rest = _yaml(item, indent + "    ")
                yield from (f"{indent}  - {first.strip()}", *rest)
        else:
            yield f"{indent}{_text(key)}: {_flow(part)}"


def _short(value: Mapping[str, Any]) -> bool:
    return len(_flow(value)) < 80 and not any(isinstance(part, Mapping | list) for part in value.values())


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "~"}[value]
    return _text(str(value))


def _text(text: str) -> str:
    """Plain where YAML reads it back as it is, else in double quotes."""
    plain = re.fullmatch(r"[\w<$/.][\w<>=./%$@+() -]*(:[\w/.]+[\w/.:-]*)?", text, re.ASCII) and text.strip() == text
    return text if plain and text not in ("~", "null") else json.dumps(text, ensure_ascii=False)


def shown(config: Config, *, full: bool = False) -> dict[str, Any]:
    """JSON data under YAML's names. `full` adds every default, and each contract's versions with all they inherit.

    A secret shows as its reference; one written out shows as `****`.
    """
    found: dict[str, Any] = _plain(config, full=full)
    if full:
        for kind, id, body in definitions_of(config):
            if kind == "contract":
                found["contracts"][id] = _contract(body)
    return found


def _plain(value: Any, *, full: bool, key: str = "") -> Any:
    if isinstance(value, BaseModel):
        return _model(value, full=full)
    if isinstance(value, Mapping):
        return {str(name): _plain(part, full=full) for name, part in value.items()}
    if key in _TERMS and isinstance(value, tuple | Claim | Fee):
        return _TERMS[key](value)
    if key == "paused":
        return ["/".join(map(str, pair)) for pair in value]
    if isinstance(value, tuple | list):
        return [_plain(item, full=full) for item in value]
    return _scalar(value, key)


def _scalar(value: Any, key: str) -> Any:
    if isinstance(value, Secret) and key == "url" and not value.is_reference:
        return "/".join([*value.reference.split("/")[:3], "****"])  # a webhook's path is often its secret
    if isinstance(value, Secret | date):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value} %" if key == "min_coverage" else str(value)
    if isinstance(value, frozenset):
        return units.statuses_text(value)
    if key.endswith("_ms") and isinstance(value, int):
        return units.duration_text(value)
    if key.endswith("_bytes") and isinstance(value, int):
        return units.size_text(value)
    if key == "expires_in_days":
        return f"{value} d"
    return value


def _model(value: BaseModel, *, full: bool) -> dict[str, Any]:
    found = {}
    for name, info in type(value).model_fields.items():
        part = getattr(value, name)
        default = info.get_default(call_default_factory=True)
        if name in getattr(value, "OURS", ()) or (not full and part == default and name != "version"):
            continue
        if full and part is None:
            continue
        found[info.alias or name] = _plain(part, full=full, key=name)
    return found | (composite.as_json(value.rule) if isinstance(value, Service) else {})


def _contract(body: Mapping[str, Any]) -> dict[str, Any]:
    """A contract by its versions alone, each with all it inherits."""
    found = {key: body[key] for key in ("client", "services", "number", "timezone", "until") if body[key] is not None}
    if body["paused"]:
        found["paused"] = ["/".join(pair) for pair in body["paused"]]
    return found | {"versions": [_version(version) for version in body["versions"]]}


def _version(version: Mapping[str, Any]) -> dict[str, Any]:
    """One stored version as YAML would say it, every option of it."""
    return {key: _term(key, part) for key, part in version.items() if part is not None}


def _option(name: str, part: Any) -> Any:
    """An option as a file writes it: of service hours the days are what nines records of their holidays."""
    if part is None:
        return "all" if name == "categories" else "none"
    return {key: item for key, item in part.items() if key != "days"} if isinstance(part, Mapping) else part


def _term(key: str, part: Any) -> Any:
    if key == "credits":
        return credits_shown(credits_of(part)) if part else []
    if isinstance(part, list):
        return part
    if isinstance(part, Mapping):
        return {
            name.removesuffix("_ms"): units.duration_text(item) if name.endswith("_ms") else _option(name, item)
            for name, item in part.items()
        }
    return part if isinstance(part, str) else value_text(part, key)
