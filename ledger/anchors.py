"""Anchors: heads of the journal kept outside of the database, so that whoever owns it cannot rewrite it unseen.

An anchor is one line of JSON, `{"ledger_id": ..., "seq": ..., "hash": ..., "at_ms": ...}`. Every sealed statement holds
one, too, and so does whatever quotes either: a mail, a log.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from logging import INFO, LogRecord, makeLogRecord
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Any

from ledger.journal import Head

EXAMPLE = '{"ledger_id": "5d41...c592", "seq": 12, "hash": "9f86...0a08", "at_ms": 1795432468000}'
SYSLOG = "/dev/log"
_KEYS = {"ledger_id", "seq", "hash"}
_BEGUN = re.compile('"ledger_id"')
_HASH = re.compile(r"[0-9a-f]{64}")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Anchor:
    """What somebody outside of the database holds of the chain, and on which line of what was read it stands."""

    ledger_id: str
    seq: int
    hash: str
    line: int


@dataclass(frozen=True, slots=True)
class Anchors:
    """All that a text holds. `unread`: the lines that begin an anchor and hold none, as after a write cut short."""

    found: tuple[Anchor, ...]
    unread: tuple[int, ...] = ()


def line_of(head: Head, *, at_ms: int) -> str:
    """The anchor of a head, one line without its end."""
    return json.dumps({"ledger_id": head.ledger_id, "seq": head.seq, "hash": head.hash, "at_ms": at_ms})


def anchors_in(content: bytes) -> Anchors:
    """Every anchor in JSON lines, in a statement, in a mail, or in anything else that holds such objects."""
    text = _text(content)
    found, unread, place, line = list[Anchor](), list[int](), 0, 1
    for value, start, end in _objects(text):
        unread += _begun(text[place:start], line)
        line += text.count("\n", place, start)
        for part in _candidates(value):
            anchor = _anchor(part, line)
            found += [anchor] if anchor else []
            unread += [] if anchor else [line]
        line += text.count("\n", start, end)
        place = end
    return Anchors(tuple(found), (*unread, *_begun(text[place:], line)))


def _text(content: bytes) -> str:
    """A mail's parts without their encoding for the way, one below the other; all else as it is."""
    message = message_from_bytes(content)
    if "MIME-Version" not in message:
        return content.decode("utf-8", "replace")
    parts = (part.get_payload(decode=True) for part in message.walk())
    return "\n".join(part.decode("utf-8", "replace") for part in parts if isinstance(part, bytes))


def _objects(text: str) -> Iterator[tuple[Any, int, int]]:
    """The JSON objects in a text, whatever stands around them, each with where it begins and ends."""
    place = text.find("{")
    while place >= 0:
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            yield value, place, end
        place = text.find("{", end)


def _begun(between: str, line: int) -> list[int]:
    """The lines of what is no object on which an anchor was begun all the same."""
    return [line + between.count("\n", 0, found.start()) for found in _BEGUN.finditer(between)]


def _candidates(value: Any) -> Iterator[dict[str, Any]]:
    """The value itself or whatever in it has an anchor's keys, in the order written."""
    rest = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            if part.keys() >= _KEYS:
                yield part
            rest += reversed(part.values())
        elif isinstance(part, list):
            rest += reversed(part)


def _anchor(part: dict[str, Any], line: int) -> Anchor | None:
    id, seq, digest = part["ledger_id"], part["seq"], part["hash"]
    counted = isinstance(seq, int) and not isinstance(seq, bool) and seq > 0
    if counted and isinstance(id, str) and isinstance(digest, str) and _HASH.fullmatch(digest):
        return Anchor(id, seq, digest, line)
    return None


def append_to_file(path: Path, line: str) -> None:
    """Add the line and wait until the disk has it. A new file is its owner's alone. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        written = os.write(descriptor, (whole := f"{line}\n".encode()))
        if written < len(whole):
            raise OSError(28, "only a part of the anchor could be written", str(path))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Syslog(SysLogHandler):
    """The standard library's, but for its silence where nothing can be sent."""

    def handleError(self, record: LogRecord) -> None:
        raise


def send_to_syslog(line: str, *, address: str = SYSLOG) -> None:
    """Hand the line to the system's log (journald, syslog), as `nines: journal anchor {...}`. Raises OSError."""
    handler = _Syslog(address, SysLogHandler.LOG_DAEMON, socket.SOCK_DGRAM)
    handler.ident, handler.append_nul = "nines: ", False
    try:
        handler.emit(makeLogRecord({"msg": f"journal anchor {line}", "levelno": INFO, "levelname": "INFO"}))
    except OSError as error:
        raise OSError(error.errno, f"the system's log cannot be reached: {error.strerror or error}", address) from error
    finally:
        handler.close()
