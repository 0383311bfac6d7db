"""The crash test in short: the daemon killed five times under load, frozen while it is copied, and locked out; the
prober killed ten times while it writes out what waited.
"""

from __future__ import annotations

from pathlib import Path

from torture_crash import crash, say
from torture_drain import kill_drains
from torture_plan import FEW, KILLED, blows, few_blows, watched
from torture_stage import stage

SEED = 5


def test_a_daemon_killed_five_times_loses_nothing_invents_nothing_and_knows_when_it_was_away(tmp_path: Path) -> None:
    with stage(SEED, FEW, tmp_path) as made:
        compared = crash(made, list(few_blows(SEED)), last_words_s=0.5)
    assert compared.findings == []
    assert compared.figures.acknowledged >= 5
    assert compared.figures.on_record >= 100
    assert compared.figures.gaps > 0


def test_a_prober_killed_ten_times_as_it_writes_out_what_waited_puts_all_of_it_on_record_once(tmp_path: Path) -> None:
    drained = kill_drains(tmp_path, kills=10, seed=SEED, minutes=40, say=say)
    assert drained.findings == []
    assert drained.struck["hit"] > 1
    assert drained.struck["acknowledged"] > 30


def test_the_plan_of_a_seed_is_always_the_same() -> None:
    assert list(blows(7, 50)) == list(blows(7, 50)) != list(blows(8, 50))
    assert watched(7, FEW, lasting_s=60) == watched(7, FEW, lasting_s=60)
    assert sum(blow.victim in KILLED for blow in blows(7, 50)) == 50
    assert sum(blow.victim in KILLED for blow in few_blows(7)) == 5
