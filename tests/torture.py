"""`make torture KILLS=200`: the daemon killed under load, its database taken away, the prober killed as it writes out
what waited meanwhile, its own tools killed at work.

`python tests/torture.py [--kills 200] [--seed 1] [--hold 60] [--keep FOLDER]`. What happens when is in the seed; exit 1
when anything was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from torture_care import kill_tools
from torture_crash import crash, report, say
from torture_drain import kill_drains
from torture_faults import FAULTS, Unavailable, survive
from torture_plan import FEW, LONG, blows
from torture_stage import stage


def main() -> int:
    asked = _arguments()
    say(f"seed {asked.seed}: {asked.kills} kills at {LONG.per_s:g} checks a second")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        found = _crash(asked, _fresh(folder / "crash")) if asked.kills else 0
        if not asked.only_kills:
            found += sum(_fault(name, asked, _fresh(folder / name)) for name in FAULTS)
            found += _drains(asked, _fresh(folder / "drains"))
            found += _tools(asked, _fresh(folder / "tools"))
    say(f"{found} faults in all")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--hold", type=float, default=60.0, help="how many seconds the database is taken away")
    parser.add_argument("--rounds", type=int, default=8, help="kills of each tool")
    parser.add_argument("--only-kills", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder that stays, for looking into it")
    return parser.parse_args()


def _fresh(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _crash(asked: argparse.Namespace, folder: Path) -> int:
    with stage(asked.seed, LONG, folder) as made:
        compared = crash(made, list(blows(asked.seed, asked.kills)), last_words_s=8)
    report(compared)
    return len(compared.findings)


def _fault(name: str, asked: argparse.Namespace, folder: Path) -> int:
    say(f"\n{name} for {asked.hold:g} s")
    try:
        compared = survive(name, seed=asked.seed, load=FEW, folder=folder, hold_s=asked.hold)
    except Unavailable as reason:
        say(f"  left out: {reason}")
        return 0
    report(compared)
    return len(compared.findings)


def _drains(asked: argparse.Namespace, folder: Path) -> int:
    say("\nthe prober, killed while it writes out what waited")
    drained = kill_drains(folder, kills=asked.kills, seed=asked.seed, minutes=60, say=say)
    for fault in drained.findings:
        say(f"FOUND {fault}")
    return len(drained.findings)


def _tools(asked: argparse.Namespace, folder: Path) -> int:
    say("\nthe tools for the ledger, killed at work")
    faults = kill_tools(folder, rounds=asked.rounds, seed=asked.seed, say=say)
    for fault in faults:
        say(f"FOUND {fault}")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
