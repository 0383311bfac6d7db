"""No row of the fault catalogue is left out: each has its tests, which exist, or the reason why it has none."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from fault_rows import ROWS, Row

TESTS = Path(__file__).resolve().parent
README = (TESTS.parent / "probes/README.md").read_text(encoding="utf-8")
ROWS_PER_SECTION = {"1": 15, "2": 10, "3": 24, "4": 35, "5": 19}


@cache
def functions_of(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"^(?:async )?def (\w+)", (TESTS / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_every_number_of_every_section_is_there_once() -> None:
    wanted = [f"{section}.{n}" for section, count in ROWS_PER_SECTION.items() for n in range(1, count + 1)]
    assert [row.number for row in ROWS] == wanted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_every_row_has_tests_that_exist_or_a_reason(row: Row) -> None:
    assert bool(row.tests) != bool(row.cannot)
    for test in row.tests:
        name, _, function = test.partition("::")
        assert function in functions_of(name), test


def test_the_readme_lists_the_rows_that_cannot_be_made() -> None:
    for row in ROWS:
        if row.cannot:
            assert f"| {row.number} | {row.fault} | {row.cannot} |" in README
