"""The writer of observations: killed, locked out, full, fed nonsense; what it tells and what it keeps."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from ledger_scenes import METHOD, MINUTE, SECOND, T0, checks, new_ledger, watch, writing

from ledger import observations
from ledger.events import events
from ledger.facts import endpoint_facts
from ledger.lives import Pulse, pulse
from ledger.observations import NotWritten, ObservationWriter, Observed
from ledger.outages import outage, outages
from ledger.phases import read_phases
from ledger.store import Ledger, open_ledger
from sla.judge import Check, Closed, Method, Opened, State, judge
from sla.spans import Spans

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def rows(ledger: Ledger, query: str) -> list[tuple[object, ...]]:
    with ledger.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def up(at_ms: int) -> Observed:
    return Observed("api", "local", Check(at_ms, "up", None, 12))


KILLED = """
    import sys
    sys.path.insert(0, "tests")
    from ledger_scenes import METHOD, T0
    from ledger.observations import ObservationWriter, Observed
    from ledger.store import open_ledger
    from sla.judge import Check, State, judge

    writer = ObservationWriter(open_ledger(sys.argv[1], at_ms=T0), boot_id="killed", batch_every_s=0.02)
    state = State()
    for number in range(10**9):
        check = Check(T0 + number * 1000, "down" if number % 50 > 25 else "up", None, 5)
        state, transitions = judge(state, check, METHOD)
        writer.life(check.at_ms)
        writer.put(Observed("api", "local", check, transitions=transitions), wait=True)
        if number % 50 == 49:
            writer.flush()
            print(number, flush=True)
"""


def test_sigkill_in_mid_stream_loses_nothing_that_was_on_disk(ledger: Ledger) -> None:
    ledger.close()
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(ledger.path)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) > 400:
            break
    child.kill()
    promised = int(line)
    promised = max([promised, *(int(more) for more in child.stdout.read().split("\n")[:-1])])
    child.wait(10)
    child.stdout.close()
    with open_ledger(ledger.path, at_ms=T0) as again:
        assert rows(again, "PRAGMA integrity_check") == [("ok",)]
        ((count, newest),) = rows(again, "SELECT COUNT(*), MAX(at_ms) FROM raw_check")
        assert count >= promised + 1
        assert newest == T0 + (count - 1) * SECOND  # nothing is missing in between
        replayed = _replay(count)
        found = outages(again)
        assert sorted((one.outage.from_ms, one.outage.to_ms) for one in found if one.outage.to_ms) == [
            (opened.from_ms, closed.to_ms) for opened, closed in replayed
        ]
        (stamp,) = rows(again, "SELECT stamp_ms, stopped_ms FROM life")
        assert stamp == (newest, None)
        facts = endpoint_facts(again, ["api"], from_ms=T0, to_ms=10**14, now_ms=newest + 10**7)["api"]
        assert facts.unknown == Spans(((newest, newest + 10**7),))


def _replay(count: int) -> list[tuple[Opened, Closed]]:
    """What the judge says to the first `count` checks of the killed child: whole outages."""
    state, opened, whole = State(), None, []
    for number in range(count):
        check = Check(T0 + number * 1000, "down" if number % 50 > 25 else "up", None, 5)
        state, transitions = judge(state, check, METHOD)
        for transition in transitions:
            if isinstance(transition, Opened):
                opened = transition
            elif isinstance(transition, Closed) and opened is not None:
                whole.append((opened, transition))
    return whole


def test_a_locked_database_delays_and_drops_nothing(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    impatient = open_ledger(ledger.path, at_ms=T0, busy_timeout_ms=20)
    other = sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with impatient, writing(impatient) as writer, caplog.at_level(logging.WARNING, "nines.ledger"):
        for observed in (Observed("api", "local", check) for check in checks("u" * 50)):
            writer.put(observed)
        with pytest.raises(NotWritten, match="the ledger was locked or its disk full"):
            writer.flush(0.3)
        assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == [(0,)]
        other.execute("ROLLBACK")
        other.close()
        writer.flush()
        assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == [(50,)]
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == ["50 observations wait to be written"]
    assert writer.lost == 0


def test_a_transition_its_outage_and_its_event_are_one_and_are_told_after_the_commit(ledger: Ledger) -> None:
    told: list[tuple[str, ...]] = []
    seen: list[int] = []

    def listen(ids: tuple[str, ...]) -> None:
        told.append(ids)
        seen.append(len(events(ledger, ids=ids)))

    writer = ObservationWriter(ledger, boot_id="boot-1", on_commit=listen, batch_every_s=3600)
    watch(writer, checks("udddu"))
    writer.close()
    (recorded,) = outages(ledger)
    id = recorded.outage.id
    assert [one for ids in told for one in ids] == [f"{id}.opened", f"{id}.closed"]
    assert seen == [len(ids) for ids in told]
    opened, closed = events(ledger)
    assert (opened.kind, closed.kind) == ("outage.opened", "outage.closed")
    assert opened.body == {
        "endpoint": "api",
        "location": "local",
        "kind": "down",
        "outage": id,
        "from_ms": T0 + MINUTE,
        "to_ms": None,
        "last_good_ms": T0,
        "confirmed_ms": T0 + 2 * MINUTE,
        "end_reason": None,
        "error": "http_status",
        "failed_checks": 2,
    }
    assert closed.body["to_ms"] == T0 + 4 * MINUTE
    assert (closed.body["end_reason"], closed.body["failed_checks"]) == ("recovered", 3)


def test_transitions_are_on_disk_at_once_and_checks_within_the_batch(ledger: Ledger) -> None:
    committed = threading.Event()
    writer = ObservationWriter(ledger, boot_id=None, on_commit=lambda _: committed.set(), batch_every_s=3600)
    state, said = judge(State(), checks("d")[0], METHOD)
    writer.put(Observed("api", "local", checks("d")[0], transitions=said))
    state, said = judge(state, checks("dd")[1], METHOD)
    writer.put(Observed("api", "local", checks("dd")[1], transitions=said))
    assert committed.wait(10)
    assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == [(2,)]
    writer.close()


def test_a_listener_that_fails_does_not_stop_the_writer(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    writer = ObservationWriter(ledger, boot_id=None, on_commit=lambda _: 1 // 0, batch_every_s=0.01)
    watch(writer, checks("uddu"), alive=False)
    writer.close()
    assert len(outages(ledger)) == 1
    assert "what follows a commit failed" in caplog.text


def test_a_full_queue_refuses_checks_loudly_but_never_a_transition(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    impatient = open_ledger(ledger.path, at_ms=T0, busy_timeout_ms=20)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer = ObservationWriter(impatient, boot_id=None, batch_every_s=0.01, capacity=5)
    writer.put(up(T0))
    with pytest.raises(NotWritten):
        writer.flush(0.1)
    for number in range(1, 9):
        writer.put(up(T0 + number))
    opened = Opened("down", T0 + 9, T0, T0 + 10, "timeout", 2)
    writer.put(Observed("api", "local", Check(T0 + 10, "down"), transitions=(opened,)))
    assert writer.lost == 3
    other.execute("ROLLBACK")
    other.close()
    writer.close()
    impatient.close()
    assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == [(7,)]
    assert len(outages(ledger)) == 1
    assert "wait to be written" in caplog.text


def test_one_observation_that_no_database_takes_does_not_take_others_with_it(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(ledger) as writer:
        writer.put(up(T0))
        writer.put(Observed("api", "local", Check(T0 + 1, "up", None, 1.5)))  # type: ignore[arg-type]
        writer.put(up(T0 + 2))
    assert rows(ledger, "SELECT at_ms FROM raw_check") == [(T0,), (T0 + 2,)]
    assert writer.lost == 1
    assert "an observation cannot be recorded" in caplog.text


def test_a_writer_that_cannot_finish_says_so_and_ends(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "TRY_AGAIN_S", (60.0,))
    impatient = open_ledger(ledger.path, at_ms=T0, busy_timeout_ms=20)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer = ObservationWriter(impatient, boot_id=None, batch_every_s=0.01)
    writer.put(up(T0))
    with pytest.raises(NotWritten):
        writer.close(0.3)
    other.close()
    impatient.close()
    assert "observation writer" not in [thread.name for thread in threading.enumerate()]


def test_a_closed_writer_refuses_what_would_be_lost(ledger: Ledger) -> None:
    writer = ObservationWriter(ledger, boot_id=None)
    writer.close()
    with pytest.raises(RuntimeError, match="the writer of observations is closed"):
        writer.put(up(T0))


def test_readers_see_whole_transactions_while_the_writer_writes(ledger: Ledger) -> None:
    """Never an outage without its event, nor a stretch of coverage without the check that began it."""
    torn: list[tuple[object, ...]] = []
    done = threading.Event()

    def read() -> None:
        query = """SELECT i.id FROM "interval" AS i LEFT JOIN event AS e ON e.outage = i.id WHERE e.id IS NULL
UNION SELECT c.from_ms FROM coverage AS c LEFT JOIN raw_check AS r ON r.at_ms = c.from_ms WHERE r.at_ms IS NULL"""
        while not done.is_set():
            torn.extend(rows(ledger, query))

    reader = threading.Thread(target=read)
    reader.start()
    with writing(ledger) as writer:
        watch(writer, checks("uddu?udd" * 40))
    done.set()
    reader.join()
    assert torn == []
    assert len(outages(ledger)) == 80


def test_the_same_instant_twice_is_one_check(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        writer.put(up(T0))
        writer.put(up(T0))
    assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == [(1,)]


def test_phases_are_kept_where_a_check_was_not_up_and_beside_one(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        for check in checks("uududuu"):
            writer.put(Observed("api", "local", check, phases_us={"dns": 1, "connect": 7}))
        writer.flush()
    since = "(at_ms - (SELECT MIN(at_ms) FROM raw_check)) / 60000"
    kept = rows(ledger, f"SELECT {since} FROM check_evidence WHERE phases <> ''")
    assert kept == [(1,), (2,), (3,), (4,), (5,)]
    ((text,),) = rows(ledger, "SELECT DISTINCT phases FROM check_evidence WHERE phases <> ''")
    assert read_phases(str(text)) == {"dns": 1, "connect": 7}


def test_a_life_is_stamped_and_ends_with_a_clean_stop(ledger: Ledger) -> None:
    assert pulse(ledger, now_ms=T0) == Pulse(None, None, False)
    with writing(ledger) as writer:
        writer.life(T0)
        writer.flush()
        writer.life(T0 + 4_000)
        writer.flush()
        assert pulse(ledger, now_ms=T0 + 9_000) == Pulse(T0 + 4_000, None, True)
        assert pulse(ledger, now_ms=T0 + 9_001) == Pulse(T0 + 4_000, None, False)
        writer.stopped(T0 + 5_000)
    assert pulse(ledger, now_ms=T0 + 5_001) == Pulse(T0 + 5_000, T0 + 5_000, False)


def test_a_writer_that_is_no_daemon_stamps_no_life(ledger: Ledger) -> None:
    with writing(ledger, boot=None) as writer:
        watch(writer, checks("uu"))
        writer.stopped(T0)
    assert rows(ledger, "SELECT * FROM life") == []


def test_an_end_without_a_beginning_is_written_whole(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    closed = Closed("down", T0, T0 + MINUTE, T0 + SECOND, T0 + MINUTE, 3, "recovered")
    with writing(ledger) as writer:
        writer.put(Observed("api", "local", None, transitions=(closed,)))
    (found,) = outages(ledger)
    assert (found.outage.from_ms, found.outage.to_ms) == (T0, T0 + MINUTE)
    assert "no open row" in caplog.text


def test_a_second_beginning_does_not_open_a_second_outage(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    opened = Opened("down", T0, None, T0 + 1, "timeout", 2)
    with writing(ledger) as writer:
        writer.put(Observed("api", "local", None, transitions=(opened,)))
        writer.put(Observed("api", "local", None, transitions=(opened,)))
    assert len(outages(ledger)) == 1
    assert "is still open" in caplog.text


def test_degraded_that_worsens_is_two_records_of_their_own_kinds(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("ugggdddu"))
    (down,) = outages(ledger)
    (degraded,) = outages(ledger, kinds=("degraded",))
    assert degraded.outage.to_ms == down.outage.from_ms == T0 + 4 * MINUTE
    assert degraded.end_reason == "worsened"


def test_outages_are_listed_open_ones_first_then_the_newest(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("udduudduuuu"), endpoint="a")
        watch(writer, checks("uuuuuuuddd"), endpoint="b")
        watch(writer, checks("udd"), endpoint="c")
    found = outages(ledger)
    assert [(one.endpoint, one.is_open) for one in found] == [("b", True), ("c", True), ("a", False), ("a", False)]
    assert found[2].outage.from_ms > found[3].outage.from_ms
    assert {one.endpoint for one in outages(ledger, open_only=True)} == {"b", "c"}
    assert [one.endpoint for one in outages(ledger, endpoints=["a"], limit=1)] == ["a"]
    at = T0 + 2 * MINUTE
    assert {one.endpoint for one in outages(ledger, from_ms=at, to_ms=at + 1)} == {"a", "c"}


def test_an_outage_is_found_by_its_id_in_any_spelling(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uddu"))
    (found,) = outages(ledger)
    assert found.outage.id is not None
    assert outage(ledger, found.outage.id.lower()) == found
    assert outage(ledger, "O-00000") is None


def test_many_checks_are_written_in_a_moment(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        for number in range(20_000):
            writer.put(Observed(f"e{number % 100}", "local", Check(T0 + number, "up", None, 12)), wait=True)
        writer.flush(20)
    assert rows(ledger, "SELECT COUNT(*) FROM raw_check") == [(20_000,)]


def test_a_changed_reach_begins_a_new_stretch_of_coverage(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        state = watch(writer, checks("uu"))
        slower = Method(interval_ms=5 * MINUTE, timeout_ms=10 * SECOND)
        watch(writer, checks("uu", from_ms=T0 + 2 * MINUTE, every_ms=5 * MINUTE), state=state, method=slower)
    assert rows(ledger, "SELECT from_ms, to_ms, reach_ms FROM coverage ORDER BY number") == [
        (T0, T0 + 2 * MINUTE, METHOD.reach_ms),
        (T0 + 2 * MINUTE, None, slower.reach_ms),
    ]
    facts = endpoint_facts(ledger, ["api"], from_ms=T0, to_ms=T0 + 7 * MINUTE, now_ms=T0 + 7 * MINUTE)["api"]
    assert not facts.unknown
