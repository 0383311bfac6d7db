"""Dated definitions: what holds at an instant, what never changes, what the journal says of a load."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from ledger_scenes import HOUR, T0, new_ledger

from ledger.definitions import PastDefinition, StoreResult, history, in_force, store
from ledger.journal import PROGRAM, head
from ledger.journal_check import verify
from ledger.store import Ledger
from sla.facts import Definition, DefinitionKind


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def endpoint(
    at_ms: int, body: dict[str, Any] | None, *, id: str = "api", kind: DefinitionKind = "endpoint"
) -> Definition:
    return Definition(kind, id, at_ms, body)


def load(ledger: Ledger, *definitions: Definition, at_ms: int = T0) -> StoreResult:
    return store(ledger, definitions, at_ms=at_ms, actor=PROGRAM, source_sha256="ab" * 32)


def test_what_holds_at_an_instant_is_the_version_in_force_then(ledger: Ledger) -> None:
    first, second = endpoint(T0, {"url": "http://a/"}), endpoint(T0 + HOUR, {"url": "http://b/"})
    load(ledger, first)
    load(ledger, second)
    assert in_force(ledger, T0 - 1) == {}
    assert in_force(ledger, T0 + HOUR - 1) == {("endpoint", "api"): first}
    assert in_force(ledger, T0 + HOUR) == {("endpoint", "api"): second}


def test_what_was_removed_is_no_longer_in_force_but_in_the_history(ledger: Ledger) -> None:
    load(ledger, endpoint(T0, {"url": "http://a/"}))
    load(ledger, endpoint(T0 + HOUR, None))
    assert in_force(ledger, T0 + HOUR) == {}
    assert [version.body for version in history(ledger, "endpoint", "api")] == [{"url": "http://a/"}, None]
    load(ledger, endpoint(T0 + 2 * HOUR, {"url": "http://a/"}))
    assert len(in_force(ledger, T0 + 2 * HOUR)) == 1


def test_what_says_the_same_is_not_stored_again(ledger: Ledger) -> None:
    load(ledger, endpoint(T0, {"a": 1, "b": [1, 2]}))
    result = load(ledger, endpoint(T0 + HOUR, {"b": [1, 2], "a": 1}), endpoint(T0 + HOUR, None, id="never-was"))
    assert result == StoreResult((), 2, None)
    assert len(history(ledger)) == 1
    before = head(ledger)
    assert before is not None
    assert before.seq == 1


def test_the_past_is_not_rewritten_and_a_refused_load_stores_nothing(ledger: Ledger) -> None:
    load(ledger, endpoint(T0 + HOUR, {"url": "http://a/"}))
    with pytest.raises(
        PastDefinition, match="endpoint api: a version of it that is known as long or longer is on record"
    ):
        load(ledger, endpoint(T0, {"x": 1}, id="other"), endpoint(T0 + HOUR, {"url": "http://b/"}))
    assert [version.id for version in history(ledger)] == ["api"]


def test_a_load_is_one_record_of_the_journal_with_the_source_and_what_changed(ledger: Ledger) -> None:
    result = load(ledger, endpoint(T0, {"a": 1}), endpoint(T0, {"a": 1}, id="b", kind="service"), at_ms=T0 + 5)
    assert result.head == head(ledger)
    with ledger.read() as connection:
        row = connection.exec_driver_sql("SELECT * FROM journal JOIN journal_body USING (seq)").mappings().one()
    assert (row["action"], row["subject"], row["subject_id"], row["at_ms"]) == (
        "config load",
        "config",
        "ab" * 32,
        T0 + 5,
    )
    assert json.loads(row["body"]) == {
        "source_sha256": "ab" * 32,
        "open_period": False,
        "definitions": [
            {"kind": "endpoint", "id": "api", "known_from_ms": T0, "removed": False},
            {"kind": "service", "id": "b", "known_from_ms": T0, "removed": False},
        ],
    }
    assert verify(ledger).sound


def test_a_file_that_changed_elsewhere_than_in_its_definitions_is_on_record_once(ledger: Ledger) -> None:
    first = load(ledger, endpoint(T0, {"a": 1}))
    said = [
        store(ledger, (endpoint(T0, {"a": 1}),), at_ms=T0 + HOUR, actor=PROGRAM, source_sha256=sha256)
        for sha256 in ("ab" * 32, "cd" * 32, "cd" * 32, None)
    ]
    assert [result.head is not None for result in said] == [False, True, False, False]
    assert [first.head and first.head.seq, said[1].head and said[1].head.seq] == [1, 2]
    assert [result.stored for result in said] == [()] * 4
    assert verify(ledger).sound


def test_the_history_is_by_kind_id_and_time(ledger: Ledger) -> None:
    load(ledger, endpoint(T0, {"a": 1}, id="z"), endpoint(T0, {"a": 1}, id="a"), endpoint(T0, {}, kind="client"))
    load(ledger, endpoint(T0 + 1, {"a": 2}, id="a"))
    assert [(one.kind, one.id, one.known_from_ms - T0) for one in history(ledger)] == [
        ("client", "api", 0),
        ("endpoint", "a", 0),
        ("endpoint", "a", 1),
        ("endpoint", "z", 0),
    ]
    assert [one.id for one in history(ledger, "client")] == ["api"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE definition SET body = '{}'",
        "DELETE FROM definition",
        "INSERT OR REPLACE INTO definition SELECT * FROM definition",
        "INSERT OR REPLACE INTO definition (kind, id, known_from_ms, body) SELECT kind, id, known_from_ms, '{}' "
        "FROM definition",
    ],
)
def test_the_database_itself_refuses_to_change_a_definition(ledger: Ledger, statement: str) -> None:
    load(ledger, endpoint(T0, {"a": 1}))
    connection = sqlite3.connect(ledger.path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match=r"a dated definition (is )?never"):
        connection.execute(statement)
    connection.close()
    assert history(ledger)[0].body == {"a": 1}


def test_bodies_come_back_as_they_were_with_every_letter(ledger: Ledger) -> None:
    body = {"name": "Überwachung „A“", "tiers": [["99.9", "10"]], "empty": {}, "none": None, "yes": True}
    load(ledger, endpoint(T0, body))
    assert history(ledger)[0].body == body
