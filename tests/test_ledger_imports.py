"""History in, below the command line: judged like live checks, beside them and never in their place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_history import DAY, REACH, facts, known, minutes, recorded, report, request, take
from ledger_scenes import HOUR, METHOD, MINUTE, SECOND, T0, checks, new_ledger, watch, writing
from sqlalchemy import create_engine

from ledger import journal, journal_check, schema
from ledger.import_judging import FOREVER_MS
from ledger.import_records import ImportRunning, SourceJudgedOtherwise, SourceTaken, earlier, importing
from ledger.imports import import_checks
from ledger.outages import outages
from ledger.query import all_rows
from ledger.store import OlderDatabase, open_ledger
from sla.judge import Check, Method

# -- judged like live ones ---------------------------------------------------------------------------------------------


def test_imported_checks_give_what_the_same_checks_give_live(tmp_path: Path) -> None:
    story = checks("uuuduudddduuu---uugggu-----?uudddu")
    with new_ledger(tmp_path, "live.db") as live, writing(live) as writer:
        watch(writer, story)
        seen = facts(live)
    with new_ledger(tmp_path, "imported.db") as ledger:
        taken = take(ledger, story)
        found = facts(ledger)
    assert (taken.rows, taken.new, taken.known, taken.repeated) == (len(story), len(story), 0, 0)
    assert [(o.from_ms, o.last_good_ms, o.confirmed_ms, o.failed_checks) for o in found.outages] == [
        (o.from_ms, o.last_good_ms, o.confirmed_ms, o.failed_checks) for o in seen.outages
    ]
    assert minutes(found.degraded) == minutes(seen.degraded)
    assert found.unknown.clip(0, story[-1].at_ms) == seen.unknown.clip(0, story[-1].at_ms)
    assert found.unconfirmed == seen.unconfirmed == 1


def test_history_that_ends_in_an_outage_ends_it_where_its_last_check_reaches(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        take(ledger, checks("uudd"))
        (found,) = outages(ledger)
    assert minutes([found.outage]) == [(2.0, 3 + REACH)]
    assert (found.end_reason, found.outage.first_good_ms, found.source) == ("unobserved", None, "other")


def test_a_held_check_reaches_to_the_next_one_and_the_last_one_no_further_than_the_law_says(tmp_path: Path) -> None:
    held = Method(MINUTE, 10 * SECOND, confirm=1, hold_ms=FOREVER_MS)
    with new_ledger(tmp_path) as ledger:
        take(ledger, [Check(T0, "up"), Check(T0 + 100 * MINUTE, "down"), Check(T0 + 300 * MINUTE, "up")], method=held)
        found = facts(ledger)
    assert minutes(found.outages) == [(100.0, 300.0)]
    assert known(found, until=400) == 300 + REACH


def test_no_alert_is_told_of_history(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        take(ledger, checks("uuddddu"))
        with ledger.read() as connection:
            assert all_rows(connection, "SELECT * FROM event") == []


# -- order, repetition, delay ------------------------------------------------------------------------------------------


def test_an_instant_with_two_verdicts_takes_the_worse_and_seen_beats_unseen(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        once = take(ledger, [*checks("uudu"), Check(T0 + 3 * MINUTE, "down", "timeout"), Check(T0, "unknown")])
        again = take(ledger, [Check(T0 + 2 * MINUTE, "up"), Check(T0 + MINUTE, "degraded")], "b.csv")
        (found,) = outages(ledger)
        assert minutes([found.outage]) == [(2.0, 3 + REACH)]
    assert (once.new, once.repeated, once.differing) == (4, 2, 2)
    assert (again.new, again.known, again.replaced, again.differing) == (0, 2, 1, 2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    story=st.text("uuudg?-", min_size=1, max_size=40),
    shuffled=st.randoms(use_true_random=False),
    files=st.integers(1, 3),
)
def test_any_order_repetition_and_delay_of_rows_gives_the_same_outages(
    tmp_path_factory: pytest.TempPathFactory, story: str, shuffled: Any, files: int
) -> None:
    rows = checks(story)
    with new_ledger(tmp_path_factory.mktemp("a")) as ledger:
        take(ledger, rows)
        expected = (recorded(ledger), facts(ledger).unknown)
    mixed = [*rows, *shuffled.sample(rows, len(rows) // 2)]
    shuffled.shuffle(mixed)
    with new_ledger(tmp_path_factory.mktemp("b")) as ledger:
        for number in range(files):
            take(ledger, mixed[number::files], f"{number}.csv")
        assert (recorded(ledger), facts(ledger).unknown) == expected


def test_the_same_rows_again_change_nothing_and_leave_no_record(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        first = take(ledger, checks("uuddduu"))
        before, head = recorded(ledger), journal.head(ledger)
        second = take(ledger, checks("uuddduu"), "other-name.csv")
        assert (recorded(ledger), journal.head(ledger)) == (before, head)
    assert first.import_id is not None
    assert (second.import_id, second.new, second.known) == (None, 0, 7)


def test_an_import_that_died_before_it_was_judged_is_finished_by_the_next(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO endpoint (number, id) VALUES (1, 'api')")
            connection.exec_driver_sql("INSERT INTO location (number, id) VALUES (1, 'local')")
            connection.exec_driver_sql("INSERT INTO source (number, id, kind) VALUES (1, 'other', 'checks')")
            for check in checks("uuddduu"):
                values = (check.at_ms, 2 if check.verdict == "down" else 0)
                connection.exec_driver_sql("INSERT INTO imported_check VALUES (1, 1, ?, 1, ?, NULL, NULL)", values)
        taken = take(ledger, checks("uuddduu"))
        assert minutes(facts(ledger).outages) == [(2.0, 5.0)]
    assert (taken.new, taken.known) == (0, 7)
    assert taken.import_id is not None


def test_an_outage_judged_anew_keeps_its_id_and_words_and_the_journal_has_both_figures(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        take(ledger, checks("uudd---dduuu"))
        (before,) = outages(ledger)
        with ledger.decide() as connection:
            connection.exec_driver_sql('UPDATE "interval" SET cause = ?', ("network",))
        take(ledger, [Check(T0 + 4 * MINUTE, "up")], "late.csv")
        after = {o.outage.from_ms: o.outage for o in outages(ledger)}
        with ledger.read() as connection:
            bodies = all_rows(connection, "SELECT body FROM journal_body ORDER BY seq DESC LIMIT 1")
        assert journal_check.verify(ledger).sound
    assert (len(after), before.outage.id) == (2, after[T0 + 2 * MINUTE].id)
    assert after[T0 + 2 * MINUTE].cause == "network"
    (told,) = json.loads(bodies[0].body)["endpoints"]
    assert (told["before"]["outages"], told["after"]["outages"]) == (1, 2)
    assert (told["before"]["down_ms"], told["after"]["down_ms"]) == (7 * MINUTE, 4 * MINUTE)


def test_the_journal_names_file_hash_source_and_counts(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        taken = take(ledger, checks("uu"))
        with ledger.read() as connection:
            (row,) = all_rows(connection, "SELECT j.*, b.body FROM journal AS j JOIN journal_body AS b USING (seq)")
    body = json.loads(row.body)
    assert (row.action, row.subject, row.subject_id) == ("history imported", "import", taken.import_id)
    assert (body["file"], body["sha256"], body["source"], body["kind"]) == ("a.csv", "sha of a.csv", "other", "checks")
    assert body["counts"] == {
        "rows": 2, "new": 2, "known": 0, "repeated": 0, "replaced": 0, "differing": 0, "refused": 0
    }  # fmt: skip


# -- sources -----------------------------------------------------------------------------------------------------------


def test_a_source_of_checks_takes_no_outages_and_live_is_no_source(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        take(ledger, checks("uu"), source="provider")
        with pytest.raises(SourceTaken, match="source provider holds checks, no outages; name another one"):
            report(ledger, (0, 1))
        with pytest.raises(SourceTaken, match="source live: that is what this program saw itself"):
            take(ledger, checks("uu"), source="live")


def test_a_source_is_judged_one_way_until_it_is_asked_to_be_judged_anew(tmp_path: Path) -> None:
    strict = Method(MINUTE, 10 * SECOND, confirm=1)
    with new_ledger(tmp_path) as ledger:
        take(ledger, checks("uudu"))
        assert outages(ledger) == ()
        with pytest.raises(
            SourceJudgedOtherwise, match="judged by the endpoint's own settings, and this asks for confirm 1"
        ):
            take(ledger, checks("u", from_ms=T0 + HOUR), "b.csv", method=strict, judged={"confirm": 1})
        take(ledger, checks("u"), "b.csv", method=strict, judged={"confirm": 1}, rejudge=True)
        assert minutes(o.outage for o in outages(ledger)) == [(2.0, 3.0)]


def test_a_file_taken_whole_is_known_by_its_hash_and_one_with_refused_rows_is_not(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        rows = [("api", "local", check) for check in checks("uu")]
        import_checks(ledger, request("a.csv"), rows, methods=lambda endpoint: ((0, METHOD),), refused=lambda: 1)
        assert earlier(ledger, request("a.csv")) is None
        take(ledger, checks("uuu"), "b.csv")
        found = earlier(ledger, request("b.csv"))
    assert found is not None
    assert found.counts["rows"] == 3


def test_a_row_that_cannot_be_read_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    def rows() -> Iterable[Any]:
        yield "api", "local", Check(T0, "up")
        raise ValueError("no more")

    with new_ledger(tmp_path) as ledger:
        with pytest.raises(ValueError, match="no more"):
            import_checks(ledger, request(), rows(), methods=lambda endpoint: ((0, METHOD),))
        with ledger.read() as connection:
            assert all_rows(connection, "SELECT * FROM imported_check") == []
            assert all_rows(connection, "SELECT * FROM source") == []


def test_two_imports_do_not_write_at_once_and_the_daemon_is_not_in_their_way(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with importing(ledger), pytest.raises(ImportRunning, match="another import writes into this ledger"):
            take(ledger, checks("uu"))
        take(ledger, checks("uu"))


def test_the_daemon_writes_on_while_history_comes_in(tmp_path: Path) -> None:
    past = checks("u" * 9_990 + "d" * 10 + "u" * 2_000, from_ms=T0 - 20 * DAY)
    with new_ledger(tmp_path) as ledger, writing(ledger) as writer, ThreadPoolExecutor(1) as pool:
        coming = pool.submit(take, ledger, past)
        state = None
        for minute in range(200):
            state = watch(writer, checks("u", from_ms=T0 + minute * MINUTE), state=state)
        assert coming.result(timeout=60).new == len(past)
        assert writer.lost == 0
        with ledger.read() as connection:
            assert [row.n for row in all_rows(connection, "SELECT COUNT(*) AS n FROM raw_check")] == [200]


# -- the schema --------------------------------------------------------------------------------------------------------


def test_a_ledger_of_the_first_version_is_migrated_with_everything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "nines.db"
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('ledger_id', 'x'), ('created_ms', '0')")
        connection.exec_driver_sql("INSERT INTO endpoint (number, id) VALUES (7, 'api')")
    engine.dispose()
    with pytest.raises(OlderDatabase):
        open_ledger(path, at_ms=T0)
    with open_ledger(path, at_ms=T0, migrate=True) as ledger:
        take(ledger, checks("uuddduu"))
        assert minutes(facts(ledger).outages) == [(2.0, 5.0)]
        with ledger.read() as connection:
            assert [row.number for row in all_rows(connection, "SELECT number FROM endpoint")] == [7]
    copy = sqlite3.connect(tmp_path / f"nines.db.before-{schema.CURRENT}")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    copy.close()
