"""The typed config: frozen values, what the rest of nines sees of nines.yaml."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import composite, units
from config.alert import Alert
from config.answers import Programs
from config.contract import Contract, Currency, Plan
from config.endpoint import Endpoint
from config.problems import At
from config.reading import Sources
from config.retention import Retention
from config.typed import Flag, Frozen, Id, Networks, Plain, Size, Whole, Words, Zone
from config.vantage import Vantage
from config.window import Maintenance
from sla.facts import Expression


def _listen(value: object) -> str:
    """`127.0.0.1:8090`, `[::1]:8090`."""
    text = units.text_of(value)
    match = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", text)
    if match is None or int(match[1]) > 65_535:
        raise ValueError(f"{text!r} is no address to listen on; write e.g. 127.0.0.1:8090")
    return text


class Issuer(Frozen):
    """Who issues statements."""

    legal_entity: Words | None = None
    four_eyes: Flag = Field(True, description="false: a firm of one; journalled and printed on every statement")


def _listen_or_off(value: object) -> str:
    """An address, or `off`."""
    return "off" if units.text_of(value) == "off" else _listen(value)


class Listen(Frozen):
    """Where pages and metrics are served, and heartbeats are heard."""

    web: Annotated[str, BeforeValidator(_listen), WithJsonSchema({"type": "string"})] = "127.0.0.1:8090"
    metrics: Annotated[str, BeforeValidator(_listen_or_off), WithJsonSchema({"type": "string"})] = "127.0.0.1:8091"
    push: Annotated[str, BeforeValidator(_listen_or_off), WithJsonSchema({"type": "string"})] = "127.0.0.1:8092"

    @property
    def host(self) -> str:
        return _split(self.web)[0]

    @property
    def port(self) -> int:
        return _split(self.web)[1]

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """(host, port); None where it is off."""
        return None if self.metrics == "off" else _split(self.metrics)

    @property
    def push_address(self) -> tuple[str, int] | None:
        """(host, port) on which heartbeats are heard; None where it is off."""
        return None if self.push == "off" else _split(self.push)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class Spool(Frozen):
    """Where observations wait while the database cannot be written, and how much of them."""

    path: Plain | None = Field(None, description="a folder; default: the database's path and .spool")
    size_bytes: Size = Field(32 * 2**20, alias="size", description="given to it when the daemon starts")

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        if not 2**20 <= self.size_bytes <= 2**34:
            raise At("size", f"{units.size_text(self.size_bytes)} is not between 1 MiB and 16 GiB; write e.g. 32 MiB")
        return self


class Rates(Frozen):
    """Safety limits of probing: attempts started per second."""

    per_host_per_s: Whole = 10
    global_per_s: Whole = 200

    @model_validator(mode="after")
    def _positive(self) -> Self:
        for key in ("per_host_per_s", "global_per_s"):
            if not 1 <= getattr(self, key) <= 100_000:
                raise At(key, f"{getattr(self, key)} is not between 1 and 100000; write e.g. 10")
        return self


class Journal(Frozen):
    """Where the head of the journal is written once a day, out of reach of whoever owns the database."""

    anchor: Plain | None = Field(None, description="a file that grows by one line, or syslog")


class Include(Frozen):
    """More files: a file, or a folder merged in name order, from the main file's folder."""

    path: Plain
    trust: Annotated[
        Literal["operator", "tenant"],
        BeforeValidator(lambda value: units.one_of(value, ("operator", "tenant"))),
        WithJsonSchema({"type": "string", "enum": ["operator", "tenant"]}),
    ] = "operator"


class Client(Frozen):
    """A client firm, and the defaults of its contracts."""

    id: SkipJsonSchema[Id] = ""
    name: Words = ""
    timezone: Zone | None = None
    currency: Currency | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: object) -> object:
        return {**data, "name": data.get("name") or data.get("id")} if isinstance(data, dict) else data


class Service(Frozen):
    """What clients buy, and how it is made of endpoints: `all`, `any` or `at least K of`, nested as need be."""

    OURS: ClassVar = ("id", "rule")
    MORE: ClassVar = composite.KEYS
    id: SkipJsonSchema[Id] = ""
    name: Words = ""
    rule: SkipJsonSchema[Annotated[Expression, BeforeValidator(composite.rule_of), PlainSerializer(composite.as_json)]]

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        rules = {key: value for key, value in data.items() if composite.is_rule(key)}
        rest = {key: value for key, value in data.items() if key not in rules}
        rule = rest.pop("rule", None) or composite.rule_of(rules)
        return {**rest, "name": data.get("name") or data.get("id"), "rule": rule}


class Settings(Frozen):
    """The top-level keys that are no definitions."""

    version: Annotated[
        int, BeforeValidator(lambda value: _version(value)), WithJsonSchema({"type": "integer", "const": 1})
    ]
    issuer: Issuer = Issuer()
    timezone: Zone | None = None
    listen: Listen = Listen()
    spool: Spool = Spool()
    contact: Plain | None = None
    rates: Rates = Rates()
    vantage: Vantage = Vantage()
    retention: Retention = Retention()
    journal: Journal = Journal()
    secrets_dir: Plain | None = None
    allow_private: Networks = ()
    exec_allowed: Programs = ()
    include: tuple[Include, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_include(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("include"), dict):
            return {**data, "include": [data["include"]]}
        return data


def _version(value: object) -> int:
    if units.whole(value) != 1:
        raise ValueError(f"{value} is not known to this nines; write version: 1")
    return 1


class Config(Settings):
    """Everything that was read, cross-checked. Definitions are keyed by their id, in the order written."""

    OURS: ClassVar = ("sources",)

    endpoints: dict[Id, Endpoint] = Field(default_factory=dict)
    services: dict[Id, Service] = Field(default_factory=dict)
    clients: dict[Id, Client] = Field(default_factory=dict)
    plans: dict[Id, Plan] = Field(default_factory=dict)
    contracts: dict[Id, Contract] = Field(default_factory=dict)
    maintenance: dict[Id, Maintenance] = Field(default_factory=dict)
    alerts: dict[Id, Alert] = Field(default_factory=dict)
    sources: SkipJsonSchema[Sources] = Field(default_factory=lambda: Sources("nines.yaml"), exclude=True, repr=False)

    def zone_of(self, contract: Contract) -> str | None:
        """The contract's zone: its own, its client's, or the file's."""
        client = self.clients.get(contract.client)
        return contract.timezone or (client.timezone if client else None) or self.timezone

    def currency_of(self, contract: Contract) -> str | None:
        client = self.clients.get(contract.client)
        return contract.currency or (client.currency if client else None)
