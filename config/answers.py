"""What an answer must say: patterns, values in JSON, headers; checked at load, so that no check fails on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import regex
from pydantic import BeforeValidator

from config import units
from config.problems import At
from config.typed import schema_of

MAX_PATTERN = 1_000
RECORDS = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TLSA", "TXT")
RCODES = ("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED")
TLS_VERSIONS = ("1.2", "1.3")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[([0-9]+)\]|\[\"([^\"\\]+)\"\]")


def _patterns(value: object) -> tuple[str, ...]:
    return tuple(_pattern(item) for item in units.listed(value))


def _pattern(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("is no text; write a pattern in quotes, e.g. 'version: [0-9]+'")
    if len(value) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters; write a shorter pattern")
    try:
        regex.compile(value)
    except regex.error as error:
        raise ValueError(f"{value!r} is no regular expression ({error}); write e.g. 'version: [0-9]+'") from None
    return value


def json_path(text: str) -> tuple[str | int, ...]:
    """`$.checks[0]["disk space"]` as ("checks", 0, "disk space"). Raises ValueError."""
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            break
        steps.append(int(found[2]) if found[2] else found[1] or found[3])
        at = found.end()
    if not text.startswith("$") or at != len(text):
        raise ValueError(f'{text!r} is no path; write e.g. $.status, $.checks[0].state or $["disk space"]')
    return tuple(steps)


def _json_values(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("is no mapping; write e.g. {$.status: ok}")
    for path, wanted in value.items():
        try:
            json_path(path)
        except ValueError as error:
            raise At(path, str(error)) from None
        if not isinstance(wanted, str):
            raise At(path, "is no plain value; write e.g. ok, 3 or true")
    return dict(value)


def _answer_headers(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("is no mapping; write e.g. {Content-Type: application/json}")
    for name, wanted in value.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise At(name, f"{name!r} is no header name; write e.g. Content-Type")
        if not isinstance(wanted, str):
            raise At(name, "is no text; write what the header must hold, or '' where it must only be there")
    return dict(value)


def _hex(value: object) -> str:
    text = "".join(units.text_of(value).split()).lower()
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", text) or len(text) > 8_192:
        raise ValueError("is no bytes in hexadecimal; write e.g. '00 00 00 08 04 d2 16 2f'")
    return text


def _command(value: object) -> tuple[str, ...]:
    words = tuple(units.listed(value))
    if not all(isinstance(word, str) and "\0" not in word for word in words):
        raise ValueError("is no command; write program and arguments, e.g. [/usr/lib/nagios/plugins/check_ssh, db1]")
    for first in words[:1]:
        program(first)
    return words


def program(value: object) -> str:
    """A program by its absolute path."""
    text = units.text_of(value)
    if not text.startswith("/") or ".." in text.split("/") or text.endswith("/"):
        raise ValueError(f"{text!r} is no absolute path of a program; write e.g. /usr/lib/nagios/plugins/check_ssh")
    return text


def _token_hash(value: object) -> str:
    """The hash of a token, never the token."""
    text = units.text_of(value)
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", text):
        raise ValueError("is no hash of a token; write sha256: and 64 hex digits, which `nines config token` makes")
    return text


TokenHash = Annotated[str, BeforeValidator(_token_hash), schema_of("string", "sha256:" + 64 * "0")]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_patterns), schema_of(["string", "array"], "version: [0-9]+")]
JsonValues = Annotated[dict[str, str], BeforeValidator(_json_values), schema_of("object", {"$.status": "ok"})]
AnswerHeaders = Annotated[
    dict[str, str], BeforeValidator(_answer_headers), schema_of("object", {"Content-Type": "application/json"})
]
Hex = Annotated[str, BeforeValidator(_hex), schema_of("string", "00 00 00 08 04 d2 16 2f")]
Command = Annotated[
    tuple[str, ...], BeforeValidator(_command), schema_of("array", ["/usr/lib/nagios/plugins/check_ssh", "db1"])
]
Programs = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(program(item) for item in units.listed(value))),
    schema_of(["string", "array"], ["/usr/lib/nagios/plugins/check_ssh"]),
]
