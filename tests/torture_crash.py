"""The daemon under load, struck at random moments and brought back, then compared."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from torture_compare import Comparison
from torture_daemon import copied
from torture_faults import locked
from torture_plan import KILLED, Blow
from torture_stage import Stage, let_pass


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


LOCKED_S = 2.5  # longer than two batches


def crash(stage: Stage, blows: Sequence[Blow], *, last_words_s: float) -> Comparison:
    """One blow after the other; then the daemon runs on for a moment, stops cleanly, and its ledger is compared."""
    struck: Counter[str] = Counter()
    kills = sum(blow.victim in KILLED for blow in blows)
    for blow in blows:
        stage.start()
        if blow.under_load:
            stage.wait_for_checks()
        let_pass(blow.after_s)
        _strike(stage, blow)
        struck[blow.victim] += 1
        _tell(stage, blow, struck, kills)
        let_pass(blow.pause_s)
    stage.start()
    stage.wait_for_news()
    let_pass(last_words_s)
    say(f"seed {stage.seed}: {dict(struck)}")
    return stage.end()


def _strike(stage: Stage, blow: Blow) -> None:
    copy = stage.folder / "copy"
    if blow.victim == "frozen":
        with stage.daemon.frozen():
            database = copied(stage.daemon.database, copy)
            acknowledged = stage.daemon.acknowledged()
        stage.inspect(database, "copied while frozen", acknowledged)
        return
    if blow.victim == "locked":
        with locked(stage.daemon.database):
            let_pass(LOCKED_S)
        return
    stage.daemon.strike(blow.victim)
    if blow.victim == "group":
        stage.inspect(copied(stage.daemon.database, copy), "after a SIGKILL")


def _tell(stage: Stage, blow: Blow, struck: Counter[str], kills: int) -> None:
    done = sum(struck[victim] for victim in KILLED)
    since = "its first checks" if blow.under_load else "its start"
    say(
        f"{done:4d}/{kills} {blow.victim:10} {blow.after_s:4.2f} s after {since:16} dead {blow.pause_s:3.1f} s: "
        f"{stage.served()} served, {len(stage.daemon.acknowledged())} transitions acknowledged, "
        f"{len(stage.findings)} faults"
    )


def report(made: Comparison) -> None:
    """What was compared, and every fault found."""
    for name, value in asdict(made.figures).items():
        say(f"  {name.replace('_', ' '):20} {value}")
    say(f"  {'faults':20} {len(made.findings)}")
    for fault in made.findings[:40]:
        say(f"FOUND {fault}")
