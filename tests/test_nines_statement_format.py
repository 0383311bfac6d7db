"""statement/1 key by key, as `nines calc` and `nines statement build` print it: what a client's mailbox keeps."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from nines.cli import main
from reporting.zone_files import tzdata_version
from sla.canonical import as_json, canonical, from_json

FACTS = """
period: 2026-11
target: 99.9
fee: 2500.00 EUR
credits: {< 99.9: 10 %, < 99.0: 25 %}
down: [{start: 2026-11-20T10:00:00Z, end: 2026-11-20T10:43:22Z}]
degraded: [{start: 2026-11-21T10:00:00Z, end: 2026-11-21T11:00:00Z, weight: 0.5}]
maintenance: [{start: 2026-11-22T10:00:00Z, end: 2026-11-22T11:00:00Z}]
unknown: [{start: 2026-11-23T10:00:00Z, end: 2026-11-23T11:00:00Z}]
exclusions: [{start: 2026-11-24T10:00:00Z, end: 2026-11-24T11:00:00Z, category: force_majeure, clause: "9"}]
"""
CONFIG = """version: 1
issuer: {legal_entity: Sample Hosting Ltd}
endpoints:
  shop: {url: "http://127.0.0.1:9/", name: Shop}
clients:
  sample: {name: Sample Client, timezone: Europe/Berlin}
contracts:
  sample-shop:
    {client: sample, service: shop, from: 2026-01-01, target: 99.9, fee: 2500.00 EUR, credits: {< 99.9: 10 %}}
"""
WHOLE, TEXT, PERCENT, MONEY = int, str, re.compile(r"\d+\.\d{3,}"), re.compile(r"\d+\.\d\d")
EXACT = re.compile(r"\d+(\.\d+)?|\d+/\d+")
CLASSES = ("up", "degraded", "down", "unknown", "maintenance", "excluded", "outside_service_hours", "not_contracted")
SPLIT = dict.fromkeys(CLASSES, WHOLE)
MEASURE = {"by": "time", "unit": "ms", "base": EXACT, "counted": EXACT}
BUDGET = {"allowed_ms": WHOLE, "used_ms": WHOLE, "remaining_ms": WHOLE}
OPTIONS = {
    "maintenance": "exclude",
    "exclusions": "exclude",
    "unknown": "exclude",
    "min_coverage": "95",
    "outage_start": "first_failure",
    "min_outage": None,
    "min_outage_before_exclusions": False,
    "merge_gap": 0,
    "bucket": "exact",
    "bad": ">= 100 %",
    "min_run": 1,
    "degraded": "up",
    "service_hours": "always",
    "before_first_check": "unknown",
    "partial_period": "prorate",
    "base": "actual",
    "compare": "exact",
    "period": "month",
    "timezone": TEXT,
    "digits": 3,
    "quorum_of": "all",
    "rounding": "half_up",
    "windows": {"notice": 0, "allowed": None, "cap": None},
}
PART = {
    "from_ms": WHOLE,
    "to_ms": WHOLE,
    "target_pct": "99.9",
    "options": OPTIONS,
    "split_ms": SPLIT,
    "considered_ms": WHOLE,
    "measure": MEASURE,
    "availability_pct": (None, PERCENT),
    "bounds_pct": (None, [PERCENT, PERCENT]),
    "coverage_pct": PERCENT,
    "verdict": TEXT,
    "reason": (None, TEXT),
    "budget": (None, BUDGET),
}
OUTAGE = {
    "id": (None, TEXT),
    "from_ms": WHOLE,
    "to_ms": (None, WHOLE),
    **dict.fromkeys(("last_good_ms", "first_bad_ms", "confirmed_ms", "last_bad_ms", "first_good_ms"), (None, WHOLE)),
    "counted_ms": WHOLE,
    "cause": TEXT,
    "text": TEXT,
}
WINDOW = {
    "id": (None, TEXT),
    "from_ms": WHOLE,
    "to_ms": WHOLE,
    "entered_ms": (None, WHOLE),
    "accepted": bool,
    "why": TEXT,
}
EXCLUSION = {
    "id": (None, TEXT),
    "from_ms": WHOLE,
    "to_ms": WHOLE,
    "category": TEXT,
    "clause": TEXT,
    "text": TEXT,
    "without_pct": PERCENT,
}
CREDIT = {
    "fee": "2500.00",
    "inputs": dict,
    "lines": [{"part": WHOLE, "rule": TEXT, "inputs": dict, "exact": EXACT, "amount": MONEY}, ...],
    "amount": (None, MONEY),
    "low": (None, MONEY),
    "high": (None, MONEY),
    "determined": bool,
    "currency": "EUR",
    "service_days": None,
    "caps": list,
    "claim": {"deadline_ms": None, "state": "automatic"},
    "state": TEXT,
}
SERVICE = {
    "id": (None, TEXT),
    "name": TEXT,
    "target_pct": "99.9",
    "split_ms": SPLIT,
    "considered_ms": WHOLE,
    "availability_pct": (None, re.compile(r"\d+\.\d{6,}")),
    "bounds_pct": (None, [PERCENT, PERCENT]),
    "evidence_pct": (None, [PERCENT, PERCENT]),
    "coverage_pct": PERCENT,
    "verdict": TEXT,
    "reason": (None, TEXT),
    "provisional": bool,
    "measure": MEASURE,
    "budget": (None, BUDGET),
    "timeline": [[WHOLE, WHOLE, TEXT, (None, TEXT), (None, EXACT)], ...],
    "parts": [PART, ...],
    "outages": [OUTAGE, ...],
    "maintenance": [WINDOW, ...],
    "exclusions": [EXCLUSION, ...],
    "checks": {"due": (None, WHOLE), "made": (None, WHOLE)},
    "method_changes": list,
    "credit": CREDIT,
}
TERMS = {
    "target": "99.9",
    "fee": dict,
    "credits": list,
    "cap": TEXT,
    "minimum": None,
    "clauses": {},
    "options": OPTIONS,
}
STATEMENT = {
    "schema": "nines/statement/1",
    "accounting": 1,
    "statement_id": (None, re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    "number": None,
    "revision": 1,
    "supersedes": None,
    "previous": None,
    "state": "DRAFT",
    "issuer": {"legal_entity": (None, TEXT), "four_eyes": True},
    "client": {"id": (None, TEXT), "name": (None, TEXT)},
    "contract": {
        "id": (None, TEXT),
        "number": None,
        "versions": [{"hash": re.compile("[0-9a-f]{64}"), "from_ms": (None, WHOLE), "terms": TERMS}, ...],
    },
    "period": {"from_ms": WHOLE, "to_ms": WHOLE, "tz": TEXT, "label": TEXT},
    "as_of_ms": WHOLE,
    "software": {"nines": TEXT, "tzdata": tzdata_version()},
    "journal": (None, {"ledger_id": TEXT, "seq": WHOLE, "hash": re.compile("[0-9a-f]{64}")}),
    "options": OPTIONS,
    "services": [SERVICE, ...],
    "totals": dict,
}
MAY_BE_ADDED = {  # optional keys within version 1, beside those of the format
    "services": {"composition", "chronic"},
    "terms": {"fee_terms", "measure", "several_rules", "several_services", "claim", "chronic", "review"},
    "outages": {"down_ms", "endpoints", "failed_checks", "kind", "why"},
    "maintenance": {"title"},
    "checks": {"unconfirmed"},
    "versions": {"known_from_ms"},
}


def differences(shape: Any, value: Any, place: str, key: str = "") -> list[str]:
    """Where a value is not of the shape: a type, a pattern, a plain value, or alternatives in a tuple."""
    if isinstance(shape, tuple):
        found = [differences(each, value, place, key) for each in shape]
        return min(found, key=len)
    if isinstance(shape, Mapping):
        return _of_a_mapping(shape, value, place, key)
    if isinstance(shape, list):
        if not isinstance(value, list) or (shape[-1] is not ... and len(shape) != len(value)):
            return [f"{place}: {value!r}"]
        shapes = [shape[0]] * len(value) if shape[-1] is ... else shape
        pairs = enumerate(zip(shapes, value, strict=True))
        return [found for n, (each, item) in pairs for found in differences(each, item, f"{place}[{n}]", key)]
    if isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and bool(shape.fullmatch(value))
    elif isinstance(shape, type):
        fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    else:
        fits = type(value) is type(shape) and value == shape
    return [] if fits else [f"{place}: {value!r}"]


def _of_a_mapping(shape: Mapping[str, Any], value: Any, place: str, key: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: {value!r}"]
    missing = [f"{place}.{name}: is missing" for name in shape if name not in value]
    unknown = set(value) - set(shape) - MAY_BE_ADDED.get(key, set())
    found = [f"{place}.{name}: is no key of the format" for name in sorted(unknown)]
    inside = [(name, differences(shape[name], value[name], f"{place}.{name}", name)) for name in shape if name in value]
    return [*missing, *found, *(each for _, inner in inside for each in inner)]


Nines = Callable[..., dict[str, Any]]


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs one command in an empty folder, as the console script would, and reads what it printed."""
    monkeypatch.chdir(tmp_path)
    for name in ("NINES_CONFIG", "NINES_DB"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["nines", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert ended.value.code in (0, None), printed.err
        found: dict[str, Any] = json.loads(printed.out) if printed.out.startswith("{") else {}
        return found

    return run


@pytest.fixture
def calculated(nines: Nines, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "facts.yaml").write_text(FACTS)
    return nines("calc", "facts.yaml")


@pytest.fixture
def drafted(nines: Nines, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "nines.yaml").write_text(CONFIG)
    nines("config", "apply")
    return nines("statement", "build", "sample", "--period", "2026-10")


def test_calc_prints_every_key_of_the_format_and_no_other(calculated: dict[str, Any]) -> None:
    assert differences(STATEMENT, calculated, "$") == []


def test_a_built_statement_has_every_key_of_the_format_and_no_other(drafted: dict[str, Any]) -> None:
    assert differences(STATEMENT, drafted, "$") == []


def test_a_missing_a_new_and_a_wrong_key_would_be_noticed(calculated: dict[str, Any]) -> None:
    del calculated["services"][0]["bounds_pct"]
    calculated["services"][0]["considered_ms"] = "1"
    calculated["options"]["extra"] = 1
    assert differences(STATEMENT, calculated, "$") == [
        "$.options.extra: is no key of the format",
        "$.services[0].bounds_pct: is missing",
        "$.services[0].considered_ms: '1'",
    ]


def test_calc_knows_no_ids_and_says_so_with_null(calculated: dict[str, Any]) -> None:
    [service] = calculated["services"]
    for key in ("statement_id", "number", "supersedes", "previous", "journal"):
        assert calculated[key] is None
    assert (calculated["client"], calculated["contract"]["id"]) == ({"id": None, "name": None}, None)
    assert calculated["contract"]["versions"][0]["from_ms"] is None
    assert (service["id"], service["checks"]) == (None, {"due": None, "made": None, "unconfirmed": None})
    for listed in ("outages", "maintenance", "exclusions"):
        assert {entry["id"] for entry in service[listed]} == {None}
    assert {line[3] for line in service["timeline"]} == {None}
    assert {tuple(outage["endpoints"]) for outage in service["outages"]} == {()}


def test_a_contract_file_gives_its_ids(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text("period: 2026-10\n")
    (tmp_path / "terms.yaml").write_text("acme-api: {client: acme, service: api, from: 2026-01-01, target: 99.9}\n")
    found = nines("calc", "facts.yaml", "--contract", "terms.yaml")
    assert (found["client"]["id"], found["contract"]["id"], found["services"][0]["id"]) == ("acme", "acme-api", "api")
    assert found["contract"]["versions"][0]["from_ms"] == 1767225600000


def test_the_classes_the_timeline_and_the_parts_agree(calculated: dict[str, Any], drafted: dict[str, Any]) -> None:
    for statement in (calculated, drafted):
        period, [service] = statement["period"], statement["services"]
        assert sum(service["split_ms"].values()) == period["to_ms"] - period["from_ms"]
        summed = dict.fromkeys(CLASSES, 0)
        at_ms = period["from_ms"]
        for start, end, time_class, _, _ in service["timeline"]:
            assert start == at_ms
            at_ms, summed[time_class] = end, summed[time_class] + end - start
        assert at_ms == period["to_ms"]
        assert summed == service["split_ms"] == service["parts"][0]["split_ms"]
        assert service["measure"]["base"] == str(service["considered_ms"])


def test_canonical_bytes_are_those_of_the_standard_library(calculated: dict[str, Any]) -> None:
    written = json.dumps(calculated, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical(calculated) == written
    assert as_json(from_json(calculated)) == calculated


def test_the_journal_names_the_config_that_was_read(drafted: dict[str, Any], tmp_path: Path) -> None:
    assert drafted["journal"]["seq"] == 1  # the load: nothing was decided before it
    with contextlib.closing(sqlite3.connect(tmp_path / "nines.db")) as connection:
        query = "SELECT body FROM journal JOIN journal_body USING (seq) WHERE action = 'config load'"
        [(body,)] = connection.execute(query).fetchall()
    told = json.loads(body)
    assert (told["source_sha256"], told["open_period"]) == (load(tmp_path / "nines.yaml").sources.sha256, False)


def test_a_load_for_the_open_period_says_so_in_the_journal(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(CONFIG)
    nines("config", "apply", "--open-period")
    with contextlib.closing(sqlite3.connect(tmp_path / "nines.db")) as connection:
        query = "SELECT body FROM journal JOIN journal_body USING (seq) WHERE action = 'config load'"
        [(body,)] = connection.execute(query).fetchall()
    assert json.loads(body)["open_period"] is True
