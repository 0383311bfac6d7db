"""Other terms laid over an agreed contract, for `nines whatif`: a plan's, or a few written for the occasion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from config.bodies import Body, terms_body
from config.calc import OPTION_PATHS
from config.contract import Plan
from config.problems import ConfigError, unknown_key
from config.reading import Sources, read
from config.terms import MERGED


def option_terms(options: Mapping[str, str]) -> dict[str, Any]:
    """`{"unknown": "down"}` where a contract writes it: `{"measure": {"unknown": "down"}}`. Raises ValueError."""
    written: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTION_PATHS:
            raise ValueError(f"{name}: {unknown_key(name, OPTION_PATHS)}")
        *outer, key = map(str, OPTION_PATHS[name])
        inner = written
        for step in outer:
            inner = inner.setdefault(step, {})
        inner[key] = value
    return written


def terms_like(written: Mapping[str, Any]) -> Plan:
    """Terms as a plan holds them, e.g. `{target: 99.95, measure: {unknown: down}}`. Raises ConfigError."""
    found = read(Plan, written, (), Sources("the terms asked for"), id="whatif")
    if isinstance(found, list):
        raise ConfigError(found)
    return found


def under(body: Body, terms: Plan) -> dict[str, Any]:
    """The body of a contract as if `terms` had been agreed in every version of it; what they leave open stays.

    Raises MoneyError where an amount has no currency.
    """
    return {**body, "versions": [_laid_over(version, terms) for version in body["versions"]]}


def _laid_over(version: Mapping[str, Any], terms: Plan) -> dict[str, Any]:
    fee = version["fee"]
    starts = date.fromisoformat(version["from"])
    new = terms_body([((), terms)], str(fee).rpartition(" ")[2] if fee else None, starts)
    laid = dict(version)
    for key in terms.model_fields_set & set(version):
        laid[key] = new[key]
        if key in MERGED:
            value = getattr(terms, key)
            written = set(value) if isinstance(value, Mapping) else value.model_fields_set
            laid[key] = {**version[key], **{name: new[key][name] for name in written}}
    return laid
