"""The reference of nines.yaml names every key, and its example loads."""

import itertools
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.alert import Mail, Webhook
from config.calc import parse_calc
from config.contract import Contract, Version
from config.endpoint import Endpoint
from config.load import load
from config.measure import ExclusionTerms, Measure, WindowTerms
from config.model import Client, Config, Include, Issuer, Listen, Rates, Service
from config.reading import keys_of
from config.retention import Retention
from config.window import Maintenance
from sla.build import build_statement

README = (Path(__file__).parents[1] / "config" / "README.md").read_text(encoding="utf-8")
MODELS = (Config, Issuer, Listen, Rates, Retention, Include, Endpoint, Service, Client, Contract, Version)
MORE = (Measure, WindowTerms, ExclusionTerms, Maintenance, Mail, Webhook)


@pytest.mark.parametrize("model", [*MODELS, *MORE], ids=lambda model: model.__name__)
def test_every_key_has_its_row(model: type[BaseModel]) -> None:
    rows = {
        key
        for line in README.splitlines()
        if line.startswith("|")
        for key in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    assert set(keys_of(model)) <= rows


def test_the_examples_of_the_reference_load(tmp_path: Path) -> None:
    for number, block in enumerate(re.findall(r"```yaml\n(version: .*?)```", README, re.DOTALL)):
        (tmp_path / f"{number}.yaml").write_text(block)
        assert load(tmp_path / f"{number}.yaml").contracts


def rows_below(heading: str) -> list[list[str]]:
    """The cells of the first table after a line that begins so."""
    after = README.split(f"\n{heading}", 1)[1].splitlines()
    start = next(number for number, line in enumerate(after) if line.startswith("|---"))
    return [
        line.strip("| ").split(" | ") for line in itertools.takewhile(lambda line: line[:1] == "|", after[start + 1 :])
    ]


def loads(folder: Path, terms: str) -> bool:
    """Whether a contract with these terms, in place of a target, a fee and tiers, is good."""
    held = {"target": "99.9", "fee": "9.00 EUR", "credits": "{< 99.95: 10 %}"}
    usual = "".join(f"{key}: {value}, " for key, value in held.items() if f"{key}: " not in terms)
    entry = f"contracts: {{x: {{client: c, service: s, from: 2026-01-01, {usual}{terms}}}}}"
    plans = "plans: {gold: {target: 99.9}}"
    top = (
        "version: 1\ntimezone: UTC\nclients: {c: {name: C, currency: EUR}}\nendpoints: {s: {url: https://example.org}}"
    )
    (folder / "nines.yaml").write_text(f"{top}\n{plans}\n{entry}\n")
    return bool(load(folder / "nines.yaml").contracts)


TABLES = {
    "The terms:": "{}",
    "| key of `measure`": "measure: {{{}}}",
    "| key of a contract's `maintenance`": "maintenance: {{{}}}",
    "| key of `exclusions`": "exclusions: {{{}}}",
    "| key of `fee`": "{}",
    "| key of `claim`": "claim: {{by: request, {}}}",
    "| rule | what it pays": "credits: [{}]",
}


@pytest.mark.parametrize("heading", TABLES)
def test_every_example_of_a_contracts_key_loads(heading: str, tmp_path: Path) -> None:
    for row in rows_below(heading):
        for example in re.findall(r"`([^`]+)`", row[-1]):
            written = example.removeprefix("by: request") if heading.endswith("`claim`") else example
            assert loads(tmp_path, TABLES[heading].format(written)), example


@pytest.mark.parametrize(("heading", "key"), [("### Units of pay", "credits: {{< 99.9: {}}}"), ("### Caps", "cap: {}")])
def test_every_unit_of_pay_and_every_cap_loads(heading: str, key: str, tmp_path: Path) -> None:
    for row in rows_below(heading):
        for example in re.findall(r"`([^`]+)`", row[0]):
            assert loads(tmp_path, key.format(example.replace("NAME", "pot"))), example


def test_the_wordings_of_contracts_load_as_the_reference_writes_them(tmp_path: Path) -> None:
    rows = rows_below("### As contracts say it")
    assert len(rows) >= 12
    for _, written in rows:
        terms = written.strip("`")
        assert loads(tmp_path, terms[1:-1] if terms.startswith("{") else terms), written


def test_the_facts_of_the_reference_are_read_by_calc() -> None:
    block = next(block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block.startswith("period:"))
    examples = [row[-1].strip("`") for row in rows_below("| key of the facts")]
    contract = "x: {from: 2026-01-01, target: 99.9, fee: 9.00 EUR, credits: {< 99.9: 10 %}}"
    text = "\n".join([block.replace("down:", "unknown:"), *examples])
    given = parse_calc(text, "facts.yaml", contract_text=contract, contract_name="x.yaml")
    assert len(examples) == 5
    assert build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms).services


def test_endpoint_rows_state_the_defaults_in_force() -> None:
    for key, info in ((info.alias or name, info) for name, info in Endpoint.model_fields.items()):
        row = next((line for line in README.splitlines() if line.startswith(f"| `{key}`")), "")
        if isinstance(info.default, int) and not isinstance(info.default, bool) and key in ("confirm", "recover"):
            assert f"`{info.default}`" in row
