"""Anchors: how they are written, and that they are found in whatever quotes them."""

from __future__ import annotations

import json
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from ledger.anchors import EXAMPLE, Anchor, Anchors, anchors_in, append_to_file, line_of, send_to_syslog
from ledger.journal import Head

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HEAD = Head("5d41402abc4b2a76", 12, HASH)
LINE = line_of(HEAD, at_ms=1_795_432_468_000)


def found(text: str) -> list[tuple[int, int]]:
    """(sequence, line) of each."""
    result = anchors_in(text.encode())
    assert result.unread == ()
    return [(anchor.seq, anchor.line) for anchor in result.found]


def test_an_anchor_is_one_line_of_json() -> None:
    assert json.loads(LINE) == {"ledger_id": HEAD.ledger_id, "seq": 12, "hash": HASH, "at_ms": 1_795_432_468_000}
    assert "\n" not in LINE
    assert anchors_in(LINE.encode()) == Anchors((Anchor(HEAD.ledger_id, 12, HASH, 1),))


def test_every_line_of_a_file_of_anchors_is_one() -> None:
    later = line_of(Head(HEAD.ledger_id, 20, HASH), at_ms=0)
    assert found(f"{LINE}\n\n{later}\n") == [(12, 1), (20, 3)]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_statement_holds_one_sealed_or_not(indent: int | None) -> None:
    journal = {"ledger_id": HEAD.ledger_id, "seq": 12, "hash": HASH}
    statement = {"schema": "nines/statement/1", "journal": journal, "services": [{"id": "{"}]}
    sealed = {"statement": statement, "seal": {"sha256": HASH}}
    for value in (statement, sealed, [statement, sealed]):
        assert {seq for seq, _ in found(json.dumps(value, indent=indent))} == {12}
    assert found(json.dumps({**statement, "journal": None})) == []


def test_logs_and_quoted_mails_are_read_as_well() -> None:
    text = f"Nov 27 02:00:01 host nines: journal anchor {LINE}\nso {{it}} goes {{\n> {LINE} (yesterday's)\n"
    assert found(text) == [(12, 1), (12, 3)]


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
def test_a_mail_is_read_however_its_parts_are_encoded(encoding: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Statement SLA-2026-000123"
    mail.set_content(f"Zürich, see below.\n\nThe journal's head:\n{LINE}\n", cte=encoding)
    mail.add_attachment(json.dumps({"journal": json.loads(LINE)}).encode(), maintype="application", subtype="json")
    result = anchors_in(mail.as_bytes())
    assert (result.unread, [anchor.seq for anchor in result.found]) == ((), [12, 12])


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        (LINE[:40], (1,)),
        (f"{LINE[:90]}\n{LINE}\n{LINE[:60]}", (1, 3)),
        (LINE.replace('"seq": 12', '"seq": "12"'), (1,)),
        (LINE.replace('"seq": 12', '"seq": true'), (1,)),
        (LINE.replace('"seq": 12', '"seq": 0'), (1,)),
        (LINE.replace(HASH, HASH[:-1]), (1,)),
        (f'\n\n{{"journal": {LINE.replace(HASH, "f00d")}}}', (3,)),
    ],
)
def test_what_begins_an_anchor_and_is_none_is_named_by_its_line(text: str, unread: tuple[int, ...]) -> None:
    assert anchors_in(text.encode()).unread == unread


@pytest.mark.parametrize("content", [b"", b"version: 1\n", b"{}", b"[1, 2]", b"\xff\x00{", b"{" * 5000, b"[" * 5000])
def test_anything_else_holds_none(content: bytes) -> None:
    assert anchors_in(content) == Anchors(())


def test_the_example_reads_like_one() -> None:
    assert json.loads(EXAMPLE).keys() == json.loads(LINE).keys()


def test_a_file_of_anchors_grows_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "nines.anchors"
    append_to_file(path, LINE)
    append_to_file(path, LINE)
    assert path.read_text() == f"{LINE}\n{LINE}\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none/nines\.anchors"):
        append_to_file(tmp_path / "none" / "nines.anchors", LINE)
    with pytest.raises(OSError, match=r"No space left|could be written"):
        append_to_file(Path("/dev/full"), LINE)


def test_the_system_s_log_gets_a_line_that_is_read_back(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(address)
        log.settimeout(5)
        send_to_syslog(LINE, address=address)
        received = log.recv(4096)
    assert received == f"<30>nines: journal anchor {LINE}".encode()
    assert [anchor.seq for anchor in anchors_in(received).found] == [12]


def test_a_system_without_a_log_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the system's log cannot be reached: No such file"):
        send_to_syslog(LINE, address=str(tmp_path / "log"))
