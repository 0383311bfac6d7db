"""The judge under any history: what it says is consistent, and a restart anywhere changes nothing but the gap."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from sla_worlds import times

from sla.facts import Outage
from sla.judge import (
    Check,
    Closed,
    CoverageClosed,
    CoverageOpened,
    Method,
    Opened,
    State,
    Transition,
    judge,
    remove,
    resume,
)

METHODS = st.builds(
    Method,
    interval_ms=st.just(60_000),
    timeout_ms=st.just(10_000),
    confirm=st.integers(1, 4),
    recover=st.integers(1, 3),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([15_000, 60_000, 60_000, 400_000]), st.sampled_from(["up", "up", "degraded", "down", "unknown"])
    ),
    min_size=1,
    max_size=40,
)


def checks_of(steps: list[tuple[int, str]]) -> list[Check]:
    at_ms, found = 1_000_000, []
    for wait_ms, verdict in steps:
        at_ms += wait_ms
        found.append(Check(at_ms, verdict, "why"))  # type: ignore[arg-type]
    return found


@dataclass
class Record:
    """What a ledger would keep of the transitions."""

    open: dict[str, Opened] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    coverage: CoverageOpened | None = None
    covered: list[tuple[int, int]] = field(default_factory=list)

    def take(self, said: tuple[Transition, ...]) -> None:
        for one in said:
            match one:
                case Opened():
                    assert one.kind not in self.open
                    self.open[one.kind] = one
                case Closed():
                    assert self.open.pop(one.kind).from_ms == one.from_ms
                    self.closed.append(one)
                case CoverageOpened():
                    assert self.coverage is None
                    self.coverage = one
                case CoverageClosed():
                    assert self.coverage is not None
                    assert self.coverage.from_ms == one.from_ms
                    self.covered.append((one.from_ms, one.to_ms))
                    self.coverage = None

    def outage(self, kind: str) -> Outage | None:
        opened = self.open.get(kind)
        if opened is None:
            return None
        return Outage(
            "O-1",
            opened.from_ms,
            None,
            last_good_ms=opened.last_good_ms,
            confirmed_ms=opened.confirmed_ms,
            cause=opened.error or "",
        )


def told(method: Method, checks: list[Check]) -> Record:
    record, state = Record(), State()
    for check in checks:
        state, said = judge(state, check, method)
        record.take(said)
    return record


@given(METHODS, STEPS)
def test_outages_do_not_overlap_and_lie_between_their_evidence(method: Method, steps: list[tuple[int, str]]) -> None:
    record = told(method, checks_of(steps))
    down = [one for one in record.closed if one.kind == "down"]
    assert all(earlier.to_ms <= later.from_ms for earlier, later in pairwise(down))
    for one in record.closed:
        assert one.from_ms <= one.to_ms
        if one.reason in ("recovered", "unobserved"):
            assert one.first_good_ms is not None
            assert one.last_bad_ms <= one.to_ms <= one.first_good_ms
        assert one.failed_checks >= method.confirm


@given(METHODS, STEPS)
def test_coverage_is_disjoint_and_holds_every_check_that_saw_something(
    method: Method, steps: list[tuple[int, str]]
) -> None:
    checks = checks_of(steps)
    record = told(method, checks)
    assert all(a[1] <= b[0] for a, b in pairwise(record.covered))
    begun = [*record.covered, *([(record.coverage.from_ms, checks[-1].at_ms)] if record.coverage else [])]
    for check in checks:
        inside = any(start <= check.at_ms <= end for start, end in begun)
        assert inside or check.verdict == "unknown"
        assert not (check.verdict == "unknown" and any(start <= check.at_ms < end for start, end in begun))


@given(METHODS, STEPS, st.integers(0, 40))
def test_a_restart_that_misses_no_tick_changes_nothing(method: Method, steps: list[tuple[int, str]], cut: int) -> None:
    checks = checks_of(steps)
    before, after = checks[:cut], checks[cut:]
    record, state = Record(), State()
    for check in before:
        state, said = judge(state, check, method)
        record.take(said)
    resumed, said = resume(
        method,
        at_ms=before[-1].at_ms if before else 0,
        checks=since_the_last_good(before, record),
        open_outage=record.outage("down"),
        open_degraded=record.outage("degraded"),
        coverage_from_ms=record.coverage.from_ms if record.coverage else None,
        reach_ms=record.coverage.reach_ms if record.coverage else None,
        covered_until_ms=record.covered[-1][1] if record.covered and not record.coverage else None,
        off_from_ms=before[-1].at_ms if before else None,
    )
    assert said == ()
    for check in after:
        state, first = judge(state, check, method)
        resumed, second = judge(resumed, check, method)
        assert first == second


def since_the_last_good(checks: list[Check], record: Record) -> list[Check]:
    """As the ledger gives them: from the last `up` before what is open, or the last `up` of all."""
    began = min((one.from_ms for one in record.open.values()), default=None)
    ups = [check.at_ms for check in checks if check.verdict == "up" and (began is None or check.at_ms < began)]
    return [check for check in checks if not ups or check.at_ms >= ups[-1]]


@given(METHODS, STEPS)
def test_a_removed_endpoint_leaves_nothing_open(method: Method, steps: list[tuple[int, str]]) -> None:
    checks = checks_of(steps)
    record, state = Record(), State()
    for check in checks:
        state, said = judge(state, check, method)
        record.take(said)
    state, said = remove(state, checks[-1].at_ms + 1)
    record.take(said)
    assert not record.open
    assert record.coverage is None


@given(METHODS, STEPS)
def test_a_check_that_comes_twice_changes_nothing(method: Method, steps: list[tuple[int, str]]) -> None:
    checks = checks_of(steps)
    twice = [check for one in checks for check in (one, one)]
    assert told(method, checks) == told(method, twice)


@given(METHODS, STEPS, st.data())
def test_checks_that_come_again_or_too_late_change_nothing(
    method: Method, steps: list[tuple[int, str]], data: st.DataObject
) -> None:
    checks = checks_of(steps)
    late = data.draw(st.lists(st.tuples(st.sampled_from(checks), st.integers(0, 40)), max_size=10))
    heard = list(checks)
    for check, delay in late:  # a copy arrives some places behind its own
        heard.insert(heard.index(check) + 1 + delay, check)
    assert told(method, heard) == told(method, checks)


@given(METHODS, STEPS, st.randoms(use_true_random=False))
def test_checks_collected_in_any_order_give_the_same_outages(
    method: Method, steps: list[tuple[int, str]], random: Random
) -> None:
    checks = checks_of(steps)
    heard = [*checks, *random.sample(checks, len(checks) // 2)]
    random.shuffle(heard)
    in_order = sorted(heard, key=lambda check: check.at_ms)
    assert told(method, in_order) == told(method, checks)


# --- a second reading of the law, with all checks at hand ----------------------------------------------------------


def plain_outages(method: Method, checks: list[Check]) -> list[tuple[int, int | None, bool]]:
    """(from, to, watched until its end) of every outage: by looking forward and back, without a state.

    One begins at the first of `confirm` bad checks that no good one interrupts; it ends at the first of `recover` good
    ones in a row, or, where the last bad check's reach ended before, or was cut by a blind check, there.
    """
    seen = [check for check in checks if check.verdict != "unknown"]
    bad = [check.verdict == "down" for check in seen]
    found: list[tuple[int, int | None, bool]] = []
    at = 0
    while at < len(seen):
        run = next((n for n in range(at, len(seen)) if not bad[n]), len(seen)) - at
        if run < method.confirm:
            at += max(1, run)
            continue
        end = next((n for n in range(at + run, len(seen)) if good_from(bad, n, method.recover)), None)
        if end is None:
            found.append((seen[at].at_ms, None, True))
            break
        reached = reach_of(method, checks, seen[end - 1])
        found.append((seen[at].at_ms, min(seen[end].at_ms, reached), seen[end].at_ms <= reached))
        at = end
    return found


def good_from(bad: list[bool], first: int, recover: int) -> bool:
    return len(bad) >= first + recover and not any(bad[first : first + recover])


def reach_of(method: Method, checks: list[Check], last: Check) -> int:
    """How long a check vouches: an unknown one after it says that from then on nobody could look."""
    blind = [check.at_ms for check in checks if check.verdict == "unknown" and check.at_ms > last.at_ms]
    return min([last.at_ms + method.interval_ms + min(method.interval_ms, 300_000) + method.timeout_ms, *blind[:1]])


@times(5)
@given(METHODS, STEPS)
def test_the_outages_are_those_of_a_plain_reading_of_the_law(method: Method, steps: list[tuple[int, str]]) -> None:
    checks = checks_of(steps)
    record = told(method, checks)
    judged = [(one.from_ms, one.to_ms, one.reason == "recovered") for one in record.closed if one.kind == "down"]
    still = [(record.open["down"].from_ms, None, True)] if "down" in record.open else []
    assert [*judged, *still] == plain_outages(method, checks)
