"""How the prober comes by what it is told to do: another process reads the config, and says it through a pipe."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon_rig import House, child, free_port, wait_for

from config.load import ConfigError, load
from nines.daemon import orders
from nines.daemon.orders import read_orders
from nines.daemon.orders_child import orders_of


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text("s3cret\n")
    path = tmp_path / "nines.yaml"
    path.write_text("""version: 1
secrets_dir: secrets
listen: {metrics: "127.0.0.1:8191"}
exec_allowed: [/usr/bin/true]
vantage: {references: ["192.0.2.1:53", "198.51.100.1:53"]}
rates: {per_host_per_s: 1, global_per_s: 1}
endpoints:
  shop: {url: "https://example.org/", bearer: "file:token", matches: ['v[0-9]+'], json: {$.status: ok}, interval: 1 s}
  twin: {url: "https://example.org/", bearer: "file:gone", interval: 1 s}
  name: {url: "dns://192.0.2.1/example.org", answers: [192.0.2.7]}
  disk: {command: [/usr/bin/true]}
  elsewhere: {url: "https://example.org/", locations: [far]}
""")
    return path


def test_what_is_said_is_what_the_config_means(config: Path) -> None:
    database = config.parent / "nines.db"
    said = read_orders(config, database)
    assert said == orders_of(load(config), database)
    assert [target.id for target in said.targets] == ["shop", "twin", "name", "disk"]
    assert said.targets[0].headers == (("Authorization", "Bearer s3cret"),)
    assert (
        said.targets[1].broken
        == f"file:gone cannot be read from {config.parent / 'secrets'}: No such file or directory"
    )
    assert said.hidden == (config.parent, config.parent / "nines.db.spool", config.parent / "secrets")
    assert len(said.notes) == 2


def test_all_that_is_wrong_is_said_as_ever(config: Path) -> None:
    config.write_text("version: 1\nendpoints: {shop: {url: 3, interval: 1 y}}\n")
    with pytest.raises(ConfigError) as known:
        load(config)
    with pytest.raises(ConfigError) as said:
        read_orders(config, config.parent / "nines.db")
    assert said.value.problems == known.value.problems


def test_a_reader_that_dies_or_is_of_another_version_is_no_config(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "VERSION", "0.1")
    with pytest.raises(ConfigError, match=r"nines\.yaml: it is read by nines .* and this is 0\.1; restart the daemon"):
        read_orders(config, config.parent / "nines.db")
    (config.parent / "sitecustomize.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(config.parent))
    with pytest.raises(ConfigError, match="the process that reads it ended with code 3"):
        read_orders(config, config.parent / "nines.db")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.close()


def test_the_prober_never_holds_what_reads_a_config(house: House) -> None:
    config = f'endpoints: {{shop: {{url: "tcp://127.0.0.1:{free_port()}", interval: 1 s}}}}\n'
    house.write(config)
    house.start()
    wait_for(lambda: "watching 1 endpoints" in house.log.read_text())
    probe = child(house, "probe")
    assert probe is not None
    house.write(config + "timezone: UTC\n")
    os.kill(probe, signal.SIGHUP)
    wait_for(lambda: "config applied: watching 1 endpoints" in house.log.read_text())
    house.write("endpoints: {shop: {url: 3}}\n")
    os.kill(probe, signal.SIGHUP)
    wait_for(lambda: "the config is bad, the old one stays in force: " in house.log.read_text())
    held = Path(f"/proc/{probe}/maps").read_text()
    assert "_ssl" in held
    assert "pydantic" not in held
    assert not Path(f"/proc/{probe}/task/{probe}/children").read_text()
    assert house.stop() == 0
    assert "nines.yaml:4 endpoints.shop.url: " in house.nines("child", "probe", expect=2).stderr
