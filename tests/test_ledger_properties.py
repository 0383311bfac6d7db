"""Whatever happens to an endpoint and its daemon: what the ledger says is what was seen, no more and no less."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_scenes import METHOD, MINUTE, SECOND, T0, checks, new_ledger

from ledger.facts import endpoint_facts
from ledger.live import live
from ledger.recording import Life, Observed, Recorder
from ledger.resume import resume_point
from ledger.store import Ledger
from sla.facts import EndpointFacts
from sla.judge import Check, CoverageClosed, CoverageOpened, State, Transition, judge, resume
from sla.spans import Spans

SETTINGS = settings(max_examples=20, deadline=None, derandomize=True)
HISTORIES = st.text("uuuudddgg?-", min_size=1, max_size=40)


def record(recorder: Recorder, boot: str, state: State, made: list[Check]) -> tuple[State, list[Transition]]:
    batch: list[Observed] = []
    for check in made:
        state, said = judge(state, check, METHOD)
        batch.append(Observed("api", "local", check, transitions=said))
    recorder.record(batch, Life(boot, "local"))
    return state, [one for observed in batch for one in observed.transitions]


def resumed(ledger: Ledger, recorder: Recorder, boot: str, at_ms: int) -> State:
    point = resume_point(ledger, "api", "local")
    state, said = resume(
        METHOD,
        at_ms=at_ms,
        checks=point.checks,
        open_outage=point.open_outage,
        open_degraded=point.open_degraded,
        coverage_from_ms=point.coverage_from_ms,
        reach_ms=point.reach_ms,
        covered_until_ms=point.covered_until_ms,
        off_from_ms=point.off_from_ms,
    )
    recorder.record([Observed("api", "local", None, transitions=said)] if said else [], Life(boot, "local", at_ms))
    return state


def facts(ledger: Ledger, now_ms: int) -> EndpointFacts:
    return endpoint_facts(ledger, ["api"], from_ms=T0 - MINUTE, to_ms=T0 + 10**9, now_ms=now_ms)["api"]


def in_a_ledger() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="nines-property-")


@SETTINGS
@given(HISTORIES)
def test_unknown_is_all_that_the_judge_did_not_cover(history: str) -> None:
    with in_a_ledger() as folder, new_ledger(Path(folder)) as ledger:
        made = checks(history)
        now_ms = T0 + len(history) * MINUTE
        _, told = record(Recorder(ledger), "boot-1", State(), made)
        Recorder(ledger).record([], Life("boot-1", "local", now_ms))
        covered = [(one.from_ms, one.to_ms) for one in told if isinstance(one, CoverageClosed)]
        opened = [one for one in told if isinstance(one, CoverageOpened)]
        if len(opened) > len(covered):
            last_seen_ms = max(check.at_ms for check in made if check.verdict != "unknown")
            covered.append((opened[-1].from_ms, min(last_seen_ms + METHOD.reach_ms, now_ms)))
        everything = Spans.of([(T0 - MINUTE, now_ms)])
        assert facts(ledger, now_ms).unknown == everything - Spans.of(covered)


@SETTINGS
@given(HISTORIES, st.integers(1, 40), st.integers(1, 19))
def test_a_restart_that_misses_no_tick_changes_nothing(history: str, cut: int, pause_s: int) -> None:
    made = checks(history, every_ms=15 * SECOND)  # the retry pace: the next check is never late
    now_ms = T0 + len(history) * 15 * SECOND
    with in_a_ledger() as folder:
        with new_ledger(Path(folder), "one.db") as ledger:
            record(Recorder(ledger), "boot-1", State(), made)
            Recorder(ledger).record([], Life("boot-1", "local", now_ms))
            whole, whole_live = facts(ledger, now_ms), live(ledger, ["api"], now_ms=now_ms)["api"]
        with new_ledger(Path(folder), "two.db") as ledger:
            recorder, before, after = Recorder(ledger), made[:cut], made[cut:]
            state, _ = record(recorder, "boot-1", State(), before)
            at_ms = before[-1].at_ms + pause_s * 700 if before else T0
            state = resumed(ledger, Recorder(ledger), "boot-2", at_ms)
            record(Recorder(ledger), "boot-2", state, after)
            Recorder(ledger).record([], Life("boot-2", "local", now_ms))
            parted, parted_live = facts(ledger, now_ms), live(ledger, ["api"], now_ms=now_ms)["api"]
    assert [_bounds(one) for one in parted.outages] == [_bounds(one) for one in whole.outages]
    assert [_bounds(one) for one in parted.degraded] == [_bounds(one) for one in whole.degraded]
    assert (parted.unknown, parted.unconfirmed) == (whole.unknown, whole.unconfirmed)
    assert (parted_live.verdict, parted_live.since_ms) == (whole_live.verdict, whole_live.since_ms)


def _bounds(outage: object) -> tuple[object, ...]:
    names = ("from_ms", "to_ms", "last_good_ms", "first_bad_ms", "confirmed_ms", "last_bad_ms", "first_good_ms")
    return tuple(getattr(outage, name) for name in (*names, "failed_checks"))


@SETTINGS
@given(HISTORIES, HISTORIES, st.integers(0, 59), st.integers(5, 600))
def test_after_a_kill_time_is_never_up_and_never_down_beyond_what_was_seen(
    before: str, after: str, lived_s: int, away_min: int
) -> None:
    made = checks(before)
    with in_a_ledger() as folder, new_ledger(Path(folder)) as ledger:
        record(Recorder(ledger), "boot-1", State(), made)
        killed_ms = (made[-1].at_ms if made else T0) + lived_s * SECOND
        Recorder(ledger).record([], Life("boot-1", "local", killed_ms))
        back_ms = killed_ms + away_min * MINUTE
        state = resumed(ledger, Recorder(ledger), "boot-2", back_ms)
        later = checks(after, from_ms=back_ms)
        record(Recorder(ledger), "boot-2", state, later)
        now_ms = back_ms + len(after) * MINUTE
        Recorder(ledger).record([], Life("boot-2", "local", now_ms))
        found = facts(ledger, now_ms)
    away = Spans.of([(killed_ms, back_ms)])
    assert (found.unknown & away) == away
    for outage in (*found.outages, *found.degraded):
        ends_ms = now_ms if outage.to_ms is None else outage.to_ms
        seen_bad = {check.at_ms for check in (*made, *later) if check.verdict in ("down", "degraded")}
        assert outage.from_ms in seen_bad
        assert not killed_ms < ends_ms <= back_ms or outage.to_ms == back_ms
