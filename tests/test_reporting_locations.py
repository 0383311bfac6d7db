"""An endpoint seen from several locations: each judged by itself, then the quorum of what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_history import request
from ledger_scenes import checks
from reporting_ledgers import LOADED, METHOD, MINUTE, apply, at, ledger_with

from config.composition import composition_of, located
from config.load import ConfigError, load
from ledger.imports import import_checks
from ledger.observations import ObservationWriter, Observed
from ledger.store import Ledger
from reporting.agreements import agreements
from reporting.statements import build
from sla.compose import described, endpoint_of, quorum
from sla.facts import AtLeast, Definition, Member
from sla.judge import State, judge
from sla.statement import ServiceStatement

CONFIG = """
version: 1
timezone: UTC
endpoints:
  api: {{url: "http://127.0.0.1:8102/", name: API, locations: [local, fra, nyc]{quorum}}}
clients:
  sample: {{name: Sample Client}}
contracts:
  sample-api: {{client: sample, service: api, from: 2026-09-21, target: 99.0}}
maintenance:
  deploy: {{title: Deploy, for: [api], start: "2026-09-21 13:00", duration: 10 min}}
"""
DAY = "2026-09-21/2026-09-22"


def seen_from(ledger: Ledger, location: str, verdicts: str) -> None:
    writer = ObservationWriter(ledger, boot_id=f"boot-{location}", location=location, batch_every_s=0.01)
    state = State()
    for check in checks(verdicts, from_ms=LOADED + MINUTE):
        state, transitions = judge(state, check, METHOD)
        writer.life(check.at_ms)
        writer.put(Observed("api", location, check, transitions=transitions))
    writer.close()


def judged(tmp_path: Path, *, quorum: str = "", **verdicts: str) -> ServiceStatement:
    with ledger_with(tmp_path, CONFIG.format(quorum=quorum)) as ledger:
        for location, seen in verdicts.items():
            seen_from(ledger, location, seen)
        (statement,) = build(ledger, "sample", DAY, now_ms=at("12:30:00"), version="0")
    return statement.services[0]


def test_one_location_alone_does_not_make_an_outage(tmp_path: Path) -> None:
    found = judged(tmp_path, local="u" * 25, fra="u" * 5 + "d" * 10 + "u" * 10, nyc="u" * 25)
    assert found.split_ms["down"] == 0
    assert found.composition == "1 endpoint, down where 2 of 3 locations say so"


def test_two_of_three_make_one_where_they_agree(tmp_path: Path) -> None:
    found = judged(tmp_path, local="u" * 5 + "d" * 10 + "u" * 10, fra="u" * 10 + "d" * 10 + "u" * 5, nyc="u" * 25)
    assert found.split_ms["down"] == 5 * MINUTE
    (outage,) = found.outages
    assert outage.endpoints == ("api", "api@fra")
    assert outage.from_ms == LOADED + 11 * MINUTE


def test_the_quorum_may_be_one_or_all(tmp_path: Path) -> None:
    seen = {"local": "u" * 5 + "d" * 10 + "u" * 10, "fra": "u" * 10 + "d" * 10 + "u" * 5, "nyc": "u" * 25}
    for folder, expected in (("one", 15), ("three", 0)):
        (tmp_path / folder).mkdir()
        number = {"one": 1, "three": 3}[folder]
        found = judged(tmp_path / folder, quorum=f", quorum: {number}", **seen)
        assert found.split_ms["down"] == expected * MINUTE


def test_case_42_a_location_that_nobody_hears_decides_nothing(tmp_path: Path) -> None:
    alone = judged(tmp_path, local="u" * 25)
    assert (alone.split_ms["up"], alone.split_ms["down"]) == (0, 0)


def test_a_window_on_the_endpoint_covers_all_its_locations(tmp_path: Path) -> None:
    down = "u" * 55 + "d" * 20 + "u" * 10
    with ledger_with(tmp_path, CONFIG.format(quorum="")) as ledger:
        for location in ("local", "fra", "nyc"):
            seen_from(ledger, location, down)
        (statement,) = build(ledger, "sample", DAY, now_ms=at("13:20:00"), version="0")
    assert statement.services[0].split_ms["maintenance"] == 10 * MINUTE
    assert statement.services[0].split_ms["down"] == 10 * MINUTE


def test_a_location_added_later_votes_from_then_on(tmp_path: Path) -> None:
    one = CONFIG.format(quorum="").replace("[local, fra, nyc]", "[local]")
    with ledger_with(tmp_path, one) as ledger:
        apply(ledger, tmp_path, CONFIG.format(quorum=""), at_ms=at("13:00:00"))
        (first, then) = agreements(ledger).composition("api").dated
    assert first == (0, Member("api"))
    assert then == (at("13:00:00"), AtLeast(2, (Member("api"), Member("api", "fra"), Member("api", "nyc"))))


def test_a_quorum_of_locations_is_at_least_n_less_q_and_one() -> None:
    assert quorum("api", ["local", "fra", "nyc"], 2) == AtLeast(
        2, (Member("api"), Member("api", "fra"), Member("api", "nyc"))
    )
    assert quorum("api", ["fra"], 1) == Member("api", "fra")
    assert located("api", {}) == Member("api")
    assert described(quorum("api", ["local", "fra"], 2)) == "1 endpoint, down where 2 of 2 locations say so"
    assert endpoint_of("api@fra") == endpoint_of("api") == "api"


def test_a_service_is_made_of_what_its_endpoints_locations_say() -> None:
    api = Definition("endpoint", "api", 0, {"locations": ["local", "fra"], "quorum": 1})
    shop = Definition("service", "shop", 0, {"name": "Shop", "rule": {"all": ["web", "api"]}})
    found = composition_of("shop", [shop], endpoint_history=lambda id: [api] if id == "api" else [])
    assert (found.keys, found.endpoints) == (("web", "api", "api@fra"), ("web", "api"))


def test_a_quorum_of_more_than_there_are_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(CONFIG.format(quorum=", quorum: 4"))
    with pytest.raises(ConfigError, match=r"nines.yaml:5 endpoints.api.quorum: 4 is not between 1 and 3; write e.g. 2"):
        load(tmp_path / "nines.yaml")


def test_what_another_location_saw_comes_in_by_import(tmp_path: Path) -> None:
    with ledger_with(tmp_path, CONFIG.format(quorum=", quorum: 3")) as ledger:
        seen_from(ledger, "local", "u" * 5 + "d" * 10 + "u" * 10)
        seen_from(ledger, "fra", "u" * 5 + "d" * 10 + "u" * 10)
        story = checks("u" * 8 + "d" * 7 + "u" * 10, from_ms=LOADED + MINUTE)
        rows = [("api", "nyc", check) for check in story]
        import_checks(ledger, request(), rows, methods=lambda endpoint: ((0, METHOD),))
        (statement,) = build(ledger, "sample", DAY, now_ms=at("12:26:00"), version="0")
    assert statement.services[0].split_ms["down"] == 7 * MINUTE
