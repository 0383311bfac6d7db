"""The guard of conftest.py catches what it is for: each case is a small suite run by pytest itself."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
GUARD = (Path(__file__).parent / "conftest.py").read_text()
CONFIG = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"


def run(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    pytester.makeini(CONFIG)
    pytester.makeconftest(GUARD)
    pytester.makepyfile("import asyncio\n\n" + body)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")


def test_a_task_that_is_left_running_fails_its_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "keep = []\n\nasync def test_leaves():\n    keep.append(asyncio.create_task(asyncio.sleep(60), name='left'))\n",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*tasks still running at the end of the test*left*"])


def test_an_exception_lost_in_a_task_fails_its_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "async def fail():\n    raise LookupError('lost')\n\n"
        "async def test_loses():\n    asyncio.create_task(fail())\n    await asyncio.sleep(0.01)\n",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*exceptions that nobody caught*lost*"])


def test_a_tidy_test_passes(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "async def test_waits():\n    await asyncio.create_task(asyncio.sleep(0))\n\n\ndef test_plain():\n    pass\n",
    )
    result.assert_outcomes(passed=2)
