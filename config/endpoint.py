"""One endpoint: what is asked, how often, and which answers are good."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from config import units
from config.answers import RCODES, RECORDS, TLS_VERSIONS, AnswerHeaders, Command, Hex, JsonValues, Patterns, TokenHash
from config.kinds import FOR_KINDS, KINDS, PORTS, Kind, asked_name, server_address, url_text
from config.problems import At
from config.typed import (
    Duration,
    Flag,
    Frozen,
    Id,
    Ids,
    Networks,
    Plain,
    SecretOnly,
    SecretOrText,
    Size,
    Statuses,
    Texts,
    Whole,
    Words,
)
from sla.judge import Method

LONGEST_RHYTHM_MS = 35 * units.DAY_MS  # of a heartbeat: a job may run once a month
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SENSITIVE = re.compile(r"authorization|cookie|token|secret|api-?key", re.IGNORECASE)


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


def _word(*choices: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """One word of a closed list, as a field reads it and as editors see it."""
    return (
        BeforeValidator(partial(units.one_of, choices=choices)),
        WithJsonSchema({**_text, "enum": list(choices)}),
    )


class Endpoint(Frozen):
    """What is probed. Only `url` is needed, or `command` or `heartbeat`; the URL's scheme says the kind of check."""

    OURS: ClassVar = ("id", "location", "tenant", "allow_private", "contact")

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
    method: Annotated[str, *_word(*METHODS)] = "GET"
    headers: Annotated[dict[str, SecretOrText], BeforeValidator(_headers)] = Field(default_factory=dict)
    username: SecretOrText | None = None
    password: SecretOnly | None = None
    bearer: SecretOnly | None = None
    body: Plain | None = None
    status: Statuses = frozenset(range(200, 300))
    contains: Texts = ()
    not_contains: Texts = ()
    matches: Patterns = ()
    not_matches: Patterns = ()
    json_values: JsonValues = Field(default_factory=dict, alias="json")
    answer_headers: AnswerHeaders = Field(default_factory=dict)
    max_latency_ms: Duration | None = Field(None, alias="max_latency", description="slower is degraded")
    follow_redirects: Annotated[
        int, BeforeValidator(_redirects), WithJsonSchema({"type": ["integer", "boolean"], "maximum": 20})
    ] = 5
    ca_file: Plain | None = None
    verify_tls: Flag = True
    client_certificate: SecretOnly | None = None
    min_tls: Annotated[str, *_word(*TLS_VERSIONS)] = "1.2"
    expires_in_days: Annotated[int, BeforeValidator(_expiry_days), WithJsonSchema({**_text, "examples": ["14 d"]})] = (
        Field(14, alias="expires_in", description="a certificate that ends sooner is degraded")
    )
    max_body_bytes: Size = Field(4_000_000, alias="max_body")
    ip_version: Annotated[str, *_word("4", "6")] | None = None
    resolver: Annotated[str, BeforeValidator(server_address), WithJsonSchema(_text)] | None = None
    send: Plain | None = None
    send_hex: Hex | None = None
    expect: Plain | None = None
    record: Annotated[str, *_word(*RECORDS)] = "A"
    answers: Texts = ()
    rcode: Annotated[str, *_word(*RCODES)] = "NOERROR"
    command: Command = ()
    heartbeat: TokenHash | None = Field(None, description="instead of url: the job tells of itself with this token")
    grace_ms: Duration | None = Field(None, alias="grace", description="how late a heartbeat may be")
    max_runtime_ms: Duration | None = Field(None, alias="max_runtime", description="a run that takes longer is down")
    allow_get: Flag = Field(False, description="a heartbeat may come as a GET")
    parent: Id | None = Field(None, description="the endpoint that it is reached through; while that is down, no alert")
    locations: Ids = Field(("local",), description="where it is checked from; local is this daemon")
    quorum: Whole | None = Field(None, description="so many locations must say down; left out: more than half")
    location: SkipJsonSchema[str] = "local"
    tenant: SkipJsonSchema[bool] = False
    allow_private: SkipJsonSchema[Networks] = ()
    contact: SkipJsonSchema[str | None] = Field(None, exclude=True)  # who is told to whom we talk; no part of a check

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: object) -> object:
        """Defaults that depend on the other values: name, confirm of certificates, timeout of a short interval."""
        if not isinstance(data, dict) or not isinstance(data.get("url", ""), str):
            return data
        filled = dict(data)
        command = data.get("command")
        if command and "url" not in data:
            filled["url"] = f"exec://{command[0] if isinstance(command, list | tuple) else command}"
        if data.get("heartbeat") is not None and "url" not in data:
            filled["url"] = f"heartbeat://{data.get('id', '')}"
        if "url" not in filled:
            return data
        filled["name"] = data.get("name") or data.get("id") or filled["url"]
        scheme = urlsplit_scheme(filled["url"])
        if scheme in ("tls", "heartbeat"):
            filled.setdefault("confirm", 1)
        if "timeout" not in data and "timeout_ms" not in data and scheme != "heartbeat":
            filled["timeout"] = _default_timeout(data)
        return filled

    @model_validator(mode="after")
    def _agree(self) -> Self:
        longest_ms = LONGEST_RHYTHM_MS if self.kind == "heartbeat" else units.DAY_MS
        for key, value, least, most in (
            ("interval", self.interval_ms, 1_000, longest_ms),
            ("timeout", self.timeout_ms, 10, 300_000),
            ("confirm", self.confirm, 1, 20),
            ("recover", self.recover, 1, 20),
        ):
            if not least <= value <= most:
                raise At(key, _out_of_range(key, value, least, most))
        if self.timeout_ms > self.interval_ms and self.kind != "heartbeat":
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
        for field, kinds in FOR_KINDS.items():
            info = type(self).model_fields[field]
            default = info.get_default(call_default_factory=True)
            if field in self.model_fields_set and self.kind not in kinds and getattr(self, field) != default:
                told = " and ".join(kinds)
                raise At(info.alias or field, f"is for {told} endpoints; this one is {self.kind}: leave it out")
        self._keys_that_go_together()

    def _keys_that_go_together(self) -> None:
        if self.body is not None and self.method in ("GET", "HEAD"):
            raise At("body", f"is not sent with {self.method}; write method: POST")
        if (self.username is None) != (self.password is None):
            raise At("username" if self.password is None else "password", "wants both; write username and password")
        named = {name.lower() for name in self.headers}
        if sum(("authorization" in named, self.username is not None, self.bearer is not None)) > 1:
            raise At(
                "bearer" if self.bearer else "username",
                "is one login too many; write bearer, or username, or the header",
            )
        if self.send is not None and self.send_hex is not None:
            raise At("send_hex", "is sent instead of send; write one of them")
        if self.rcode != "NOERROR" and self.answers:
            raise At("answers", f"cannot come with {self.rcode}; leave one of them out")
        if self.kind == "heartbeat":
            self._heartbeat()
        if self.kind == "exec" and self.url != f"exec://{self.command[0] if self.command else ''}":
            raise At("url", "names no command; leave it out and write command: [/path/of/program, argument]")

    def _heartbeat(self) -> None:
        """What goes together where a job tells of itself."""
        if self.heartbeat is None or self.url != f"heartbeat://{self.id}":
            told = "leave it out and write heartbeat: sha256:..., which `nines config token` makes"
            raise At("url", f"is no address that can be asked; {told}")
        if self.confirm != 1:
            raise At("confirm", "is 1 for a heartbeat, whose silence needs no second look; leave it out")
        if self.grace_ms is not None and self.grace_ms > LONGEST_RHYTHM_MS:
            raise At("grace", f"{units.duration_text(self.grace_ms)} is longer than 35 d; write e.g. 1 h")
        if self.max_runtime_ms is not None and not self.max_runtime_ms:
            raise At("max_runtime", "is nothing; write e.g. 2 h, or leave it out")

    @property
    def checked_here(self) -> bool:
        """Whether this daemon checks it; what other locations saw is imported."""
        return self.location in self.locations

    @property
    def kind(self) -> Kind:
        return KINDS[urlsplit(self.url).scheme]

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or PORTS[parts.scheme]

    @property
    def asked_name(self) -> str:
        """The name that a dns check asks for."""
        return asked_name(urlsplit(self.url))

    @property
    def patience_ms(self) -> int:
        """How late a heartbeat may be: `grace`, or a tenth of the interval, at least 10 s and at most 1 h."""
        if self.grace_ms is not None:
            return self.grace_ms
        return min(max(self.interval_ms // 10, 10_000), units.HOUR_MS)

    def judge_method(self) -> Method:
        if self.kind == "heartbeat":
            hold_ms = self.interval_ms + self.patience_ms
            return Method(self.interval_ms, 0, 1, self.recover, retry_every_ms=self.interval_ms, hold_ms=hold_ms)
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
