"""Persons: opaque ids wherever they act, names in one table, and everything held of one in one document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from journal_scenes import add
from ledger_scenes import T0, new_ledger

from ledger.erasure import erase_body, erase_person
from ledger.identity import ALPHABET
from ledger.journal import PROGRAM
from ledger.persons import NoSuchPerson, SeveralPersons, held_of, name_of, os_user, persons
from ledger.query import run
from ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def name(ledger: Ledger, id: str, text: str) -> None:
    with ledger.decide() as connection:
        run(connection, "UPDATE person SET name = :text WHERE id = :id", id=id, text=text)


def test_a_login_is_one_person_with_an_opaque_id(ledger: Ledger) -> None:
    actor = os_user(ledger, "operator", at_ms=T0)
    assert os_user(ledger, "operator", at_ms=T0 + 5) == actor
    assert os_user(ledger, "another", at_ms=T0) != actor
    assert re.fullmatch(rf"P-[{ALPHABET}]{{16}}", actor.id)
    assert actor.kind == "person"
    assert name_of(ledger, actor.id) == "operator"
    assert name_of(ledger, "P-NOBODY") is None


def test_all_persons_are_listed_with_what_they_decided(ledger: Ledger) -> None:
    one = os_user(ledger, "one", at_ms=T0)
    two = os_user(ledger, "two", at_ms=T0 + 1)
    add(ledger, 1, actor=two)
    add(ledger, 2, actor=two)
    erase_person(ledger, one.id, at_ms=T0 + 9, actor=two)
    assert [(person.id, person.os_user, person.erased_ms, person.records) for person in persons(ledger)] == [
        (one.id, None, T0 + 9, 0),
        (two.id, "two", None, 3),
    ]


def test_everything_held_of_a_person_is_in_one_document(ledger: Ledger) -> None:
    ann, other = os_user(ledger, "ann", at_ms=T0), os_user(ledger, "other", at_ms=T0)
    name(ledger, ann.id, "Ann Example")
    with ledger.decide() as connection:
        insert = """INSERT INTO exclusion (id, subject_kind, subject, from_ms, to_ms, category, clause, text, reason,
evidence, proposed_by, proposed_ms, approved_by, approved_ms, withdrawn_by, withdrawn_ms)
VALUES (:id, 'endpoint', 'api', 1, 2, 'agreed', '4.2', 'Agreed.', 'why', 'none', :p, 3, :a, 4, :w, 5)"""
        run(connection, insert, id="X-1", p=ann.id, a=other.id, w=ann.id)
        run(connection, insert, id="X-2", p=other.id, a=ann.id, w=None)
        run(connection, insert, id="X-3", p=other.id, a=None, w=None)
    add(ledger, 1, actor=ann, file="one")
    add(ledger, 2, actor=other, note="for Ann Example")
    add(ledger, 4, actor=ann, file="two")
    erase_body(ledger, 3, reason="asked for", at_ms=T0 + 9, actor=other)
    held = held_of(ledger, "ann")
    assert json.loads(json.dumps(held)) == held
    assert held["person"] | {"created_ms": T0} == {
        "id": ann.id,
        "name": "Ann Example",
        "os_user": "ann",
        "created_ms": T0,
        "erased_ms": None,
        "records": 2,
    }
    told = [(row["seq"], row["action"], row["body"], row["erased_reason"]) for row in held["journal"]]
    assert told == [(1, "import", {"file": "one"}, None), (3, "import", None, "asked for")]
    assert [(row["id"], row["did"]) for row in held["exclusions"]] == [
        ("X-1", ["proposed", "withdrawn"]),
        ("X-2", ["approved"]),
    ]
    assert held["named_in"] == [{"table": "journal_body", "id": "2", "column": "body"}]


def test_of_somebody_erased_the_decisions_are_still_held(ledger: Ledger) -> None:
    ann = os_user(ledger, "ann", at_ms=T0)
    add(ledger, 1, actor=ann, file="one")
    erase_person(ledger, ann.id, at_ms=T0 + 9, actor=PROGRAM)
    held = held_of(ledger, ann.id)
    assert (held["person"]["os_user"], held["person"]["erased_ms"]) == (None, T0 + 9)
    assert [row["action"] for row in held["journal"]] == ["import", "person erased"]


def test_a_person_is_found_by_id_login_or_name_and_never_by_guess(ledger: Ledger) -> None:
    ids = [os_user(ledger, login, at_ms=T0).id for login in ("one", "two")]
    for id in ids:
        name(ledger, id, "Ann Example")
    assert held_of(ledger, "two")["person"]["id"] == held_of(ledger, ids[1])["person"]["id"] == ids[1]
    with pytest.raises(SeveralPersons, match="Ann Example: more than one person is called so; give the id"):
        held_of(ledger, "Ann Example")
    with pytest.raises(NoSuchPerson, match="tw: no such person is on record; `nines person list` shows them"):
        held_of(ledger, "tw")
