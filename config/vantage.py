"""`vantage:` where the prober looks to know whether it can see at all."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Self

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from config import units
from config.problems import At
from config.typed import Frozen

AUTO, NONE = "auto", "none"
_EXAMPLE = "write e.g. references: [9.9.9.9:53, 193.0.14.129:53]"


def _references(value: object) -> tuple[str, ...]:
    """`host:port` each; an IPv6 address in brackets."""
    found = tuple(units.text_of(item) for item in units.listed(value))
    for text in found:
        match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})", text)
        if match is None or not 1 <= int(match[3]) <= 65_535:
            raise ValueError(f"{text!r} is no host and port; {_EXAMPLE}")
    return found


def _gateway(value: object) -> str:
    text = units.text_of(value)
    if text in (AUTO, NONE):
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no address; write auto, none or e.g. 192.0.2.1") from None


def _network(host: str) -> str:
    """The network that a host is taken to be on: its /24 or /48; a name is one of its own."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


class Vantage(Frozen):
    """Reference hosts, tried after a failure and before it is booked: all dead, and the failure is our own."""

    references: Annotated[
        tuple[str, ...],
        BeforeValidator(_references),
        WithJsonSchema({"type": "array", "items": {"type": "string"}, "examples": [["9.9.9.9:53"]]}),
    ] = ()
    gateway: Annotated[
        str, BeforeValidator(_gateway), WithJsonSchema({"type": "string", "examples": [AUTO, NONE, "192.0.2.1"]})
    ] = AUTO

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """(host, port) of each reference."""
        parts = [text.rpartition(":") for text in self.references]
        return tuple((host.strip("[]"), int(port)) for host, _, port in parts)

    @model_validator(mode="after")
    def _on_two_networks(self) -> Self:
        if self.references and len({_network(host) for host, _ in self.hosts}) < 2:
            raise At("references", f"are all on one network, whose loss would pass for our own; {_EXAMPLE}")
        return self
