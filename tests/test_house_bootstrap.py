"""The set-up script: what it says when it may not install something, and that a second run has nothing to do."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the script and what it reads, and an environment that starts."""
    (tmp_path / "tools").mkdir()
    for name in ("tools/bootstrap.py", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    return tmp_path


@pytest.fixture
def script(clone: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", clone / "tools/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stamp(script: ModuleType, purpose: str) -> None:
    script.stamp_path(purpose).write_text(script.stamp_of(purpose))


def test_a_second_run_has_nothing_to_do(script: ModuleType, clone: Path) -> None:
    stamp(script, "demo")
    began = time.monotonic()
    command = [sys.executable, str(clone / "tools/bootstrap.py"), "demo"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if "libpango" in answer.stderr:
        pytest.skip("Pango is not installed here: the script stops to say so")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert time.monotonic() - began < 5


def test_what_the_tests_need_holds_all_that_the_demo_needs(script: ModuleType) -> None:
    stamp(script, "test")
    assert script.is_stamped("demo")


def test_what_the_demo_needs_is_not_enough_for_the_tests(script: ModuleType) -> None:
    stamp(script, "demo")
    assert not script.is_stamped("test")


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_file_asks_for_a_new_installation(script: ModuleType, clone: Path, name: str) -> None:
    stamp(script, "demo")
    with (clone / name).open("a") as changed:
        changed.write("# changed\n")
    assert not script.is_stamped("demo")


def test_an_environment_that_was_moved_is_made_anew(script: ModuleType, clone: Path, tmp_path: Path) -> None:
    stamp(script, "demo")
    moved = script.stamp_path("demo").read_text()
    script.ROOT = tmp_path / "elsewhere"
    shutil.copytree(clone, script.ROOT, ignore=shutil.ignore_patterns("elsewhere"), symlinks=True)
    assert script.stamp_of("demo") != moved


def test_without_rights_one_line_says_what_to_type(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(script.Missing) as raised:
        script.apt_install(["libpango-1.0-0", "libpangoft2-1.0-0"])
    assert str(raised.value) == (
        "missing: libpango-1.0-0, libpangoft2-1.0-0; this account may not install packages, "
        "so type: sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0"
    )


def test_a_library_that_is_missing_stops_the_demo_with_one_line(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stamp(script, "demo")
    monkeypatch.setenv("PATH", "/nonexistent")
    script.PANGO = {"libnines-does-not-exist.so.0": "libpango-1.0-0"}
    assert script.main("demo") == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("so type: sudo apt-get install -y libpango-1.0-0\n")


def test_a_library_that_is_missing_does_not_stop_the_tests(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stamp(script, "test")
    monkeypatch.setenv("PATH", "/nonexistent")
    script.PANGO = {"libnines-does-not-exist.so.0": "libpango-1.0-0"}
    assert script.main("test") == 0
    assert "the tests of the PDF are skipped" in capfd.readouterr().out


def test_an_interpreter_that_is_too_old_is_named(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    script.OLDEST = (99, 0)
    script.CANDIDATES = ("python3",)
    with pytest.raises(script.Missing, match=r"Python 3\.11 or newer is needed and this is 3\.\d+; Debian 12"):
        script.find_python()


def test_an_interpreter_that_does_not_start_has_no_version(script: ModuleType, tmp_path: Path) -> None:
    assert script.version_of(tmp_path / "nothing") == (0, 0)
    assert script.version_of(sys.executable) == sys.version_info[:2]


def test_progress_off_a_terminal_is_a_line_for_every_tenth_package(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = script.Progress(total=20)
    for number in range(20):
        progress.read(f"Collecting name{number}==1.0 (from -r requirements.lock (line 1))\n")
    progress.read("Installing collected packages: name0, name1\n")
    progress.close()
    assert capsys.readouterr().out == "  10 of 20  name9\n  20 of 20  name19\n  20 of 20  unpacking\n"


def test_an_unknown_purpose_is_refused(clone: Path) -> None:
    command = [sys.executable, str(clone / "tools/bootstrap.py"), "everything"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr == "usage: python3 tools/bootstrap.py demo|test\n"


def test_a_home_that_cannot_be_written_gets_no_cache(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    environ = script.pip_environ()
    assert environ["PIP_NO_CACHE_DIR"] == "1"
    assert "PYTHONPATH" not in environ


def test_continuous_integration_runs_the_same_command_as_anybody() -> None:
    run = ROOT / ".ci/run"
    assert os.access(run, os.X_OK)
    assert "make test" in run.read_text()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path of our own with an apt-get and a sudo that write down what they are asked; returns the record."""
    folder, record = tmp_path / "machine", tmp_path / "asked"
    folder.mkdir()
    for name, body in {
        "apt-get": f'echo "apt-get $*" >> {record}; case "$*" in *fail*) test -e {record}.updated;; '
        f"*update*) touch {record}.updated;; esac",
        "sudo": f'echo "sudo $*" >> {record}; shift; exec "$@"',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return record


def test_root_installs_through_apt_and_fetches_the_lists_only_when_they_are_missing(
    script: ModuleType, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    script.apt_install(["libpango-1.0-0"])
    assert [line.split()[-1] for line in machine.read_text().splitlines()] == ["libpango-1.0-0"]
    script.apt_install(["lib-fails-without-lists"])
    verbs = [line.split("Timeout=120 ")[1].split()[0] for line in machine.read_text().splitlines()]
    assert verbs == ["install", "install", "update", "install"]


def test_an_account_whose_sudo_asks_nothing_installs_by_it(
    script: ModuleType, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    script.apt_install(["python3-venv"])
    asked = machine.read_text().splitlines()
    assert asked[0] == "sudo -n true"
    assert asked[1].startswith("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get")
    assert asked[-1].endswith("install -y --no-install-recommends python3-venv")


def test_a_python_without_venv_asks_for_the_package(
    script: ModuleType, clone: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bare = clone / "bare-python"
    bare.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    bare.chmod(0o755)
    (clone / ".venv/bin/python").unlink()
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setenv("PATH", "/nonexistent")
    assert script.main("demo") == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert capfd.readouterr().err == (
        f"nines: missing: python{version}-venv; this account may not install packages, "
        f"so type: sudo apt-get install -y python{version}-venv\n"
    )
