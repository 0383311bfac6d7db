"""The reference of nines.yaml names every key, and its example loads."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.alert import Mail, Webhook
from config.contract import Contract, Version
from config.endpoint import Endpoint
from config.load import load
from config.measure import ExclusionTerms, Measure, WindowTerms
from config.model import Client, Config, Include, Issuer, Listen, Rates, Service
from config.reading import keys_of
from config.window import Maintenance

README = (Path(__file__).parents[1] / "config" / "README.md").read_text(encoding="utf-8")
MODELS = (Config, Issuer, Listen, Rates, Include, Endpoint, Service, Client, Contract, Version)
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
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)):
        (tmp_path / f"{number}.yaml").write_text(block)
        assert load(tmp_path / f"{number}.yaml").contracts


def test_endpoint_rows_state_the_defaults_in_force() -> None:
    for key, info in ((info.alias or name, info) for name, info in Endpoint.model_fields.items()):
        row = next((line for line in README.splitlines() if line.startswith(f"| `{key}`")), "")
        if isinstance(info.default, int) and not isinstance(info.default, bool) and key in ("confirm", "recover"):
            assert f"`{info.default}`" in row
