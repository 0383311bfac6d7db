"""Endpoints of every kind as they are written, and what a tenant may not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.answers import json_path
from config.definitions import definitions_of, endpoint_of
from config.endpoint import Endpoint
from config.load import ConfigError, load


def endpoint(**written: object) -> Endpoint:
    return Endpoint.model_validate({"id": "it", **written})


@pytest.mark.parametrize(
    ("written", "kind", "host", "port"),
    [
        ({"url": "dns://9.9.9.9/example.org"}, "dns", "9.9.9.9", 53),
        ({"url": "dns://[2620:fe::fe]:5353/_sip._tcp.example.org"}, "dns", "2620:fe::fe", 5353),
        ({"url": "dns:///example.org"}, "dns", "", 53),
        ({"url": "icmp://router.example.org"}, "icmp", "router.example.org", 0),
        ({"command": ["/bin/true"]}, "exec", "", 0),
        ({"command": "/bin/true"}, "exec", "", 0),
    ],
    ids=str,
)
def test_each_kind_is_known_by_its_url(written: dict[str, object], kind: str, host: str, port: int) -> None:
    found = endpoint(**written)
    assert (found.kind, found.host, found.port) == (kind, host, port)
    assert endpoint_of("it", found.model_dump(mode="json", exclude={"id"})) == found


def test_a_heartbeat_of_a_short_interval_has_no_timeout_and_one_on_record_that_has_is_still_read() -> None:
    job = endpoint(heartbeat=f"sha256:{'0' * 64}", interval="5 s")
    body = job.model_dump(mode="json", exclude={"id"})
    assert endpoint_of("it", body | {"timeout_ms": 5_000}) == job


def test_a_name_of_another_script_is_asked_for_in_its_ascii_form() -> None:
    assert endpoint(url="dns://9.9.9.9/bücher.example").asked_name == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "steps"),
    [("$", ()), ("$.a.b-c", ("a", "b-c")), ("$[0][12]", (0, 12)), ('$["a b"].c[1]', ("a b", "c", 1))],
    ids=str,
)
def test_a_path_becomes_its_steps(text: str, steps: tuple[str | int, ...]) -> None:
    assert json_path(text) == steps


@pytest.mark.parametrize("text", ["", "a", "$a", "$.", "$..a", "$[-1]", "$[a]", "$.a ", "$.*", '$["a'])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no path; write e\.g\."):
        json_path(text)


def test_whom_to_ask_is_told_to_servers_and_is_no_part_of_a_definition(tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(
        "version: 1\ncontact: me@example.org\nendpoints: {a: {url: http://a.example}}\n"
    )
    config = load(tmp_path / "nines.yaml")
    assert config.endpoints["a"].contact == "me@example.org"
    assert ["contact" in body for kind, _, body in definitions_of(config) if kind == "endpoint"] == [False]


TENANTS = {
    "command": ("{command: [/bin/true]}", "a tenant's file runs no program"),
    "bearer": ("{url: https://a.example, bearer: file:token}", "a tenant's file reads no secrets"),
    "password": ("{url: https://a.example, username: me, password: file:p}", "a tenant's file reads no secrets"),
    "certificate": ("{url: https://a.example, client_certificate: file:c}", "a tenant's file reads no secrets"),
    "name server": ("{url: https://a.example, resolver: 10.0.0.1}", "a tenant's file names no private address"),
    "dns": ("{url: dns://10.0.0.1/a.example}", "a tenant's file names no private address"),
    "icmp": ("{url: icmp://192.168.0.1}", "a tenant's file names no private address"),
}


@pytest.mark.parametrize("row", TENANTS, ids=str)
def test_a_tenant_may_not(row: str, tmp_path: Path) -> None:
    written, told = TENANTS[row]
    (tmp_path / "nines.yaml").write_text(
        "version: 1\nexec_allowed: [/bin/true]\nsecrets_dir: .\ninclude: {path: tenants, trust: tenant}\n"
    )
    (tmp_path / "nines.yaml").chmod(0o600)
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/a.yaml").write_text(f"endpoints:\n  a: {written}\n")
    with pytest.raises(ConfigError, match=told):
        load(tmp_path / "nines.yaml")


def test_programs_are_allowed_by_the_main_file_alone_and_only_while_nobody_else_writes_it(tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(
        "version: 1\nexec_allowed: [/bin/true]\nendpoints: {a: {command: /bin/true}}\n"
    )
    (tmp_path / "nines.yaml").chmod(0o600)
    assert load(tmp_path / "nines.yaml").endpoints["a"].command == ("/bin/true",)
    (tmp_path / "nines.yaml").chmod(0o666)
    with pytest.raises(ConfigError, match="others may write this file"):
        load(tmp_path / "nines.yaml")
