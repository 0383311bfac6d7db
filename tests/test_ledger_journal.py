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
from journal_scenes import add, chain, raw
from ledger_scenes import T0, new_ledger

from ledger import journal
from ledger.errors import JournalBlocked
from ledger.identity import ALPHABET, random_id, short_id
from ledger.journal import PROGRAM, Actor, Head, NotDeciding, append, canonical, head
from ledger.journal_check import verify
from ledger.persons import os_user
from ledger.store import Ledger

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


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


def test_a_body_put_where_the_journal_goes_on_is_named_and_nothing_is_decided(ledger: Ledger) -> None:
    last = chain(ledger, 3)[-1]
    with raw(ledger.path) as connection:
        connection.execute("INSERT INTO journal_body (seq, body) VALUES (4, '{}')")
    with pytest.raises(JournalBlocked, match=rf"^{ledger.path}: .* belongs to no record; `nines db check` names it$"):
        add(ledger, 4)
    assert head(ledger) == last
    assert verify(ledger).problems == ("journal body 4 belongs to no record",)


WRITER = """
    import sys
    from ledger.journal import PROGRAM, append
    from ledger.store import open_ledger
    with open_ledger(sys.argv[1], at_ms=0, busy_timeout_ms=30000) as ledger:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(int(sys.argv[3])):
            with ledger.decide() as connection:
                append(connection, at_ms=number, actor=PROGRAM, action=sys.argv[2], subject="test", body={"n": number})
"""


def test_processes_that_write_at_once_make_one_chain(ledger: Ledger) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(ledger.path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    wanted = {"one": 200, "two": 200, "three": 60}
    children = [subprocess.Popen([*command, name, str(count)], **pipes) for name, count in wanted.items()]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=120)
    result = verify(ledger)
    assert (result.records, result.problems) == (460, ())
    with ledger.read() as connection:
        counts = connection.exec_driver_sql("SELECT action, COUNT(*) FROM journal GROUP BY action").all()
    assert {row.action: row[1] for row in counts} == wanted


NEW = "'new'"
REPLACING = """SELECT {seq}, v, ledger_id, at_ms, actor, actor_kind, 'forged', subject, subject_id, body_sha256,
(SELECT hash FROM journal WHERE seq = 3), {hash} FROM journal WHERE seq = {of}"""


@pytest.mark.parametrize("recursive", [False, True], ids=["recursive triggers off", "recursive triggers on"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET action = 'nothing' WHERE seq = 2",
        "UPDATE journal SET seq = 9 WHERE seq = 3",
        "DELETE FROM journal WHERE seq = 3",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 2",
        "REPLACE INTO journal SELECT * FROM journal WHERE seq = 3",
        "UPDATE OR REPLACE journal SET seq = 3 WHERE seq = 2",
        "UPDATE OR REPLACE journal SET hash = (SELECT hash FROM journal WHERE seq = 3) WHERE seq = 2",
        f"INSERT INTO journal {REPLACING.format(seq=9, hash=NEW, of=3)}",
        f"INSERT OR REPLACE INTO journal {REPLACING.format(seq=4, hash='hash', of=2)}",
        f"REPLACE INTO journal {REPLACING.format(seq=4, hash='hash', of=3)}",
        f"INSERT INTO journal {REPLACING.format(seq=2, hash=NEW, of=2)} "
        "ON CONFLICT (seq) DO UPDATE SET action = 'forged'",
        f"INSERT INTO journal {REPLACING.format(seq=4, hash='hash', of=2)} "
        "ON CONFLICT (hash) DO UPDATE SET action = 'forged'",
        "INSERT INTO journal SELECT 4, v, ledger_id, at_ms, actor, actor_kind, action, subject, subject_id, "
        "body_sha256, prev, 'new' FROM journal WHERE seq = 3",
        "UPDATE journal_body SET body = '{}' WHERE seq = 2",
        "UPDATE journal_body SET seq = 9 WHERE seq = 2",
        "UPDATE journal_body SET body = NULL WHERE seq = 2",
        "UPDATE journal_body SET erased_ms = 1, erased_reason = 'x' WHERE seq = 2",
        "UPDATE OR REPLACE journal_body SET seq = 3 WHERE seq = 2",
        "DELETE FROM journal_body WHERE seq = 2",
        "INSERT OR REPLACE INTO journal_body (seq, body) VALUES (2, '{}')",
        "REPLACE INTO journal_body (seq, body) VALUES (2, '{}')",
        "INSERT INTO journal_body (seq, body) VALUES (2, '{}') ON CONFLICT (seq) DO UPDATE SET body = '{}'",
    ],
)
def test_the_database_itself_refuses_to_touch_the_chain(ledger: Ledger, statement: str, recursive: bool) -> None:
    chain(ledger, 3)
    with raw(ledger.path, recursive=recursive) as connection:
        before = list(connection.iterdump())
        with pytest.raises(sqlite3.IntegrityError, match=r"append only|one chain|is erased once"):
            connection.execute(statement)
        assert list(connection.iterdump()) == before
    assert verify(ledger).problems == ()


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
