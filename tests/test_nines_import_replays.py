"""Public monitors replayed through the importer: our figures beside what was published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from ledger_scenes import new_ledger
from replays import FOLDER, percheck, site_days, sites

from ledger.import_judging import FOREVER_MS

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the folder of test material is not beside the repository")


def test_two_years_of_single_checks_held_for_ever_are_97_7038_percent_by_time(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        found = percheck(ledger, interval_min=10, hold_ms=FOREVER_MS)
    assert (found.rows, found.outages) == (71_991, 15)
    assert (found.down_ms, found.known_ms) == (1_425_120_000, found.whole_ms)
    assert f"{float(found.availability):.4f}" == "97.7038"


def test_by_the_laws_own_reach_the_gaps_of_the_same_checks_are_unknown(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        found = percheck(ledger, interval_min=12, hold_ms=None)
    assert (found.outages, found.down_ms) == (15, 1_374_140_000)
    assert f"{float(found.availability):.4f} {float(found.coverage):.2f}" == "97.4759 87.72"


def test_the_days_of_two_publishers_agree_or_differ_by_a_known_flaw_of_theirs(tmp_path: Path) -> None:
    chosen = [(path, site) for path, site in sites() if path.parent.name[:5] in ("MatBe", "17lab")]
    with new_ledger(tmp_path) as ledger:
        days = [day for path, site in chosen for day in site_days(ledger, path, site)]
    assert len(chosen) == 20
    assert Counter(day.why for day in days if day.ours_ms or day.theirs_min) == {
        "agrees": 13,
        "degraded counted as down": 1,
    }


@pytest.mark.long
def test_every_day_of_every_site_agrees_or_differs_by_a_known_flaw_of_the_publishers(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        days = [day for path, site in sites() for day in site_days(ledger, path, site)]
    assert Counter(day.why for day in days) == {
        "agrees": 6_603,
        "degraded counted as down": 1,
        "outages under 15 minutes deleted": 14,
        "only some of its outages counted": 3,
    }
