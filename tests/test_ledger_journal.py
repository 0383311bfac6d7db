"""The journal: byte-exact records, one chain whoever writes, nothing changed and nothing taken out."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ledger_scenes import T0, new_ledger

from ledger import journal
from ledger.identity import ALPHABET, random_id, short_id
from ledger.journal import PROGRAM, Actor, Head, NotDeciding, append, canonical, head, verify
from ledger.persons import name_of, os_user
from ledger.store import Ledger

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def add(ledger: Ledger, number: int = 1, **body: Any) -> Head:
    with ledger.decide() as connection:
        return append(
            connection,
            at_ms=T0 + number,
            actor=PROGRAM,
            action="import",
            subject="endpoint",
            subject_id="api",
            body=body,
        )


def raw(ledger: Ledger) -> sqlite3.Connection:
    """The database as anybody with the file can open it: none of our settings."""
    return sqlite3.connect(ledger.path, isolation_level=None)


def test_a_record_is_hashed_as_written_down(ledger: Ledger) -> None:
    first = add(ledger, 1, text="Zürich", n=1)
    second = add(ledger, 2)
    body = '{"n":1,"text":"Zürich"}'.encode()
    record = (
        '{"action":"import","actor":"nines","actor_kind":"program","at_ms":'
        f'{T0 + 1},"body_sha256":"{hashlib.sha256(body).hexdigest()}","ledger_id":"{ledger.id}","prev":null,'
        '"seq":1,"subject":"endpoint","subject_id":"api","v":1}'
    )
    assert first == Head(ledger.id, 1, hashlib.sha256(f"nines-journal-1\n{record}".encode()).hexdigest())
    record = (
        '{"action":"import","actor":"nines","actor_kind":"program","at_ms":'
        f'{T0 + 2},"body_sha256":"{hashlib.sha256(b"{}").hexdigest()}","ledger_id":"{ledger.id}",'
        f'"prev":"{first.hash}","seq":2,"subject":"endpoint","subject_id":"api","v":1}}'
    )
    assert second.hash == hashlib.sha256(f"nines-journal-1\n{record}".encode()).hexdigest()
    assert head(ledger) == second


def test_a_ledger_in_which_nothing_was_decided_has_no_head(ledger: Ledger) -> None:
    assert head(ledger) is None
    assert verify(ledger).records == 0
    assert verify(ledger).sound


def test_canonical_json_is_sorted_compact_and_knows_no_floats() -> None:
    assert canonical({"b": [1, None, True], "a": {"ü": "\n"}}) == '{"a":{"ü":"\\n"},"b":[1,null,true]}'
    with pytest.raises(TypeError, match="a float has no canonical form"):
        canonical({"a": [{"b": 1.0}]})


def test_a_record_needs_the_write_lock_before_it_is_made(ledger: Ledger) -> None:
    with ledger.read() as connection, pytest.raises(NotDeciding, match="the lock must be taken before"):
        append(connection, at_ms=T0, actor=PROGRAM, action="import", subject="endpoint")


def test_a_decision_that_fails_takes_its_record_with_it(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.decide() as connection:
        assert append(connection, at_ms=T0, actor=PROGRAM, action="x", subject="y").seq // 0
    assert head(ledger) is None


WRITER = """
    import sys
    from ledger.journal import PROGRAM, append
    from ledger.store import open_ledger
    with open_ledger(sys.argv[1], at_ms=0, busy_timeout_ms=30000) as ledger:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(60):
            with ledger.decide() as connection:
                append(connection, at_ms=number, actor=PROGRAM, action=sys.argv[2], subject="test", body={"n": number})
"""


def test_processes_that_write_at_once_make_one_chain(ledger: Ledger) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(ledger.path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    children = [subprocess.Popen([*command, name], **pipes) for name in ("one", "two", "three")]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.communicate("\n", timeout=60)
    result = verify(ledger)
    assert (result.records, result.problems) == (180, ())
    with ledger.read() as connection:
        counts = connection.exec_driver_sql("SELECT action, COUNT(*) FROM journal GROUP BY action").all()
    assert {row.action: row[1] for row in counts} == {"one": 60, "two": 60, "three": 60}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET action = 'nothing' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 3",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 2",
        "REPLACE INTO journal SELECT * FROM journal WHERE seq = 3",
        "UPDATE OR REPLACE journal SET seq = 3 WHERE seq = 2",
        "INSERT INTO journal SELECT 9, v, ledger_id, at_ms, actor, actor_kind, action, subject, subject_id, "
        "body_sha256, hash, 'new' FROM journal WHERE seq = 3",
        "INSERT INTO journal SELECT 4, v, ledger_id, at_ms, actor, actor_kind, action, subject, subject_id, "
        "body_sha256, prev, 'new' FROM journal WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_touch_the_chain(ledger: Ledger, statement: str) -> None:
    for number in (1, 2, 3):
        add(ledger, number)
    connection = raw(ledger)
    with pytest.raises(sqlite3.IntegrityError, match=r"append only|one chain"):
        connection.execute(statement)
    connection.close()
    assert verify(ledger).problems == ()


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE journal SET actor = 'P-OTHER' WHERE seq = 2", ["2: it was changed after it was written"]),
        (
            "DELETE FROM journal WHERE seq = 2",
            ["3: record 2 is missing before it", "3: it does not follow the record before it"],
        ),
        ("UPDATE journal_body SET body = '7' WHERE seq = 2", ["2: its body was changed after it was written"]),
        ("DELETE FROM journal_body WHERE seq = 2", ["2: its body is gone without an erasure on record"]),
        ("UPDATE journal_body SET body = NULL, erased_ms = 1, erased_reason = 'asked' WHERE seq = 2", []),
    ],
)
def test_what_was_done_with_the_triggers_gone_is_found(ledger: Ledger, tampering: str, found: list[str]) -> None:
    for number in (1, 2, 3):
        add(ledger, number, n=number)
    connection = raw(ledger)
    for trigger in ("is_not_updated", "is_not_deleted", "body_is_only_erased", "body_is_not_deleted"):
        connection.execute(f"DROP TRIGGER journal_{trigger}")
    connection.execute(tampering)
    connection.close()
    assert verify(ledger).problems == tuple(f"journal record {line}" for line in found)


def test_a_journal_of_another_ledger_is_found(ledger: Ledger, tmp_path: Path) -> None:
    add(ledger)
    with ledger.decide() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = 'f00d' WHERE key = 'ledger_id'")
    assert verify(Ledger(ledger.path, ledger.engine, "f00d")).problems == (
        f"journal record 1: it belongs to ledger {ledger.id}",
    )


def test_a_login_is_one_person_with_an_opaque_id(ledger: Ledger) -> None:
    actor = os_user(ledger, "operator", at_ms=T0)
    assert os_user(ledger, "operator", at_ms=T0 + 5) == actor
    assert os_user(ledger, "another", at_ms=T0) != actor
    assert re.fullmatch(rf"P-[{ALPHABET}]{{16}}", actor.id)
    assert actor.kind == "person"
    assert name_of(ledger, actor.id) == "operator"
    assert name_of(ledger, "P-NOBODY") is None


def test_no_name_enters_the_journal(ledger: Ledger) -> None:
    actor = os_user(ledger, "operator", at_ms=T0)
    with ledger.decide() as connection:
        append(connection, at_ms=T0, actor=actor, action="config load", subject="config")
    with ledger.read() as connection:
        record = dict(connection.exec_driver_sql("SELECT * FROM journal").mappings().one())
    assert record["actor"] == actor.id
    assert "operator" not in json.dumps(record)


def test_ids_are_short_stable_and_longer_where_two_would_be_the_same() -> None:
    taken: set[str] = set()
    id = short_id("O", "ledger", "api", 1, taken=taken.__contains__)
    assert re.fullmatch(rf"O-[{ALPHABET}]{{5}}", id)
    assert short_id("O", "ledger", "api", 1, taken=taken.__contains__) == id
    taken.add(id)
    longer = short_id("O", "ledger", "api", 1, taken=taken.__contains__)
    assert longer.startswith(id)
    assert len(longer) == len(id) + 1
    assert short_id("O", "ledger", "ap", "i1", taken=taken.__contains__) != id


def test_random_ids_do_not_repeat() -> None:
    assert len({random_id("P") for _ in range(1000)}) == 1000


def test_the_version_of_the_record_is_one() -> None:
    assert (journal.VERSION, journal.PREFIX) == (1, "nines-journal-1\n")
    assert Actor("P-1", "person") != PROGRAM
