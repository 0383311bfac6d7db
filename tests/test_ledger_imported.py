"""History beside what was seen live: those decide who looked, live checks first."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_history import REACH, facts, known, minutes, report, take
from ledger_scenes import MINUTE, T0, checks, new_ledger, watch, writing

from ledger.imported import Witness, united
from ledger.latency import latencies
from ledger.outages import outages
from ledger.sampling import due_and_made
from ledger.store import Ledger
from sla.facts import Outage
from sla.spans import Spans

# -- beside live checks ------------------------------------------------------------------------------------------------


def seen_live(ledger: Ledger, story: str, *, from_minute: int = 0) -> None:
    with writing(ledger) as writer:
        watch(writer, checks(story, from_ms=T0 + from_minute * MINUTE))


def test_imported_outages_change_nothing_where_live_checks_looked(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "uuuuuuuudduuu")
        before = facts(ledger)
        report(ledger, (2, 5))
        after = facts(ledger)
    assert minutes(after.outages) == minutes(before.outages) == [(8.0, 10.0)]
    assert after.unknown == before.unknown


def test_imported_outages_speak_where_nobody_live_looked(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "uuuuu-------------------------uuuuu")
        report(ledger, (4, 12), cause="network", text="Our uplink was cut.")
        found = facts(ledger)
    (one,) = found.outages
    assert minutes([one]) == [(4 + REACH, 12.0)]  # up to the reach of the last live check it was up
    assert (one.cause, one.text) == ("network", "Our uplink was cut.")
    assert known(found, until=30) == 12


def test_an_outage_that_was_running_when_the_daemon_came_is_one_with_what_was_reported_before(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "ddduu", from_minute=10)
        (live,) = facts(ledger).outages
        report(ledger, (2, 12))
        (one,) = facts(ledger).outages
    assert minutes([one]) == [(2.0, 13.0)]  # live checks saw it end
    assert (one.first_good_ms, one.last_good_ms) == (live.first_good_ms, None)


def test_a_blind_hour_inside_a_live_outage_that_another_saw_good_is_not_down(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "uudd--------------------dduu")
        (live,) = facts(ledger).outages
        take(ledger, checks("uuuuuuuuuu", from_ms=T0 + 8 * MINUTE))
        found = facts(ledger)
    assert minutes([live]) == [(2.0, 26.0)]
    (gap,) = [span for span in minutes(found.outages) if span[0] > 2]
    assert minutes(found.outages)[0] == (2.0, 8.0)
    assert gap == (17 + REACH, 26.0)
    assert {outage.id for outage in found.outages} == {live.id}


def test_of_two_sources_that_differ_the_worse_holds_whichever_came_first(tmp_path: Path) -> None:
    good, bad = checks("uuuuuuuuuu"), checks("uuudddduuu")
    answers = []
    for number, order in enumerate((("a", "b"), ("b", "a"))):
        with new_ledger(tmp_path, f"{number}.db") as ledger:
            for source in order:
                take(ledger, good if source == "a" else bad, f"{source}.csv", source=source)
            answers.append(minutes(facts(ledger).outages))
    assert answers == [[(3.0, 7.0)], [(3.0, 7.0)]]


@st.composite
def witnesses(draw: st.DrawFn) -> Witness:
    """Somebody who looked now and then, and whose outages begin and end where it looked."""
    steps = draw(st.lists(st.integers(0, 30), min_size=0, max_size=6, unique=True).map(sorted))
    covered = Spans.of(zip(steps[::2], steps[1::2], strict=False))
    cuts = draw(st.lists(st.sampled_from(range(31)), max_size=6, unique=True).map(sorted))
    spans = [span for span in zip(cuts[::2], cuts[1::2], strict=False) if span[0] in covered]
    return Witness(covered, tuple(Outage(f"O-{start}", start, end) for start, end in spans))


@settings(max_examples=300, deadline=None)
@given(live=witnesses(), first=witnesses(), second=witnesses())
def test_at_each_instant_those_decide_who_looked_and_live_checks_first(
    live: Witness, first: Witness, second: Witness
) -> None:
    def bad(witness: Witness, at: int) -> bool:
        return at in witness.covered and any(o.from_ms <= at < (o.to_ms or 0) for o in witness.outages)

    found = united(live, [first, second], until_ms=40)
    told = Spans.of((o.from_ms, o.to_ms or 0) for o in found)
    assert len(told.spans) == len(found)  # none overlaps or touches another
    for at in range(31):
        if at in live.covered:
            assert (at in told) == bad(live, at)
        elif at in first.covered or at in second.covered:
            assert (at in told) == (bad(first, at) or bad(second, at))
    spans = [(o.from_ms, o.to_ms) for o in united(live, [second, first], until_ms=40)]
    assert spans == [(o.from_ms, o.to_ms) for o in found]


def test_any_cut_of_time_shows_the_same_outages_of_live_and_imported_history(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "uudd--------------------dduu----dduu")
        take(ledger, checks("uuuuddduuuudd", from_ms=T0 + 3 * MINUTE), source="a")
        take(ledger, checks("dddduuuu", from_ms=T0 + 14 * MINUTE), source="b")
        report(ledger, (26, 33), (36, 45))
        whole = {(o.from_ms, o.to_ms, o.id) for o in facts(ledger).outages}
        for start in range(-2, 50):
            span = (T0 + start * MINUTE, T0 + (start + 5) * MINUTE)
            cut = facts(ledger, from_ms=span[0], to_ms=span[1]).outages
            shown = {(o.from_ms, o.to_ms, o.id) for o in cut}
            assert shown == {one for one in whole if one[0] < span[1] and one[1] > span[0]}, start
    assert len(whole) > 4


def test_imported_checks_are_made_checks_and_answer_for_times_without_live_ones(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "uuuu")
        take(ledger, checks("uuuuuu", from_ms=T0 + 2 * MINUTE))
        spans = [(T0, T0 + 3 * MINUTE), (T0 + 4 * MINUTE, T0 + 10 * MINUTE)]
        counts = [found.count for found in latencies(ledger, "api", spans)]
        with ledger.decide() as connection:
            body = json.dumps({"interval_ms": MINUTE})
            connection.exec_driver_sql("INSERT INTO definition VALUES (1, 'endpoint', 'api', 0, ?)", (body,))
        with ledger.read() as connection:
            key = {"endpoint": 1, "location": 1}
            assert due_and_made(connection, "api", key, from_ms=T0, to_ms=T0 + 10 * MINUTE) == (10, 8)
    assert counts == [3, 4]


def test_history_after_live_checks_does_not_disturb_where_they_go_on(tmp_path: Path) -> None:
    from ledger.resume import resume_point

    with new_ledger(tmp_path) as ledger:
        seen_live(ledger, "uudd")
        before = resume_point(ledger, "api", "local")
        take(ledger, checks("uuuuuuuudddd"))
        assert resume_point(ledger, "api", "local") == before


# -- reported outages --------------------------------------------------------------------------------------------------


def test_reported_outages_that_overlap_or_touch_are_one_and_time_around_them_stays_unknown(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        taken = report(ledger, (10, 20), (15, 30), (30, 40), (50, 60), (10, 20))
        found = facts(ledger)
    assert (taken.rows, taken.new, taken.repeated) == (5, 4, 1)
    assert minutes(found.outages) == [(10.0, 40.0), (50.0, 60.0)]
    assert known(found, until=100) == 40


def test_observed_time_outside_reported_outages_was_up(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        report(ledger, (10, 20), observed=(0, 100))
        found = facts(ledger)
    assert (minutes(found.outages), known(found, until=100)) == ([(10.0, 20.0)], 100)


def test_a_longer_report_of_the_same_outage_keeps_its_id(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        report(ledger, (10, 20), observed=(0, 60))
        (before,) = outages(ledger)
        report(ledger, (18, 31), file="later.csv")
        (after,) = outages(ledger)
        again = report(ledger, (18, 31), (10, 20), file="both.csv")
    assert (after.outage.id, minutes([after.outage])) == (before.outage.id, [(10.0, 31.0)])
    assert again.import_id is None
