"""One endpoint: what is asked, how often, and which answers are good."""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.problems import At
from config.typed import (
    Duration,
    Flag,
    Frozen,
    Id,
    Ids,
    Networks,
    Plain,
    SecretOrText,
    Size,
    Statuses,
    Texts,
    Whole,
    Words,
)
from sla.judge import Method

Kind = Literal["http", "tcp", "certificate"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_KINDS: dict[str, Kind] = {"http": "http", "https": "http", "tcp": "tcp", "tls": "certificate"}
_PORTS = {"http": 80, "https": 443, "tls": 443}
_EXAMPLE = "write e.g. https://example.org/health, tcp://db.example.org:5432 or tls://example.org:443"
_SENSITIVE = re.compile(r"authorization|cookie|token|secret|api-?key", re.IGNORECASE)
_HTTP_ONLY = (
    *("method", "headers", "body", "status", "contains", "not_contains"),
    *("max_latency_ms", "follow_redirects", "max_body_bytes"),
)


def url_text(value: object) -> str:
    """A URL of a kind that is known, with a host that can exist and no credentials in it."""
    text = units.text_of(value)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no URL ({error}); {_EXAMPLE}") from None
    if parts.scheme not in _KINDS or not parts.netloc:
        raise ValueError(f"{text!r} is no URL that can be checked; {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password; write a header Authorization: ${NINES_SECRET_NAME}")
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(f"{text!r} holds a space or a control character; write %20 for a space")
    _check_host(parts)
    if port == 0 or (parts.scheme == "tcp" and port is None):
        raise ValueError(f"{text!r} names no port; write e.g. tcp://{parts.hostname}:5432")
    return text


def _check_host(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if _literal_address(host) is not None:
        return
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    labels = ascii_host.removesuffix(".").split(".")
    good = all(re.fullmatch(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", label) for label in labels)
    if not good or len(ascii_host) > 253 or ":" in host:
        raise ValueError(f"{host!r} is no host name; {_EXAMPLE}")


def _literal_address(host: str) -> object | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _headers(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("is no mapping; write e.g. {Accept: application/json}")
    for name, content in value.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise At(name, f"{name!r} is no header name; write e.g. Accept")
        if isinstance(content, str) and re.search(r"[\r\n\x00]", content):
            raise At(name, "holds a line break; a header is one line")
        if isinstance(content, str) and _SENSITIVE.search(name) and "${" not in content and content[:5] != "file:":
            raise At(name, "is a secret; write file:NAME or ${NINES_SECRET_NAME}, alone or as `Bearer ${...}`")
    return value


def _redirects(value: object) -> int:
    if value in ("true", "false"):
        return 5 if value == "true" else 0
    found = units.whole(value)
    if found > 20:
        raise ValueError(f"{found} redirects are too many; write 20 at most, or false for none")
    return found


def _expiry_days(value: object) -> int:
    if isinstance(value, int):
        return value
    ms = units.duration_ms(value)
    if ms % units.DAY_MS or not ms:
        raise ValueError(f"{value!r} is no number of whole days; write e.g. 14 d")
    return ms // units.DAY_MS


_text = {"type": "string"}


class Endpoint(Frozen):
    """What is probed. Only `url` is needed; its scheme says the kind of check."""

    OURS: ClassVar = ("id", "location", "tenant", "allow_private")

    id: SkipJsonSchema[Id] = ""
    url: Annotated[
        str, BeforeValidator(url_text), WithJsonSchema({**_text, "examples": ["https://example.org/health"]})
    ]
    name: Words = ""
    interval_ms: Duration = Field(60_000, alias="interval", description="from one check to the next")
    timeout_ms: Duration = Field(10_000, alias="timeout", description="deadline of a whole attempt")
    confirm: Whole = Field(2, description="failures in a row that make an outage")
    recover: Whole = Field(1, description="good checks in a row that end it")
    retry_every_ms: Duration | None = Field(None, alias="retry_every", description="pace while something is wrong")
    method: Annotated[
        str, BeforeValidator(partial(units.one_of, choices=METHODS)), WithJsonSchema({**_text, "enum": list(METHODS)})
    ] = "GET"
    headers: Annotated[dict[str, SecretOrText], BeforeValidator(_headers)] = Field(default_factory=dict)
    body: Plain | None = None
    status: Statuses = frozenset(range(200, 300))
    contains: Texts = ()
    not_contains: Texts = ()
    max_latency_ms: Duration | None = Field(None, alias="max_latency", description="slower is degraded")
    follow_redirects: Annotated[
        int, BeforeValidator(_redirects), WithJsonSchema({"type": ["integer", "boolean"], "maximum": 20})
    ] = 5
    ca_file: Plain | None = None
    verify_tls: Flag = True
    expires_in_days: Annotated[int, BeforeValidator(_expiry_days), WithJsonSchema({**_text, "examples": ["14 d"]})] = (
        Field(14, alias="expires_in", description="a certificate that ends sooner is degraded")
    )
    max_body_bytes: Size = Field(4_000_000, alias="max_body")
    locations: Ids = Field(("local",), description="where it is checked from; local is this daemon")
    quorum: Whole | None = Field(None, description="so many locations must say down; left out: more than half")
    location: SkipJsonSchema[str] = "local"
    tenant: SkipJsonSchema[bool] = False
    allow_private: SkipJsonSchema[Networks] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: object) -> object:
        """Defaults that depend on the other values: name, confirm of certificates, timeout of a short interval."""
        if not isinstance(data, dict) or not isinstance(data.get("url"), str):
            return data
        filled = dict(data)
        filled["name"] = data.get("name") or data.get("id") or data["url"]
        if urlsplit_scheme(data["url"]) == "tls":
            filled.setdefault("confirm", 1)
        if "timeout" not in data and "timeout_ms" not in data:
            filled["timeout"] = _default_timeout(data)
        return filled

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for key, value, least, most in (
            ("interval", self.interval_ms, 1_000, units.DAY_MS),
            ("timeout", self.timeout_ms, 10, 300_000),
            ("confirm", self.confirm, 1, 20),
            ("recover", self.recover, 1, 20),
        ):
            if not least <= value <= most:
                raise At(key, _out_of_range(key, value, least, most))
        if self.timeout_ms > self.interval_ms:
            timeout, interval = units.duration_text(self.timeout_ms), units.duration_text(self.interval_ms)
            raise At("timeout", f"{timeout} is longer than interval {interval}; write {interval} or less")
        if self.retry_every_ms is not None and not 1_000 <= self.retry_every_ms <= self.interval_ms:
            shown = units.duration_text(self.retry_every_ms)
            raise At("retry_every", f"{shown} is not between 1 s and the interval; write e.g. 20 s")
        if self.quorum is not None and not 1 <= self.quorum <= len(self.locations):
            raise At("quorum", _out_of_range("quorum", self.quorum, 1, len(self.locations)))
        self._only_its_own_keys()
        return self

    def _only_its_own_keys(self) -> None:
        given = self.model_fields_set
        for field in (*_HTTP_ONLY, "expires_in_days", "ca_file", "verify_tls"):
            kinds = (
                ("http",)
                if field in _HTTP_ONLY
                else ("certificate",)
                if field == "expires_in_days"
                else ("http", "certificate")
            )
            default = type(self).model_fields[field].get_default(call_default_factory=True)
            if field in given and self.kind not in kinds and getattr(self, field) != default:
                key = type(self).model_fields[field].alias or field
                raise At(key, f"is for {' and '.join(kinds)} endpoints; this one is {self.kind}: leave it out")
        if self.body is not None and self.method in ("GET", "HEAD"):
            raise At("body", f"is not sent with {self.method}; write method: POST")

    @property
    def checked_here(self) -> bool:
        """Whether this daemon checks it; what other locations saw is imported."""
        return self.location in self.locations

    @property
    def kind(self) -> Kind:
        return _KINDS[urlsplit(self.url).scheme]

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    def judge_method(self) -> Method:
        return Method(
            interval_ms=self.interval_ms,
            timeout_ms=self.timeout_ms,
            confirm=self.confirm,
            recover=self.recover,
            retry_every_ms=self.retry_every_ms,
        )


def majority(locations: int) -> int:
    """More than half of them."""
    return locations // 2 + 1


def urlsplit_scheme(text: str) -> str:
    return text.partition("://")[0].lower()


def _default_timeout(data: dict[str, object]) -> int:
    """10 s, or the interval where that is shorter; a broken interval is reported by its own field."""
    try:
        return min(10_000, units.duration_ms(data.get("interval", data.get("interval_ms", 60_000))))
    except ValueError:
        return 10_000


def _out_of_range(key: str, value: int, least: int, most: int) -> str:
    if key in ("confirm", "recover", "quorum"):
        return f"{value} is not between {least} and {most}; write e.g. {min(2, most)}"
    shown = units.duration_text
    example = "60 s" if key == "interval" else "10 s"
    return f"{shown(value)} is not between {shown(least)} and {shown(most)}; write e.g. {example}"
