"""What others read from the ledger: deliveries, windows and decisions, exclusions, response times, the live state."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from ledger_scenes import HOUR, MINUTE, SECOND, T0, checks, new_ledger, watch, writing

from ledger.events import CLAIM_MS, OLDEST_MS, Claimed, claim_deliveries, events, mark_failed, mark_sent
from ledger.exclusions import exclusions_between
from ledger.identity import short_id
from ledger.journal import PROGRAM, head
from ledger.journal_check import verify
from ledger.latency import Latency, latencies
from ledger.live import Live, live
from ledger.observations import Observed
from ledger.persons import os_user
from ledger.store import Ledger, open_ledger
from ledger.windows import Decision, decide, on_record
from sla.facts import Exclusion, Window
from sla.judge import Check


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def an_outage(ledger: Ledger, verdicts: str = "uddu") -> None:
    with writing(ledger) as writer:
        watch(writer, checks(verdicts))


def names(claimed: tuple[Claimed, ...]) -> list[tuple[str, str]]:
    return [(one.channel, one.event.id.partition(".")[2]) for one in claimed]


# -- deliveries -------------------------------------------------------------------------------------------------------


def test_each_event_is_claimed_once_for_each_channel_and_in_order(ledger: Ledger) -> None:
    an_outage(ledger)
    now_ms = T0 + HOUR
    first = claim_deliveries(ledger, ["mail", "hook"], at_ms=now_ms)
    assert sorted(names(first)) == [("hook", "opened"), ("mail", "opened")]
    assert claim_deliveries(ledger, ["mail", "hook"], at_ms=now_ms) == ()
    mark_sent(ledger, next(one for one in first if one.channel == "mail"), at_ms=now_ms)
    assert names(claim_deliveries(ledger, ["mail", "hook"], at_ms=now_ms)) == [("mail", "closed")]


def test_a_claim_of_a_worker_that_died_runs_out(ledger: Ledger) -> None:
    an_outage(ledger, "udd")
    (lost,) = claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR)
    assert claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR + CLAIM_MS - 1) == ()
    (again,) = claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR + CLAIM_MS)
    assert (again.number, again.attempts) == (lost.number, 2)


def test_a_failed_delivery_comes_back_when_due_and_is_given_up_on_record(ledger: Ledger) -> None:
    an_outage(ledger, "udd")
    (one,) = claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR)
    mark_failed(ledger, one, error="mail.example.org: refused", next_ms=T0 + HOUR + MINUTE)
    assert claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR + MINUTE - 1) == ()
    (one,) = claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR + MINUTE)
    mark_failed(ledger, one, error="mail.example.org: refused", next_ms=None)
    assert claim_deliveries(ledger, ["mail"], at_ms=T0 + HOUR + 10 * CLAIM_MS) == ()
    with ledger.read() as connection:
        row = connection.exec_driver_sql("SELECT state, attempts, error FROM delivery").one()
    assert tuple(row) == ("given_up", 2, "mail.example.org: refused")


def test_a_channel_that_is_new_is_not_told_of_old_events(ledger: Ledger) -> None:
    an_outage(ledger)
    closed = events(ledger)[1]
    assert claim_deliveries(ledger, ["mail"], at_ms=closed.at_ms + OLDEST_MS + 1) == ()
    assert names(claim_deliveries(ledger, ["mail"], at_ms=closed.at_ms + OLDEST_MS)) == [("mail", "closed")]


def test_a_channel_that_left_the_config_keeps_its_rows_and_is_left_alone(ledger: Ledger) -> None:
    an_outage(ledger, "udd")
    assert len(claim_deliveries(ledger, ["mail", "hook"], at_ms=T0 + HOUR)) == 2
    assert names(claim_deliveries(ledger, ["hook"], at_ms=T0 + HOUR + CLAIM_MS)) == [("hook", "opened")]
    assert claim_deliveries(ledger, [], at_ms=T0 + HOUR + CLAIM_MS) == ()


def test_workers_that_claim_at_once_never_share_a_delivery(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        for number in range(30):
            watch(writer, checks("udd"), endpoint=f"e{number}")
    claimed: list[int] = []

    def work() -> None:
        with open_ledger(ledger.path, at_ms=T0) as own:
            while found := claim_deliveries(own, ["mail"], at_ms=T0 + HOUR, limit=3):
                claimed.extend(one.number for one in found)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 30


# -- maintenance ------------------------------------------------------------------------------------------------------


def window(start_ms: int = T0, *, definition: str = "upgrade", entered_ms: int | None = T0 - 100 * HOUR) -> Window:
    return Window(
        id=None,
        from_ms=start_ms,
        to_ms=start_ms + 2 * HOUR,
        entered_ms=entered_ms,
        scope=frozenset({("service", "api")}),
        title="Upgrade",
        definition=definition,
    )


def test_an_occurrence_has_its_id_before_and_after_it_is_on_record(ledger: Ledger) -> None:
    (before,) = on_record(ledger, [window()], contract="sample")
    decide(ledger, [Decision(window(), True, "in time")], contract="sample", at_ms=T0 + 2 * HOUR, actor=PROGRAM)
    (after,) = on_record(ledger, [window()], contract="sample")
    assert before.id == after.id
    assert str(before.id).startswith("M-")
    assert (before.accepted, after.accepted, after.why) == (None, True, "in time")
    (other,) = on_record(ledger, [window()], contract="another")
    assert other.accepted is None


def test_a_decision_is_made_once_when_the_window_has_ended(ledger: Ledger) -> None:
    ends_ms = T0 + 2 * HOUR
    answer = [Decision(window(), False, "too late"), Decision(window(T0 + 5 * HOUR), True, "in time")]
    assert decide(ledger, answer, contract="sample", at_ms=ends_ms - 1, actor=PROGRAM) == ()
    (made,) = decide(ledger, answer, contract="sample", at_ms=ends_ms, actor=PROGRAM)
    assert (made.accepted, made.why, made.window.accepted) == (False, "too late", False)
    changed = [Decision(window(), True, "after all")]
    assert decide(ledger, changed, contract="sample", at_ms=ends_ms + 1, actor=PROGRAM) == ()
    newest = head(ledger)
    assert newest is not None
    assert newest.seq == 1
    assert verify(ledger).sound


def test_what_is_on_record_is_read_even_when_the_definition_says_otherwise_now(ledger: Ledger) -> None:
    decide(ledger, [Decision(window(), True, "in time")], contract="sample", at_ms=T0 + 3 * HOUR, actor=PROGRAM)
    (found,) = on_record(ledger, [window(entered_ms=T0 + 1)], contract="sample")
    assert found.entered_ms == T0 - 100 * HOUR


def test_windows_given_as_facts_stay_as_given(ledger: Ledger) -> None:
    given = Window(None, T0, T0 + HOUR, None)
    assert on_record(ledger, [given]) == (given,)


def twins(ledger: Ledger) -> tuple[Window, Window]:
    """Two occurrences of one recurrence whose ids are the same at five characters."""
    seen: dict[str, int] = {}
    for day in range(1_000_000):
        start_ms = T0 + day * 24 * HOUR
        id = short_id("M", ledger.id, "upgrade", start_ms, taken=lambda _: False)
        if id in seen:
            return window(seen[id]), window(start_ms)
        seen[id] = start_ms
    raise AssertionError("no two ids of five characters met")


def test_occurrences_whose_ids_would_meet_have_ids_of_their_own(ledger: Ledger) -> None:
    first, second = twins(ledger)
    given = on_record(ledger, [first, second, first])
    assert given[0].id == given[2].id
    assert given[1].id is not None
    assert given[1].id[:-1] == given[0].id
    decide(ledger, [Decision(first, True, "")], contract="sample", at_ms=second.to_ms, actor=PROGRAM)
    decide(ledger, [Decision(second, True, "")], contract="sample", at_ms=second.to_ms, actor=PROGRAM)
    assert [one.id for one in on_record(ledger, [second, first])] == [given[1].id, given[0].id]


# -- exclusions -------------------------------------------------------------------------------------------------------


def test_only_approved_exclusions_of_the_subject_and_contract_count(ledger: Ledger) -> None:
    proposer, approver = (os_user(ledger, login, at_ms=T0).id for login in ("one", "two"))
    values = [
        ("X-1", "service", "api", None, approver, None),
        ("X-2", "service", "api", None, None, None),
        ("X-3", "service", "api", None, approver, T0 + 9),
        ("X-4", "service", "api", "other", approver, None),
        ("X-5", "endpoint", "api", None, approver, None),
    ]
    with ledger.decide() as connection:
        for id, kind, subject, contract, approved_by, withdrawn_ms in values:
            connection.exec_driver_sql(
                "INSERT INTO exclusion (id, subject_kind, subject, contract, from_ms, to_ms, category, clause, text,"
                " reason, evidence, proposed_by, proposed_ms, approved_by, approved_ms, withdrawn_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, 'force_majeure', '7.2', 'Flood', '', '', ?, ?, ?, ?, ?)",
                (id, kind, subject, contract, T0, T0 + HOUR, proposer, T0, approved_by, T0, withdrawn_ms),
            )
    found = exclusions_between(ledger, [("service", "api")], contract="sample", from_ms=T0, to_ms=T0 + 1)
    assert found == (Exclusion("X-1", T0, T0 + HOUR, "force_majeure", "7.2", "Flood"),)
    assert (
        exclusions_between(ledger, [("service", "api")], contract="sample", from_ms=T0 + HOUR, to_ms=T0 + 2 * HOUR)
        == ()
    )


# -- response times ---------------------------------------------------------------------------------------------------


def test_percentiles_are_exact_of_successful_checks_only(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        for number in range(1, 101):
            writer.put(Observed("api", "local", Check(T0 + number, "up", None, number)))
        writer.put(Observed("api", "local", Check(T0 + 500, "down", "timeout", 10_000)))
        writer.put(Observed("api", "local", Check(T0 + HOUR, "degraded", "slow", 7)))
    day, next_day, third = latencies(ledger, "api", [(T0, T0 + HOUR), (T0 + HOUR, T0 + 2 * HOUR), (0, 1)])
    assert day == Latency(T0, T0 + HOUR, 100, 50, 95, 99)
    assert next_day == Latency(T0 + HOUR, T0 + 2 * HOUR, 1, 7, 7, 7)
    assert third == Latency(0, 1, 0, None, None, None)
    assert latencies(ledger, "unheard", [(0, 1)]) == (third,)


# -- live -------------------------------------------------------------------------------------------------------------


def state(ledger: Ledger, now_ms: int) -> Live:
    return live(ledger, ["api"], now_ms=now_ms)["api"]


def test_an_endpoint_before_its_first_check_has_no_verdict(ledger: Ledger) -> None:
    assert state(ledger, T0) == Live("api")


def test_up_since_the_first_check_then_since_the_outage_ended(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        before = watch(writer, checks("uu"))
        assert state(ledger, T0 + MINUTE + 1) == Live("api", "up", T0, None, T0 + MINUTE, "up", 120, None)
        watch(writer, checks("ddu", from_ms=T0 + 2 * MINUTE), state=before)
    assert state(ledger, T0 + 4 * MINUTE + 1).since_ms == T0 + 4 * MINUTE


def test_down_since_the_first_failure_once_confirmed(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        before = watch(writer, checks("ud"))
        hoping = state(ledger, T0 + MINUTE + 1)
        assert (hoping.verdict, hoping.last_verdict, hoping.error) == ("up", "down", "http_status")
        watch(writer, checks("d", from_ms=T0 + 2 * MINUTE), state=before)
    found = state(ledger, T0 + 2 * MINUTE + 1)
    assert (found.verdict, found.since_ms) == ("down", T0 + MINUTE)
    assert str(found.outage).startswith("O-")


def test_unknown_since_the_daemon_was_last_seen(ledger: Ledger) -> None:
    an_outage(ledger, "udd")
    found = state(ledger, T0 + HOUR)
    assert (found.verdict, found.since_ms, found.last_check_ms) == ("unknown", T0 + 2 * MINUTE, T0 + 2 * MINUTE)


def test_unknown_since_the_check_that_saw_nothing(ledger: Ledger) -> None:
    an_outage(ledger, "uu?")
    found = state(ledger, T0 + 2 * MINUTE + SECOND)
    assert (found.verdict, found.since_ms) == ("unknown", T0 + 2 * MINUTE)


def test_degraded_is_a_state_of_its_own(ledger: Ledger) -> None:
    an_outage(ledger, "ugg")
    assert state(ledger, T0 + 2 * MINUTE + 1).verdict == "degraded"
