"""What the final answer of an http attempt is worth: status, headers, what the body says, and how long it took."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import regex

from probes.attempt import UP, Fault, Outcome, Trace
from probes.target import Target, Wanted

MATCHED_BYTES = 256_000  # a pattern looks at no more
PATIENCE_S = 0.1  # and at that no longer: meanwhile all other checks wait


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, read to its end. `body` is None where its encoding is not understood."""

    status: int
    headers: Mapping[str, str]
    charset: str | None
    body: bytes | None


def judge_reply(reply: Reply, target: Target, trace: Trace) -> Outcome:
    """Status first, then headers and body, then the time it took, then the strength of the certificate."""
    slow = trace.judge_latency(target.max_latency_ms)
    bad = _bad_status(reply, target) or _mismatch(reply, target.wanted)
    if bad is not None:
        return bad
    if slow is UP and trace.certificate is not None and trace.certificate.weakness is not None:
        return Outcome("degraded", "tls_weak", trace.certificate.weakness)
    return slow


def _bad_status(reply: Reply, target: Target) -> Outcome | None:
    if reply.status in target.wanted.status:
        return None
    if reply.status == 429:
        return Outcome("degraded", "http_status", "status 429: the server limits our rate")
    named = any(name.lower() == "user-agent" for name, _ in target.headers)
    hint = "" if reply.status != 403 or named else ": a firewall may refuse our User-Agent or our address"
    return Outcome("down", "http_status", f"status {reply.status}{hint}")


def _mismatch(reply: Reply, wanted: Wanted) -> Outcome | None:
    """The first thing that the answer should have said, and did not."""
    for name, text in wanted.headers:
        if name not in reply.headers:
            return _differs(f"header {name} is missing")
        if text not in reply.headers[name]:
            return _differs(f"header {name} is {reply.headers[name]!r}, without {text!r}")
    if not wanted.reads_body:
        return None
    if reply.body is None:
        return _differs("the body's encoding is not understood")
    said = next(_faults_of(reply.body, _text(reply.body, reply.charset), wanted), None)
    return None if said is None else _differs(said)


def _differs(detail: str) -> Outcome:
    return Outcome("down", "content_mismatch", detail)


def _faults_of(body: bytes, text: str, wanted: Wanted) -> Iterator[str]:
    for must in wanted.contains:
        if must.encode() not in body and must not in text:
            yield f"{must!r} is missing"
    for must_not in wanted.not_contains:
        if must_not.encode() in body or must_not in text:
            yield f"{must_not!r} is there"
    start = text[:MATCHED_BYTES]
    for pattern in wanted.matches:
        if not _found(pattern, start):
            yield f"nothing matches {pattern.pattern!r}"
    for pattern in wanted.not_matches:
        if _found(pattern, start):
            yield f"something matches {pattern.pattern!r}"
    if wanted.json:
        yield from _json_faults(text, wanted)


def _found(pattern: regex.Pattern[str], text: str) -> bool:
    """Whether the pattern is found. Raises Fault (ours) for one that would keep all other checks waiting."""
    try:
        return pattern.search(text, timeout=PATIENCE_S) is not None
    except TimeoutError:
        told = f"{pattern.pattern!r} takes longer than {PATIENCE_S:g} s on this body; write a simpler pattern"
        raise Fault("config_error", told, "unknown") from None


def _json_faults(text: str, wanted: Wanted) -> Iterator[str]:
    try:
        document = json.loads(text, parse_int=_number, parse_float=_number)
    except (ValueError, RecursionError):
        yield "the body is no JSON"
        return
    for path, steps, value in wanted.json:
        try:
            seen = _as_text(_at(document, steps))
        except LookupError:
            yield f"{path} is missing"
            continue
        if seen != value and not _same_number(seen, value):
            yield f"{path} is {seen!r}, not {value!r}"


def _at(document: Any, steps: tuple[str | int, ...]) -> Any:
    """What stands at a path. Raises LookupError."""
    for step in steps:
        fits = isinstance(document, list) if isinstance(step, int) else isinstance(document, dict)
        if not fits:
            raise LookupError(step)
        document = document[step]
    return document


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, Decimal)
        else json.dumps(value, default=str)
    )


def _same_number(seen: str, wanted: str) -> bool:
    """`1.0` and `1` are one value, as written in config and answer."""
    try:
        return _number(seen) == _number(wanted)
    except (ValueError, ArithmeticError):
        return False


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _text(body: bytes, charset: str | None) -> str:
    """The body as text, as well as it can be read; a charset nobody knows is read as UTF-8."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        charset = "utf-16"
    try:
        return body.decode(charset or "utf-8-sig", errors="replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", errors="replace")
