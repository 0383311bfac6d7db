"""Where alerts go: mail by SMTP, or a signed webhook."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.kinds import url_text
from config.problems import At
from config.secret import Secret
from config.typed import Flag, Frozen, Id, Plain, SecretOnly, SecretOrText, Whole


def address(value: object) -> str:
    """One plain mail address."""
    text = units.text_of(value)
    if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", text):
        raise ValueError(f"{text!r} is no mail address; write e.g. operations@example.org")
    return text


def _addresses(value: object) -> tuple[str, ...]:
    found = tuple(address(item) for item in units.listed(value))
    if not found:
        raise ValueError("names nobody; write e.g. [operations@example.org]")
    return found


def _webhook_url(found: Secret) -> Secret:
    if not found.is_reference:
        url_text(found.reference)
        if not found.reference.startswith(("http://", "https://")):
            raise ValueError(f"{found.reference!r} is no web address; write e.g. https://hooks.example.org/nines")
    return found


class Mail(Frozen):
    """Delivery by SMTP. `starttls` asks for encryption after the greeting, `tls` from the first byte."""

    host: Plain
    port: Whole = 25
    sender: Annotated[str, BeforeValidator(address), WithJsonSchema({"type": "string"})] = Field(alias="from")
    to: Annotated[tuple[str, ...], BeforeValidator(_addresses), WithJsonSchema({"type": ["string", "array"]})]
    starttls: Flag = False
    tls: Flag = False
    username: SecretOrText | None = None
    password: SecretOnly | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not 1 <= self.port <= 65_535:
            raise At("port", f"{self.port} is no port; write e.g. 587")
        if self.tls and self.starttls:
            raise At("starttls", "stands beside tls; write starttls: true (port 587) or tls: true (port 465)")
        if (self.username is None) != (self.password is None):
            raise ValueError("has a username or a password alone; write both or neither")
        return self


class Webhook(Frozen):
    """Delivery by POST. With `secret` each request is signed."""

    url: Annotated[SecretOrText, AfterValidator(_webhook_url)]
    secret: SecretOnly | None = None


class Alert(Frozen):
    """One channel: exactly one of `mail` and `webhook`."""

    id: SkipJsonSchema[Id] = ""
    mail: Mail | None = None
    webhook: Webhook | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.mail is None) == (self.webhook is None):
            raise ValueError("is not one channel; write mail: {host, from, to} or webhook: {url, secret}")
        return self
