"""What an endpoint of the config becomes before it is probed."""

from __future__ import annotations

import ipaddress

from config.endpoint import Endpoint
from config.secret import Secret
from probes.endpoint import target_of
from probes.target import Target


def target(**settings: object) -> Target:
    endpoint = Endpoint.model_validate({"id": "it", "url": "https://example.org/", **settings})
    return target_of(endpoint, reveal)


def reveal(secret: Secret) -> str:
    return secret.reveal(None, {"NINES_SECRET_API": "s3cret"})


def test_the_scheme_says_the_kind_and_the_port() -> None:
    for url, kind, port in [
        ("https://example.org/health", "http", 443),
        ("http://example.org", "http", 80),
        ("http://example.org:8080", "http", 8080),
        ("tcp://example.org:5432", "tcp", 5432),
        ("tls://example.org", "certificate", 443),
    ]:
        found = target(url=url)
        assert (found.kind, found.host, found.port) == (kind, "example.org", port)


def test_a_name_of_another_script_is_asked_for_in_its_ascii_form() -> None:
    assert target(url="https://bücher.example/").host == "xn--bcher-kva.example"


def test_secrets_are_revealed_once_when_the_endpoint_is_taken_up() -> None:
    found = target(headers={"Authorization": "Bearer ${NINES_SECRET_API}", "Accept": "text/plain"})
    assert dict(found.headers) == {"Authorization": "Bearer s3cret", "Accept": "text/plain"}
    assert found.broken is None


def test_a_secret_that_is_not_there_breaks_the_target_and_says_which() -> None:
    found = target(headers={"Authorization": "Bearer ${NINES_SECRET_GONE}"})
    assert found.broken == "${NINES_SECRET_GONE} is not set in the environment"
    assert found.headers == ()


def test_an_endpoint_of_ours_may_be_anywhere_and_a_tenants_only_in_public() -> None:
    ours = Endpoint.model_validate({"id": "it", "url": "https://example.org/"})
    assert not target_of(ours, reveal).rule.public_only
    tenants = ours.model_copy(update={"tenant": True, "allow_private": ("10.0.0.0/8",)})
    rule = target_of(tenants, reveal).rule
    assert rule.public_only
    assert rule.allowed == (ipaddress.ip_network("10.0.0.0/8"),)
