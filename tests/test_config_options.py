"""Options from YAML to the accounting and back: typed values, stored bodies, recorded holidays, and `nines calc`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.calc import parse_calc
from config.definitions import changes, contract_of, definitions_of
from config.load import ConfigError, load
from config.model import Config
from config.show import show_lines, shown
from sla.build import build_statement
from sla.facts import Definition
from sla.period import local
from sla.statement import ServiceStatement
from sla.terms import Comparing, Edge, Least, Options, WindowCap

MINUTE, HOUR = 60_000, 3_600_000
OFFICE = ((8 * 60, 18 * 60),)
EVERY_OPTION = """\
version: 1
timezone: Europe/Berlin
endpoints:
  web: {url: "https://example.org/health"}
clients:
  acme: {name: Acme}
contracts:
  acme-web:
    client: acme
    service: web
    from: 2026-01-01
    target: 99.9
    fee: 100.00 EUR
    credits: {< 99.9: 10 %}
    objective: 99.95
    period: billing month from day 15
    base: 43800 min
    partial_period: counts_up
    measure:
      outage_start: midpoint
      min_outage: "> 5 min"
      min_outage_before_exclusions: true
      merge_gap: 30 s
      bucket: 60 s
      bad: "> 5.0 %"
      min_run: 10
      degraded: 0.3333
      service_hours: {mon-fri: "08:00-18:00", sat: ["08:00-12:00"], holidays: [DE-BE, 2026-12-24]}
      compare: {digits: 2, mode: half_even}
      quorum_of: voting
    maintenance: {notice: 72 h, allowed: {sat-sun: "22:00-04:00"}, cap: 10 h per month}
    exclusions: {categories: [client, force_majeure]}
"""
LOADED = 1_790_000_000_000  # 2026-09-21


def written(folder: Path, text: str = EVERY_OPTION) -> Config:
    path = folder / "nines.yaml"
    path.write_text(text)
    return load(path)


def body_of(config: Config) -> dict[str, Any]:
    (body,) = [body for kind, _, body in definitions_of(config) if kind == "contract"]
    return json.loads(json.dumps(body))  # type: ignore[no-any-return]


def options_of(body: Mapping[str, Any]) -> Options:
    return contract_of([Definition("contract", "acme-web", 0, body)], None).versions[-1].options


def test_every_option_of_the_language_reaches_the_accounting(tmp_path: Path) -> None:
    found = options_of(body_of(written(tmp_path)))
    assert (found.outage_start, found.min_outage, found.min_outage_before_exclusions) == (
        "midpoint", Least(">", 5 * MINUTE), True,
    )  # fmt: skip
    assert (found.merge_gap_ms, found.bucket_ms, found.bad, found.min_run) == (
        30_000, MINUTE, Edge(">", Decimal("5.0")), 10,
    )  # fmt: skip
    assert (found.degraded, found.compare, found.quorum_of) == (Decimal("0.3333"), Comparing(2, "half_even"), "voting")
    assert (found.period, found.base_ms, found.partial_period) == ("billing month from day 15", 730 * HOUR, "counts_up")
    assert found.windows.cap == WindowCap(10 * HOUR, "month")
    assert found.windows.allowed == ((), (), (), (), (), ((22 * 60, 28 * 60),), ((22 * 60, 28 * 60),))
    assert found.exclusion_categories == ("force_majeure", "client")
    assert found.service_hours is not None
    assert found.service_hours.week == (*[OFFICE] * 5, ((8 * 60, 12 * 60),), ())
    assert {date(2026, 12, 24), date(2026, 3, 8), date(2045, 1, 1)} <= found.service_hours.days


def test_the_objective_is_stored_and_kept_from_the_clients_terms(tmp_path: Path) -> None:
    body = body_of(written(tmp_path))
    assert body["versions"][0]["objective"] == "99.95"
    assert contract_of([Definition("contract", "acme-web", 0, body)], None).versions[0].objective == Decimal("99.95")


def test_what_is_shown_of_every_option_loads_again_and_says_the_same(tmp_path: Path) -> None:
    config = written(tmp_path)
    for full in (False, True):
        again = written(tmp_path, "\n".join(show_lines(config, full=full)) + "\n")
        assert body_of(again) == body_of(config)
        assert shown(again, full=True) == shown(config, full=True)


def test_a_version_takes_options_back(tmp_path: Path) -> None:
    later = (
        "    versions:\n      - from: 2026-12-01\n        base: actual\n"
        "        measure: {min_outage: none, min_outage_before_exclusions: false, bucket: exact, min_run: 1, "
        'bad: ">= 100 %", service_hours: always, compare: exact}\n'
        "        maintenance: {allowed: none, cap: none}\n        exclusions: {categories: all}\n"
    )
    config = written(tmp_path, EVERY_OPTION + later)
    found = options_of(body_of(config))
    assert (found.min_outage, found.bucket_ms, found.base_ms, found.compare) == (None, None, None, None)
    assert (found.windows.allowed, found.windows.cap, found.exclusion_categories) == (None, None, None)
    assert found.service_hours is None
    again = written(tmp_path, "\n".join(show_lines(config, full=True)) + "\n")
    assert body_of(again) == body_of(config)


def test_a_newer_table_of_holidays_changes_nothing_that_is_on_record(tmp_path: Path) -> None:
    config, newer = written(tmp_path), "2027-05-06"  # a day that the table did not have when it was recorded
    body = body_of(config)
    body["versions"][0]["measure"]["service_hours"]["days"].remove(newer)
    recorded = Definition("contract", "acme-web", LOADED, body)
    in_force = {(recorded.kind, recorded.id): recorded}
    assert not [each for each in changes(config, in_force, at_ms=LOADED + HOUR) if each.kind == "contract"]
    more = written(tmp_path, EVERY_OPTION + "    versions: [{from: 2027-01-01, target: 99.8}]\n")
    (stored,) = [each for each in changes(more, in_force, at_ms=LOADED + HOUR) if each.kind == "contract"]
    assert stored.body is not None
    days = [version["measure"]["service_hours"]["days"] for version in stored.body["versions"]]
    assert [newer in each for each in days] == [False, True]


def test_a_contract_stored_before_these_options_existed_says_what_it_said(tmp_path: Path) -> None:
    plain = EVERY_OPTION.split("    objective:")[0]
    config = written(tmp_path, plain)
    old = body_of(config)
    for version in old["versions"]:
        version["measure"] = {
            key: version["measure"][key] for key in ("by", "unknown", "min_coverage", "degraded", "digits")
        } | {"before_first_check": "unknown"}
        version["maintenance"] = {"effect": "exclude", "notice_ms": 0}
        version["exclusions"] = {"effect": "exclude"}
        del version["base"], version["objective"]
    stored = Definition("contract", "acme-web", LOADED, old)
    assert options_of(old) == options_of(body_of(config))
    fresh = changes(config, {(stored.kind, stored.id): stored}, at_ms=LOADED + HOUR)
    assert not [each for each in fresh if each.kind == "contract"]
    later = Definition("contract", "acme-web", LOADED + HOUR, body_of(config))
    assert contract_of([stored, later], None).versions[0].known_from_ms == LOADED


def test_a_change_of_an_option_for_time_past_is_refused(tmp_path: Path) -> None:
    config = written(tmp_path)
    stored = Definition("contract", "acme-web", LOADED, body_of(config))
    for old, new, key in (("> 5 min", "> 6 min", "measure"), ("43800 min", "731 h", "base")):
        changed = written(tmp_path, EVERY_OPTION.replace(old, new))
        with pytest.raises(ConfigError) as refused:
            changes(changed, {(stored.kind, stored.id): stored}, at_ms=LOADED + HOUR)
        assert f"contracts.acme-web.{key}" in str(refused.value)


def calculated(facts: str, contract: str | None = None) -> ServiceStatement:
    found = parse_calc(facts, "facts.yaml", contract_text=contract, contract_name="terms.yaml")
    statement = build_statement(found.contract, found.services, found.period, as_of_ms=found.as_of_ms)
    (only,) = statement.services
    return only


DOWN = "down: [{start: 2026-11-10T06:00:00Z, end: 2026-11-10T06:43:03.100Z}]\n"


@pytest.mark.parametrize(
    ("options", "base_s", "counted"),
    [
        ("{}", 2_592_000, "2583100"),
        ("{min_outage: \"> 45 min\"}", 2_592_000, "0"),
        ("{bucket: 1 min, bad: \"> 5 %\"}", 2_592_000, "2640000"),
        ("{bucket: 1 min}", 2_592_000, "2580000"),
        ("{bucket: 1 min, min_run: 44}", 2_592_000, "0"),
        ("{base: 43800 min}", 2_628_000, "2583100"),
        ("{service_hours: {mon-fri: \"06:30-18:00\"}}", 21 * 11.5 * 3600, "783100"),
        ("{service_hours: {mon-fri: \"06:30-18:00\", holidays: 2026-11-10}}", 20 * 11.5 * 3600, "0"),
        ("{timezone: Europe/Berlin, service_hours: {mon-fri: \"07:30-18:00\"}}", 21 * 10.5 * 3600, "783100"),
        ("{merge_gap: 1 h, quorum_of: voting, outage_start: confirmation, compare: {digits: 2}}", 2_592_000, "2583100"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["options", "policy"])
def test_calc_takes_every_option(key: str, options: str, base_s: float, counted: str) -> None:
    zone = "zone: UTC\n"
    found = calculated(f"period: 2026-11\n{zone}{DOWN}{key}: {options}\n")
    assert (found.measure.base, found.measure.counted) == (str(int(base_s * 1000)), counted)


def test_calc_takes_the_terms_of_windows_and_the_categories() -> None:
    facts = (
        "period: 2026-11\nmaintenance: [{start: 2026-11-10T00:00:00Z, end: 2026-11-10T03:00:00Z}]\n"
        "exclusions: [{start: 2026-11-11T00:00:00Z, end: 2026-11-11T01:00:00Z, category: third_party}]\n"
        "options: {windows: {notice: 72 h, cap: 2 h per month}, exclusion_categories: [client]}\n"
    )
    found = calculated(facts)
    assert (found.split_ms["maintenance"], found.split_ms["excluded"]) == (2 * HOUR, 0)
    assert found.parts[0].options["windows"] == {
        "notice": 72 * HOUR, "allowed": None, "cap": {"ms": 2 * HOUR, "per": "month"},
    }  # fmt: skip


def test_calc_cuts_the_billing_month_that_begins_in_the_month_named() -> None:
    parsed = parse_calc("period: 2026-02\noptions: {period: billing month from day 31}\n", "facts.yaml")
    assert [local(at, "UTC").date().isoformat() for at in (parsed.period.from_ms, parsed.period.to_ms)] == [
        "2026-02-28",
        "2026-03-31",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{min_run: 3}", "facts.yaml:2 options.min_run: counts buckets, and there are none; write bucket: 1 min"),
        ("{windows: {cap: 5}}", "facts.yaml:2 options.windows.cap: '5' is no cap of window time"),
        ("{windows: 72 h}", "facts.yaml:2 options.windows: are no terms of windows; write e.g. {notice: 72 h}"),
        ("{service_hours: {mon: 9}}", "facts.yaml:2 options.service_hours.mon: '9' are no hours; write hh:mm-hh:mm"),
        ("{bukket: 1 min}", "facts.yaml:2 options.bukket: unknown key; did you mean bucket?"),
        ("{compare: 2}", "facts.yaml:2 options.compare: '2' is not known here; write exact, or e.g. {digits: 2"),
    ],
)
def test_calc_names_a_mistaken_option_with_its_line(options: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_calc(f"period: 2026-11\noptions: {options}\n", "facts.yaml")
    assert str(refused.value).startswith(said)
