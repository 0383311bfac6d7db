"""Dated definitions: stable bodies, readers that give the values back, and a past that no load rewrites."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.definitions import (
    changes,
    client_of,
    composition_of,
    contract_of,
    definitions_of,
    endpoint_of,
    method_changes,
    service_of,
)
from config.load import ConfigError, load
from config.model import Config
from sla.facts import All, Any_, Definition, Member
from sla.money import Money
from sla.terms import WHOLE_FEE

TEXT = """\
version: 1
timezone: Europe/Berlin
issuer: {legal_entity: Sample Operations, four_eyes: false}
endpoints:
  web: {name: Web, url: "https://example.org/health"}
  api: {url: "https://api.example.org/", headers: {Authorization: "Bearer ${NINES_SECRET_API}"}, status: "200-204, 301"}
services:
  shop: {name: Shop, all: [web, api]}
clients:
  acme: {name: Acme, currency: EUR}
plans:
  gold: {target: 99.90, credits: {< 99.9: 10 %, < 99.0: 25 %}, maintenance: {notice: 72 h}}
contracts:
  acme-shop:
    client: acme
    service: shop
    from: 2026-01-01
    plan: gold
    fee: 2500.00
maintenance:
  patches: {for: [shop, web], cron: "0 2 * * sun", duration: 2 h}
  release: {for: [web], start: 2026-11-20 02:00, until: "04:00"}
"""
FIRST = "2026-11-01 12:00"
LATER = "2026-11-22 12:00"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


def stored(found: Sequence[Definition]) -> Sequence[Definition]:
    """As they come back from the ledger: through JSON."""
    return [Definition(d.kind, d.id, d.known_from_ms, json.loads(json.dumps(d.body))) for d in found]


Write = Callable[..., Config]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*edits: tuple[str, str], text: str = TEXT) -> Config:
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "nines.yaml"
        path.write_text(text)
        return load(path)

    return write


def loads(write: Write, *edits: tuple[str, str], on: str = LATER, open_period: bool = False) -> tuple[Definition, ...]:
    """What a second load would store, three weeks after the first."""
    first = {(d.kind, d.id): d for d in stored(changes(write(), {}, at_ms=at(FIRST)))}
    return changes(write(*edits), first, at_ms=at(on), open_period=open_period)


def refusal(write: Write, *edits: tuple[str, str], on: str = LATER, open_period: bool = False) -> str:
    with pytest.raises(ConfigError) as refused:
        loads(write, *edits, on=on, open_period=open_period)
    return str(refused.value).replace(refused.value.problems[0].file, "nines.yaml")


def test_the_first_load_stores_everything_from_that_instant_on(write: Write) -> None:
    found = changes(write(), {}, at_ms=at(FIRST))
    assert [(d.kind, d.id) for d in found] == [
        ("client", "acme"),
        ("endpoint", "api"),
        ("endpoint", "web"),
        ("service", "shop"),
        ("window", "patches"),
        ("window", "release"),
        ("contract", "acme-shop"),
    ]
    assert {d.known_from_ms for d in found} == {at(FIRST)}


def test_an_unchanged_file_stores_nothing(write: Write) -> None:
    assert loads(write) == ()


def test_order_and_comments_are_no_change(write: Write) -> None:
    web = '  web: {name: Web, url: "https://example.org/health"}\n'
    assert loads(write, (web, ""), ("services:\n", f"{web}# words\nservices:\n")) == ()


def test_bodies_are_json_and_hold_references_instead_of_secrets(write: Write) -> None:
    bodies = definitions_of(write())
    assert json.loads(json.dumps(bodies)) == [list(item) for item in bodies]
    assert {id: body for kind, id, body in bodies if kind == "endpoint"}["api"]["headers"] == {
        "Authorization": "Bearer ${NINES_SECRET_API}"
    }


def test_readers_give_back_what_was_written(write: Write) -> None:
    config = write()
    bodies = {(d.kind, d.id): d.body or {} for d in stored(changes(config, {}, at_ms=1))}
    assert endpoint_of("api", bodies["endpoint", "api"]) == config.endpoints["api"]
    assert config.endpoints["api"].status == frozenset({200, 201, 202, 203, 204, 301})
    assert service_of("shop", bodies["service", "shop"]) == ("Shop", All((Member("web"), Member("api"))))
    assert client_of("acme", bodies["client", "acme"]).name == "Acme"


def test_a_contract_is_read_with_its_plan_its_zone_and_its_currency(write: Write) -> None:
    history = [d for d in stored(changes(write(), {}, at_ms=at(FIRST))) if d.kind == "contract"]
    contract = contract_of(history, {"name": "Acme", "legal_entity": "Sample Operations", "four_eyes": False})
    [terms] = contract.versions
    assert (contract.client_name, contract.issuer, contract.four_eyes) == ("Acme", "Sample Operations", False)
    assert (terms.from_ms, terms.known_from_ms) == (at("2026-01-01 00:00"), at(FIRST))
    assert (str(terms.target), terms.fee, terms.caps) == ("99.90", Money(250000, "EUR"), (WHOLE_FEE,))
    assert terms.options.windows.notice_ms == 72 * 3_600_000
    assert terms.options.timezone == "Europe/Berlin"


def test_endpoints_services_and_recurrences_change_from_the_load_on(write: Write) -> None:
    found = loads(
        write,
        ("{name: Web, url", "{name: Web, interval: 30 s, url"),
        ("all: [web, api]", "any: [web, api]"),
        ("0 2 * * sun", "0 3 * * sun"),
    )
    assert [(d.kind, d.id, d.known_from_ms) for d in found] == [
        ("endpoint", "web", at(LATER)),
        ("service", "shop", at(LATER)),
        ("window", "patches", at(LATER)),
    ]


def test_what_left_the_file_is_removed_from_the_load_on(write: Write) -> None:
    [gone] = loads(write, ('  patches: {for: [shop, web], cron: "0 2 * * sun", duration: 2 h}\n', ""))
    assert (gone.kind, gone.id, gone.body) == ("window", "patches", None)


def test_case_49_an_endpoint_added_on_the_16th_leaves_the_members_as_they_were_until_then(write: Write) -> None:
    first = stored(changes(write(("[web, api]", "[web]")), {}, at_ms=at(FIRST)))
    second = changes(write(), {(d.kind, d.id): d for d in first}, at_ms=at("2026-11-16 09:00"))
    shop = composition_of("shop", [*first, *stored(second)])
    assert shop.dated == (
        (0, All((Member("web"),))),
        (at("2026-11-16 09:00"), All((Member("web"), Member("api")))),
    )
    assert shop.endpoints == ("web", "api")


def test_an_id_that_was_an_endpoint_and_became_a_service_is_at_each_instant_what_it_was_then() -> None:
    history = [
        Definition("endpoint", "api", at("2026-10-01 00:00"), {"url": "https://example.org/", "name": "Old"}),
        Definition("endpoint", "api", at("2026-11-10 00:00"), None),
        Definition("service", "api", at("2026-11-10 00:00"), {"name": "API", "all": ["one", "two"]}),
        Definition("service", "api", at("2026-11-12 00:00"), {"name": "The API", "all": ["one", "two"]}),
        Definition("service", "api", at("2026-11-20 00:00"), None),
        Definition("endpoint", "api", at("2026-11-21 00:00"), {"url": "https://example.org/", "name": "New"}),
        Definition("endpoint", "api", at("2026-11-25 00:00"), None),
    ]
    found = composition_of("api", history)
    assert found.dated == (
        (0, Member("api")),
        (at("2026-11-10 00:00"), All((Member("one"), Member("two")))),
        (at("2026-11-21 00:00"), Member("api")),
    )
    assert (found.name, found.endpoints) == ("New", ("api", "one", "two"))
    with pytest.raises(LookupError, match="no service or endpoint 'web' is defined"):
        composition_of("web", history)


def test_an_endpoint_is_a_service_by_itself(write: Write) -> None:
    found = composition_of("web", changes(write(), {}, at_ms=at(FIRST)))
    assert (found.name, found.dated, found.endpoints) == ("Web", ((0, Member("web")),), ("web",))


def test_a_redundant_service_is_read_as_any(write: Write) -> None:
    found = composition_of("shop", changes(write(("all: [web", "any: [web")), {}, at_ms=at(FIRST)))
    assert found.dated[0][1] == Any_((Member("web"), Member("api")))


def test_a_changed_interval_is_a_method_change(write: Write) -> None:
    first = stored(changes(write(), {}, at_ms=at(FIRST)))
    second = loads(write, ("{name: Web, url", "{name: Web, interval: 30 s, url"))
    [change] = method_changes("web", [*first, *second], at("2026-11-01 00:00"), at("2026-12-01 00:00"))
    assert (change.at_ms, change.text) == (at(LATER), "interval 60000 to 30000 ms")


# Contracts: what was in force stays in force.


def test_a_changed_fee_is_refused_with_the_entry_to_write(write: Write) -> None:
    assert refusal(write, ("fee: 2500.00", "fee: 2600.00")) == (
        "nines.yaml:19 contracts.acme-shop.fee: changes what is agreed since 2026-01-01; put 2500.00 EUR back, "
        "and add under versions: `- {from: 2026-11-23, fee: 2600.00 EUR}` "
        "(or nines config apply --open-period, for the running period alone)"
    )


def test_a_changed_plan_is_refused_where_the_plan_is_written(write: Write) -> None:
    assert refusal(write, ("notice: 72 h", "notice: 48 h")).startswith(
        "nines.yaml:12 plans.gold.maintenance: changes what is agreed since 2026-01-01; put {notice: 72 h} back, "
        "and add under versions: `- {from: 2026-11-23, maintenance: {notice: 48 h}}`"
    )


VERSION = "    fee: 2500.00\n    versions: [{from: %s, target: 99.5}]\n"


def test_the_entry_that_was_proposed_is_accepted(write: Write) -> None:
    [found] = loads(write, ("    fee: 2500.00\n", VERSION % "2026-11-23"))
    contract = contract_of([*stored(changes(write(), {}, at_ms=at(FIRST)))[-1:], found], None)
    assert [(str(v.target), v.known_from_ms) for v in contract.versions] == [
        ("99.90", at(FIRST)),
        ("99.5", at(LATER)),
    ]
    assert contract.versions[1].fee == Money(250000, "EUR")


def test_a_version_from_today_on_is_too_early(write: Write) -> None:
    said = refusal(write, ("    fee: 2500.00\n", VERSION % "2026-11-22"))
    assert "versions[0].from: 2026-11-22 is not in the future" in said
    assert "write from: 2026-11-23 or later" in said


def test_the_open_period_accepts_its_own_days_and_no_earlier_ones(write: Write) -> None:
    assert loads(write, ("    fee: 2500.00\n", VERSION % "2026-11-02"), open_period=True)
    assert "2026-10-31" in refusal(write, ("    fee: 2500.00\n", VERSION % "2026-10-31"), open_period=True)
    assert "put 2500.00 EUR back" in refusal(write, ("fee: 2500.00", "fee: 2600.00"), open_period=True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("service: shop", "service: web", "services: was shop since 2026-01-01 and cannot change for time past"),
        ("from: 2026-01-01", "from: 2026-02-01", "from: 2026-02-01 moves a beginning that is past"),
        (
            "plan: gold\n",
            "plan: gold\n    until: 2026-11-20\n",
            "until: changes time that is past; write until: 2026-11-23",
        ),
        ("plan: gold\n", "plan: gold\n    paused: [2026-11-20/2026-11-22]\n", "paused: changes time that is past"),
        ("timezone: Europe/Berlin", "timezone: UTC", "timezone: was Europe/Berlin since 2026-01-01"),
    ],
)
def test_what_would_change_time_past_is_refused(write: Write, old: str, new: str, said: str) -> None:
    assert said in refusal(write, (old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("plan: gold\n", "plan: gold\n    until: 2026-12-01\n"),
        ("plan: gold\n", "plan: gold\n    paused: [2026-12-24/2026-12-27]\n"),
        ("plan: gold\n", "plan: gold\n    number: C-17\n"),
    ],
)
def test_what_changes_only_time_to_come_is_stored(write: Write, old: str, new: str) -> None:
    [found] = loads(write, (old, new))
    assert (found.kind, found.id) == ("contract", "acme-shop")


def test_a_contract_in_force_cannot_vanish(write: Write) -> None:
    contract = TEXT[TEXT.index("contracts:") : TEXT.index("maintenance:\n")]
    said = refusal(write, (contract, ""))
    assert "is in force since 2026-01-01 and no longer in the file" in said
    assert "end it with until: 2026-11-23" in said


def test_a_contract_that_has_ended_may_leave_the_file_and_not_a_day_earlier(write: Write) -> None:
    text = TEXT.replace("plan: gold\n", "plan: gold\n    until: 2026-11-22\n")
    first = {(d.kind, d.id): d for d in stored(changes(write(text=text), {}, at_ms=at(FIRST)))}
    without = text[: text.index("contracts:")] + text[text.index("maintenance:\n") :]
    [gone] = changes(write(text=without), first, at_ms=at("2026-11-22 00:00"))
    assert (gone.kind, gone.id, gone.body) == ("contract", "acme-shop", None)
    with pytest.raises(ConfigError, match="is in force since 2026-01-01 and no longer in the file"):
        changes(write(text=without), first, at_ms=at("2026-11-22 00:00") - 1)


def test_a_contract_that_has_not_begun_may_change_and_vanish(write: Write) -> None:
    text = TEXT.replace("from: 2026-01-01", "from: 2027-01-01")
    first = {(d.kind, d.id): d for d in stored(changes(write(text=text), {}, at_ms=at(FIRST)))}
    assert changes(write(("fee: 2500.00", "fee: 1.00"), text=text), first, at_ms=at(LATER))
    contract = text[text.index("contracts:") : text.index("maintenance:\n")]
    [gone] = changes(write((contract, ""), text=text), first, at_ms=at(LATER))
    assert gone.body is None


# Windows: what has begun stands.


def test_a_one_off_window_that_is_over_cannot_change_and_may_leave_the_file(write: Write) -> None:
    assert refusal(write, ("2026-11-20 02:00", "2026-11-20 01:00")).endswith(
        "maintenance.release: this window is over (it was 2026-11-20 02:00 until 04:00) and cannot be changed; "
        "put it back as it was, and write other work as an entry of its own"
    )
    assert loads(write, ('  release: {for: [web], start: 2026-11-20 02:00, until: "04:00"}\n', ""))[0].body is None


def test_a_one_off_window_that_has_begun_cannot_be_taken_back(write: Write) -> None:
    gone = ('  release: {for: [web], start: 2026-11-20 02:00, until: "04:00"}\n', "")
    assert "has begun (it was 2026-11-20 02:00 until 04:00) and cannot be taken back" in refusal(
        write, gone, on="2026-11-20 03:00"
    )


def test_a_one_off_window_still_to_come_may_move(write: Write) -> None:
    [moved] = loads(write, ("2026-11-20 02:00", "2026-11-21 02:00"), on="2026-11-19 12:00")
    assert (moved.body or {})["start"] == "2026-11-21 02:00:00"
