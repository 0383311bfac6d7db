"""The units are accepted by systemd itself, sandboxed, and name what the program really offers."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

SYSTEMD = Path(__file__).resolve().parent.parent / "systemd"
UNITS = ("nines.service", "nines-report.service", "nines-report.timer")
SERVICES = ("nines.service", "nines-report.service")
PROGRAM = "/opt/nines/venv/bin/nines"
HIGHEST_EXPOSURE = 2.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: apt install systemd"
)


def installed(folder: Path) -> list[str]:
    """The units as on a machine where nines is installed: `verify` wants the program to exist, so another stands in."""
    folder.mkdir(exist_ok=True)
    for name in UNITS:
        text = (SYSTEMD / name).read_text()
        (folder / name).write_text(text.replace(PROGRAM, "/bin/true"))
    return [str(folder / name) for name in UNITS]


def settings(name: str) -> list[tuple[str, str]]:
    """(key, value) of every line, repeated keys kept."""
    lines = (SYSTEMD / name).read_text().splitlines()
    return [
        (key, value) for line in lines if not line.startswith("#") for key, sep, value in [line.partition("=")] if sep
    ]


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *installed(tmp_path / "units")],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in (answer.stdout + answer.stderr).splitlines() if "nines" in line]
    assert ours == []
    assert answer.returncode == 0


@needs_systemd
def test_verify_would_find_a_mistake(tmp_path: Path) -> None:
    unit = Path(installed(tmp_path / "units")[0])
    unit.write_text(unit.read_text().replace("WatchdogSec=30", "WatchdogSec=often"))
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "nines.service" in answer.stderr
    assert "often" in answer.stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_exposes_little(name: str, tmp_path: Path) -> None:
    installed(tmp_path / "units")
    answer = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(tmp_path / "units" / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "offline" in answer.stderr:
        pytest.skip("this systemd-analyze knows no --offline: systemd 250 or newer is needed")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert found, answer.stdout + answer.stderr
    assert float(found[1]) < HIGHEST_EXPOSURE


def test_the_daemon_is_watched_and_says_when_it_is_ready() -> None:
    found = dict(settings("nines.service"))
    assert found["Type"] == "notify"
    assert found["NotifyAccess"] == "all"
    assert int(found["WatchdogSec"]) >= 10


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_own_user_and_its_own_folders(name: str) -> None:
    found = settings(name)
    assert {("User", "nines"), ("StateDirectory", "nines"), ("CacheDirectory", "nines")} <= set(found)
    environment = " ".join(value for key, value in found if key == "Environment").split()
    assert "PYTHONSAFEPATH=1" in environment
    assert "MPLCONFIGDIR=/var/cache/nines/matplotlib" in environment


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_a_command_that_exists(name: str) -> None:
    started = dict(settings(name))["ExecStart"].split()
    assert started[0] == PROGRAM
    group = importlib.import_module("nines.cli").nines
    command = group.get_command(click.Context(group), started[1])
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in started[2:] if word.startswith("--")} <= options


def test_the_reports_are_made_monthly_and_made_up_for() -> None:
    found = dict(settings("nines-report.timer"))
    assert found["OnCalendar"] == "*-*-02 06:00:00"
    assert found["Persistent"] == "true"


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_systemd_makes_the_user(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", str(SYSTEMD / "nines.sysusers.conf")]
    subprocess.run(command, check=True, capture_output=True)
    fields = (tmp_path / "etc/passwd").read_text().strip().split(":")
    assert fields[0] == "nines"
    assert fields[4:] == ["Availability and service levels", "/var/lib/nines", "/usr/sbin/nologin"]
