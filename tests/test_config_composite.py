"""Services made of groups: what is written, what is stored, what is shown, and what they are up to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from config.bodies import definitions_of
from config.composite import as_json, rule_of
from config.composition import composition_of
from config.load import load
from config.model import Config
from config.problems import At
from config.schema import json_schema
from config.show import show_lines
from sla.compose import described, held
from sla.facts import All, Any_, AtLeast, Definition, Expression, Member
from sla.spans import Spans

WRITTEN = """
version: 1
endpoints:
  web: {url: "https://example.org/"}
  a: {url: "https://a.example.org/"}
  b: {url: "https://b.example.org/"}
  c: {url: "https://c.example.org/"}
services:
  shop:
    name: Shop
    all:
      - web
      - at least 2 of: [a, b, c]
      - any: [a, {all: [b, c]}]
"""
SHOP = All(
    (
        Member("web"),
        AtLeast(2, (Member("a"), Member("b"), Member("c"))),
        Any_((Member("a"), All((Member("b"), Member("c"))))),
    )
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "nines.yaml").write_text(WRITTEN)
    return load(tmp_path / "nines.yaml")


def test_groups_in_groups_are_read_as_written(config: Config) -> None:
    assert config.services["shop"].rule == SHOP


def test_a_stored_composition_reads_back_the_same(config: Config) -> None:
    stored = {id: body for kind, id, body in definitions_of(config) if kind == "service"}
    made_of = composition_of("shop", [Definition("service", "shop", 7, stored["shop"])])
    assert (made_of.name, made_of.dated) == ("Shop", ((0, SHOP),))
    assert made_of.endpoints == ("web", "a", "b", "c")


@pytest.mark.parametrize("first", ["web", "{any: [a, b]}", "{all: [{any: [a, {at least 2 of: [a, b, c]}]}, c]}"])
def test_a_shown_composition_loads_again(tmp_path: Path, first: str) -> None:
    (tmp_path / "nines.yaml").write_text(WRITTEN.replace("      - web\n", f"      - {first}\n"))
    written = load(tmp_path / "nines.yaml")
    (tmp_path / "again.yaml").write_text("\n".join(show_lines(written)))
    assert load(tmp_path / "again.yaml").services == written.services


def test_editors_know_the_three_rules_in_a_service_and_in_its_groups() -> None:
    definitions = json_schema()["$defs"]
    for name in ("Service", "Group"):
        assert {"all", "any"} <= set(definitions[name]["properties"])
        [some] = definitions[name]["patternProperties"]
        assert re.search(some, "at least 2 of")
        assert not re.search(some, "at least some of")
        assert definitions[name]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("down", "works"),
    [("", True), ("a", True), ("ab", False), ("bc", False), ("b", True), ("web", False), ("c", True)],
)
def test_the_shop_works_when_its_parts_do(down: str, works: bool) -> None:
    up = Spans.of([(0, 1)])
    broken = {"web"} if down == "web" else set(down)
    assert bool(held(SHOP, lambda name: Spans.of([]) if name in broken else up, "works")) is works


def test_a_composition_is_told_in_words() -> None:
    assert described(SHOP.members[1]) == "3 endpoints, at least 2 up"
    assert described(SHOP).startswith("3 groups, all up: 1 endpoint; 3 endpoints, at least 2 up; ")


@pytest.mark.parametrize("rule", [SHOP, Any_((Member("a"),)), AtLeast(1, (Member("a"), SHOP))])
def test_every_rule_survives_its_stored_form(rule: Expression) -> None:
    assert rule_of(as_json(rule)) == rule


def test_groups_nested_too_deep_are_refused() -> None:
    value: Any = "a"
    for _ in range(9):
        value = {"all": [value]}
    with pytest.raises(At, match="at most 8 deep"):
        rule_of(value)
