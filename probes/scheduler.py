"""When a check is due: a fixed grid of wall-clock instants, with a phase computed from the endpoint's id.

Pure. Nothing drifts, for every tick is computed from the epoch; nothing bursts after a stall or an overrun, for
only ticks still to come are ever due: what was missed is simply unmeasured.
"""

from __future__ import annotations

import hashlib

from sla.judge import Method, State


def phase_ms(endpoint: str, interval_ms: int) -> int:
    """Where in the interval an endpoint's ticks fall: spread evenly, the same after every restart."""
    digest = hashlib.sha256(endpoint.encode()).digest()
    return int.from_bytes(digest[:8], "big") % interval_ms


def next_tick(after_ms: int, *, phase_ms: int, interval_ms: int) -> int:
    """The first grid instant later than `after_ms`."""
    return ((after_ms - phase_ms) // interval_ms + 1) * interval_ms + phase_ms


def first_due(endpoint: str, state: State, method: Method, *, now_ms: int) -> int:
    """When a watch begins: now, where nothing is known or a tick was missed; else where the grid goes on."""
    if state.last_check_ms is None or state.last_check_ms > now_ms:
        return now_ms
    pace_ms = state.pace_ms(method)
    if now_ms > state.last_check_ms + pace_ms:
        return now_ms
    if state.unsettled:
        return state.last_check_ms + pace_ms
    return next_tick(now_ms - 1, phase_ms=phase_ms(endpoint, method.interval_ms), interval_ms=method.interval_ms)


def next_due(endpoint: str, state: State, method: Method, *, due_ms: int, now_ms: int) -> int:
    """When the next check is due, after the one due at `due_ms` was judged at `now_ms`: retries run on own clock."""
    interval_ms = method.interval_ms
    if due_ms > now_ms + interval_ms:  # the wall clock was set back: the grid goes on by what it says now
        due_ms = now_ms
    if state.unsettled:
        pace_ms = state.pace_ms(method)
        late_ms = max(now_ms - due_ms, 0)
        return due_ms + max(-(-late_ms // pace_ms), 1) * pace_ms
    after_ms = max(due_ms, now_ms - 1)
    return next_tick(after_ms, phase_ms=phase_ms(endpoint, interval_ms), interval_ms=interval_ms)


def after_miss(endpoint: str, state: State, method: Method, *, now_ms: int) -> int:
    """When an endpoint is due whose tick came and went unkept: its next tick, or sooner at a computed offset.

    All that were missed in one stall come back spread over their retry pace, not in a burst.
    """
    if state.unsettled:
        return now_ms + phase_ms(endpoint, state.pace_ms(method))
    tick = next_tick(now_ms, phase_ms=phase_ms(endpoint, method.interval_ms), interval_ms=method.interval_ms)
    return min(tick, now_ms + phase_ms(endpoint, max(method.retry_ms, 1)))
