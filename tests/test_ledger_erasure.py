"""Forgetting on request: what goes is gone from the file, what stays still proves itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from journal_scenes import add
from ledger_scenes import T0, new_ledger

from ledger.erasure import AlreadyErased, BodyStays, NoSuchRecord, erase_body, erase_person, plan
from ledger.errors import LedgerError
from ledger.journal import PROGRAM, append
from ledger.journal_check import verify
from ledger.persons import os_user
from ledger.query import run
from ledger.store import Ledger

AT = T0 + 5_000
LONG = "Jean-Luc Müller-Lüdenscheidt"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def rows(ledger: Ledger, query: str) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.exec_driver_sql(query).all())


def files(ledger: Ledger) -> bytes:
    """Every byte that the ledger has on disk."""
    return b"".join(path.read_bytes() for path in sorted(ledger.path.parent.glob("nines.db*")))


def test_a_body_is_replaced_by_its_hash_reason_and_date(ledger: Ledger) -> None:
    add(ledger, 1, text="of no concern")
    add(ledger, 2, text="a secret of somebody " * 400)  # longer than a page
    assert b"a secret of somebody" in files(ledger)
    done = erase_body(ledger, 2, reason="asked for", at_ms=AT, actor=PROGRAM)
    assert (done.head.seq, done.bodies, done.log_emptied) == (3, (2,), True)
    assert rows(ledger, "SELECT body, erased_ms, erased_reason FROM journal_body WHERE seq = 2") == [
        (None, AT, "asked for")
    ]
    told = rows(ledger, "SELECT action, subject, subject_id, at_ms, body FROM journal JOIN journal_body USING (seq)")[2]
    assert told[:4] == ("body erased", "journal", "2", AT)
    assert json.loads(told[4]) == {"seq": 2, "reason": "asked for", "erased_ms": AT}
    assert verify(ledger).problems == ()
    assert b"a secret of somebody" not in files(ledger)


def test_while_somebody_reads_it_is_said_that_the_log_still_holds_it(tmp_path: Path) -> None:
    new_ledger(tmp_path).close()
    from ledger.store import open_ledger

    with open_ledger(tmp_path / "nines.db", at_ms=T0, busy_timeout_ms=50) as ledger:
        add(ledger, 1, text="a secret of somebody")
        with ledger.read() as reader:
            reader.exec_driver_sql("SELECT * FROM journal").all()
            assert not erase_body(ledger, 1, reason="asked for", at_ms=AT, actor=PROGRAM).log_emptied


@pytest.mark.parametrize(
    ("seq", "error", "words"),
    [
        (9, NoSuchRecord, "journal record 9: there is none"),
        (1, AlreadyErased, r"journal record 1: its body was erased before \(first\)"),
        (2, BodyStays, "journal record 2: it tells of an erasure"),
    ],
)
def test_what_cannot_be_erased_says_why(ledger: Ledger, seq: int, error: type[LedgerError], words: str) -> None:
    add(ledger, 1)
    erase_body(ledger, 1, reason="first", at_ms=AT, actor=PROGRAM)
    with pytest.raises(error, match=words):
        erase_body(ledger, seq, reason="again", at_ms=AT, actor=PROGRAM)
    assert verify(ledger).records == 2


def test_an_erasure_needs_a_reason(ledger: Ledger) -> None:
    add(ledger, 1)
    with pytest.raises(ValueError, match="needs a reason"):
        erase_body(ledger, 1, reason=" ", at_ms=AT, actor=PROGRAM)


def test_a_person_is_forgotten_and_the_decisions_stand(ledger: Ledger) -> None:
    ann, other = os_user(ledger, "ann", at_ms=T0), os_user(ledger, "operator", at_ms=T0)
    with ledger.decide() as connection:
        run(connection, "UPDATE person SET name = :name WHERE id = :id", name=LONG, id=ann.id)
    add(ledger, 1, actor=ann, file="/home/ANN/checks.csv")
    add(ledger, 2, actor=ann, text="the annual report of Hannah")
    add(ledger, 3, actor=other, told=["asked by JEAN-LUC  MU\u0308LLER-LU\u0308DENSCHEIDT", {"deep": True}])
    found = plan(ledger, "ann")
    assert (found.person.id, found.bodies) == (ann.id, (1, 3))
    done = erase_person(ledger, ann.id, at_ms=AT, actor=other)
    assert (done.bodies, done.still_named, done.log_emptied) == ((1, 3), (), True)
    assert rows(ledger, f"SELECT name, os_user, erased_ms FROM person WHERE id = '{ann.id}'") == [(None, None, AT)]
    assert rows(ledger, "SELECT seq FROM journal_body WHERE body IS NULL ORDER BY 1") == [(1,), (3,)]
    last = rows(ledger, "SELECT action, subject, subject_id, actor FROM journal ORDER BY seq DESC LIMIT 1")
    assert last == [("person erased", "person", ann.id, other.id)]
    assert rows(ledger, f"SELECT COUNT(*) FROM journal WHERE actor = '{ann.id}'") == [(2,)]
    assert verify(ledger).problems == ()
    held = files(ledger)
    for word in ("/home/ANN", "DENSCHEIDT", LONG):
        assert word.encode() not in held
    assert b"ann" in held  # annual, Hannah


def test_whoever_has_the_login_later_is_a_new_person(ledger: Ledger) -> None:
    before = os_user(ledger, "ann", at_ms=T0)
    erase_person(ledger, "ann", at_ms=AT, actor=PROGRAM)
    after = os_user(ledger, "ann", at_ms=AT + 1)
    assert after.id != before.id
    with pytest.raises(AlreadyErased, match=f"{before.id}: was erased before"):
        erase_person(ledger, before.id, at_ms=AT + 2, actor=PROGRAM)
    assert os_user(ledger, "ann", at_ms=AT + 3) == after


def test_a_record_that_means_somebody_else_is_kept(ledger: Ledger) -> None:
    os_user(ledger, "acme", at_ms=T0)
    add(ledger, 1, client="acme")
    add(ledger, 2, file="/home/acme/x")
    assert erase_person(ledger, "acme", keep=(1,), at_ms=AT, actor=PROGRAM).bodies == (2,)
    assert rows(ledger, "SELECT body FROM journal_body WHERE seq = 1") == [('{"client":"acme"}',)]


def test_texts_that_belong_to_what_was_agreed_are_named_and_stay(ledger: Ledger) -> None:
    ann = os_user(ledger, "ann", at_ms=T0)
    with ledger.decide() as connection:
        run(
            connection,
            """INSERT INTO exclusion (id, subject_kind, subject, from_ms, to_ms, category, clause, text, reason,
evidence, proposed_by, proposed_ms) VALUES ('X-1', 'endpoint', 'api', 1, 2, 'agreed', '4.2', 'Agreed.',
'Ann said so', 'mail of ann@example.org', :id, 3)""",
            id=ann.id,
        )
    done = erase_person(ledger, "ann", at_ms=AT, actor=PROGRAM)
    assert [(named.table, named.id, named.column) for named in done.still_named] == [
        ("exclusion", "X-1", "reason"),
        ("exclusion", "X-1", "evidence"),
    ]


def test_an_erasure_that_fails_takes_everything_back(ledger: Ledger) -> None:
    ann = os_user(ledger, "ann", at_ms=T0)
    add(ledger, 1, by="ann")
    with ledger.decide() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE ON person BEGIN SELECT RAISE(ABORT, 'not now'); END"
        )
    with pytest.raises(Exception, match="not now"):
        erase_person(ledger, ann.id, at_ms=AT, actor=PROGRAM)
    assert rows(ledger, "SELECT COUNT(*) FROM journal_body WHERE body IS NOT NULL") == [(1,)]
    assert verify(ledger).records == 1


def test_the_record_of_an_erasure_that_names_a_common_word_is_not_erased_itself(ledger: Ledger) -> None:
    os_user(ledger, "asked", at_ms=T0)
    add(ledger, 1)
    erase_body(ledger, 1, reason="asked for", at_ms=AT, actor=PROGRAM)
    assert plan(ledger, "asked").bodies == ()
    with ledger.decide() as connection:
        append(connection, at_ms=AT, actor=PROGRAM, action="import", subject="endpoint", body={"by": "asked"})
    assert plan(ledger, "asked").bodies == (3,)
