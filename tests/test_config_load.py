"""Loading: text stays exact, examples load, ten thousand endpoints load, and what is shown loads again."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from config.contract import Contract
from config.endpoint import Endpoint
from config.load import ConfigError, load
from config.places import config_place, database_place, secrets_place
from config.schema import json_schema
from config.show import show_lines, shown
from config.starter import example, starter
from config.terms import chain_of, inherited
from config.units import duration_ms, duration_text, statuses, statuses_text
from config.yaml_source import parse

EXAMPLES = Path(__file__).parents[1] / "config" / "examples"


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], object]:
    def loaded(text: str) -> object:
        (tmp_path / "nines.yaml").write_text(text)
        return load(tmp_path / "nines.yaml")

    return loaded


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_loads(path: Path) -> None:
    assert load(path).endpoints


@pytest.mark.parametrize("url", [None, "https://www.example.org/health?a=1", "tcp://10.0.0.1:5432", "https://[::1]/"])
def test_the_starter_loads_as_it_is(tmp_path: Path, url: str | None) -> None:
    (tmp_path / "nines.yaml").write_text(starter(url))
    [endpoint] = load(tmp_path / "nines.yaml").endpoints.values()
    assert endpoint.url == (url or "https://example.org/")


def test_the_starters_comments_are_right_too(tmp_path: Path) -> None:
    text = starter("https://example.org")
    parts = [line.removeprefix("# ") for line in text[text.index("# services:") :].splitlines()]
    (tmp_path / "nines.yaml").write_text(text[: text.index("# services:")] + "\n".join(parts) + "\n")
    config = load(tmp_path / "nines.yaml")
    assert config.contracts
    assert config.maintenance
    assert config.alerts


def test_the_starter_refuses_a_url_that_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match=r"is no URL that can be checked; write e\.g\. https"):
        starter("gopher://example.org")


def test_the_printed_example_is_the_full_one() -> None:
    assert example() == (EXAMPLES / "full.yaml").read_text()


def test_only_a_url_is_needed() -> None:
    endpoint = Endpoint(id="web", url="https://example.org")
    assert (endpoint.name, endpoint.kind, endpoint.interval_ms, endpoint.timeout_ms) == ("web", "http", 60_000, 10_000)
    assert (endpoint.confirm, endpoint.recover, endpoint.location) == (2, 1, "local")
    assert endpoint.judge_method().reach_ms == 130_000
    assert Endpoint(id="c", url="tls://example.org").confirm == 1
    assert Endpoint(id="c", url="tls://example.org").port == 443
    assert Endpoint(id="b", url="http://example.org", interval_ms=2_000).timeout_ms == 2_000


def test_numbers_stay_as_they_were_written() -> None:
    value = parse("a: 99.90\nb: no\nc: 12:30:00\nd: 0x1f\ne: ~\nf: ''\ng: [010, 1e3]\n", "x").value
    assert value == {"a": "99.90", "b": "no", "c": "12:30:00", "d": "0x1f", "e": None, "f": "", "g": ["010", "1e3"]}


def test_every_value_knows_its_line() -> None:
    source = parse("a:\n  b: 1\n  c:\n    - x\n    - y: 2\n", "x")
    assert source.lines[("a", "b")] == 2
    assert source.lines[("a", "c", 1, "y")] == 5


@pytest.mark.parametrize(
    ("text", "ms"), [("60 s", 60_000), ("1 min", 60_000), ("2h", 7_200_000), ("1 h 30 min", 5_400_000), ("1.5 s", 1500)]
)
def test_durations_are_read_with_their_unit(text: str, ms: int) -> None:
    assert duration_ms(text) == ms
    assert duration_ms(duration_text(ms)) == ms


@pytest.mark.parametrize("text", ["60", "-5 s", "5 parsecs", "s", "", "1 s 2", "0.5 ms", "5 s -"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write e\.g\. "):
        duration_ms(text)


def test_statuses_are_ranges_and_lists() -> None:
    assert statuses_text(statuses(["200-202", "301", "404, 410"])) == "200-202, 301, 404, 410"


def test_versions_inherit_key_by_key_and_replace_tables_whole() -> None:
    contract = Contract.model_validate(
        {
            "id": "a",
            "client": "c",
            "service": "s",
            "from": "2026-01-01",
            "target": "99.9",
            "credits": {"< 99.9": "10 %", "< 99": "20 %"},
            "measure": {"unknown": "down", "min_coverage": "90 %"},
            "versions": [{"from": "2026-06-01", "credits": {"< 99.9": "5 %"}, "measure": {"min_coverage": "80 %"}}],
        }
    )
    first, second = (inherited(chain) for chain in chain_of(contract, None, at=("contracts", "a")))
    assert (len(first["credits"][0].rows), len(second["credits"][0].rows)) == (2, 1)
    assert first["measure"] | {"min_coverage": Decimal(80)} == second["measure"]
    assert second["target"] == Decimal("99.9")


def test_what_is_shown_loads_again_and_says_the_same(tmp_path: Path) -> None:
    config = load(EXAMPLES / "full.yaml")
    for full in (False, True):
        (tmp_path / "nines.yaml").write_text("\n".join(show_lines(config, full=full)) + "\n")
        again = load(tmp_path / "nines.yaml")
        assert shown(again, full=True) == shown(config, full=True)


def test_full_shows_every_option_of_every_version() -> None:
    versions = shown(load(EXAMPLES / "full.yaml"), full=True)["contracts"]["acme-core"]["versions"]
    assert [version["target"] for version in versions] == ["99.9", "99.95"]
    assert versions[0]["measure"] == {
        "by": "time",
        "unknown": "exclude",
        "min_coverage": "95",
        "outage_start": "first_failure",
        "min_outage": "none",
        "min_outage_before_exclusions": False,
        "merge_gap": "0 s",
        "bucket": "exact",
        "bad": ">= 100 %",
        "min_run": 1,
        "degraded": "up",
        "service_hours": "always",
        "before_first_check": "unknown",
        "compare": "exact",
        "digits": 3,
        "quorum_of": "all",
    }
    assert versions[1]["maintenance"] == {"effect": "exclude", "notice": "72 h", "allowed": "none", "cap": "none"}


def test_a_header_written_out_is_masked(tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(
        'version: 1\nendpoints:\n  web: {url: "https://example.org/", headers: {X-Tenant: "internal-17"}}\n'
    )
    assert "internal-17" not in "\n".join(show_lines(load(tmp_path / "nines.yaml"), full=True))


def test_the_schema_knows_every_key_and_refuses_others() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {
        *("version", "issuer", "timezone", "listen", "contact", "rates", "secrets_dir", "allow_private", "include"),
        *("vantage", "journal", "retention", "exec_allowed", "endpoints", "services", "clients", "plans"),
        *("contracts", "maintenance", "alerts"),
    }
    endpoint = schema["$defs"]["Endpoint"]
    assert endpoint["additionalProperties"] is False
    assert endpoint["required"] == []
    assert endpoint["anyOf"] == [{"required": ["url"]}, {"required": ["command"]}]
    assert {"interval", "max_latency", "expires_in", "max_body"} <= set(endpoint["properties"])
    assert not {"id", "tenant", "location", "allow_private", "interval_ms"} & set(endpoint["properties"])


def test_ten_thousand_endpoints_load(tmp_path: Path) -> None:
    lines = (
        f'  e{n}: {{url: "https://h{n}.example.org/", interval: 60 s, status: [200, 204]}}\n' for n in range(10_000)
    )
    (tmp_path / "nines.yaml").write_text("version: 1\nendpoints:\n" + "".join(lines))
    assert len(load(tmp_path / "nines.yaml").endpoints) == 10_000


def test_two_thousand_mistakes_are_all_reported(tmp_path: Path) -> None:
    lines = (f'  e{n}: {{url: "https://h{n}.example.org/", interval: 60}}\n' for n in range(2_000))
    (tmp_path / "nines.yaml").write_text("version: 1\nendpoints:\n" + "".join(lines))
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "nines.yaml")
    assert [problem.line for problem in refused.value.problems] == list(range(3, 2_003))


def test_places_are_options_then_environment_then_defaults(tmp_path: Path) -> None:
    assert config_place("a.yaml", {"NINES_CONFIG": "b.yaml"}, tmp_path) == Path("a.yaml")
    assert config_place(None, {"NINES_CONFIG": "b.yaml"}, tmp_path) == Path("b.yaml")
    assert database_place("x.db", {"NINES_DB": "y.db"}, tmp_path) == "x.db"
    assert database_place(None, {"NINES_DB": "y.db"}, tmp_path) == "y.db"
    assert database_place(None, {}, tmp_path) == "/var/lib/nines/nines.db"
    (tmp_path / "nines.yaml").write_text(starter())
    assert config_place(None, {}, tmp_path) == Path("nines.yaml")
    assert database_place(None, {}, tmp_path) == "nines.db"
    assert secrets_place(None, {"CREDENTIALS_DIRECTORY": "/run/c"}) == Path("/run/c")
    assert secrets_place("s", {"CREDENTIALS_DIRECTORY": "/run/c"}) == Path("s")
    assert secrets_place(None, {}) is None


def test_the_digest_is_of_what_was_loaded(tmp_path: Path) -> None:
    path = tmp_path / "nines.yaml"
    path.write_text(starter())
    before = load(path).sources.sha256
    assert load(path).sources.sha256 == before
    path.write_text(starter() + "# changed\n")
    assert load(path).sources.sha256 != before
