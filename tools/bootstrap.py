"""Makes what `make demo` and `make test` need: a virtual environment, the locked packages, Pango's libraries.

    python3 tools/bootstrap.py demo|test

Standard library only, and nothing newer than Python 3.7: an older interpreter has to get far enough to say which one
is needed. What is there already is left alone; apt is used when this account may (root, or sudo that asks nothing);
otherwise one line says what to type. A stamp in the environment, made of the lock file and pyproject.toml, makes a
second run short.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
CANDIDATES = ("python3", "/usr/bin/python3", "python3.14", "python3.13", "python3.12", "python3.11")
LOCKS = {"demo": "requirements.lock", "test": "requirements-dev.lock"}  # the second holds all of the first
PANGO = {  # what WeasyPrint loads: library -> the Debian package that brings it
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}


class Missing(Exception):
    """Something that this account may not install; the message is the line to show."""


def main(purpose: str) -> int:
    """Exit code 0: everything is there. 1: one line on stderr says what to do."""
    began = time.monotonic()
    try:
        made = ensure_system(purpose)
        made = ensure_packages(purpose) or made
    except Missing as problem:
        sys.stderr.write(f"nines: {problem}\n")
        return 1
    except subprocess.CalledProcessError as problem:
        sys.stderr.write(f"nines: this command failed: {' '.join(shlex.quote(str(word)) for word in problem.cmd)}\n")
        return 1
    if made:
        say(f"nines: ready after {time.monotonic() - began:.0f} s")
    return 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# -- Python -----------------------------------------------------------------------------------------------------------


def find_python() -> str:
    """Path of the first interpreter that is new enough: the one running, else one on the path."""
    if sys.version_info[:2] >= OLDEST:
        return sys.executable
    for name in CANDIDATES:
        path = shutil.which(name)
        if path and version_of(path) >= OLDEST:
            return path
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise Missing(f"Python 3.11 or newer is needed and this is {here}; Debian 12, Ubuntu 24.04 and newer bring it")


def version_of(python: str | Path) -> tuple[int, int]:
    """(major, minor) of an interpreter, (0, 0) where it does not start."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=20, check=True)
        major, minor = answer.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0, 0


def has_venv() -> bool:
    """False too where it was left half made, or where an upgrade of the system took its interpreter away."""
    return version_of(PYTHON) >= OLDEST and runs(PYTHON, "import pip")


def ensure_venv() -> None:
    if has_venv():
        return
    python = find_python()
    say(f"nines: making .venv with {python} (Python {'.'.join(map(str, version_of(python)))})")
    subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)


def runs(python: str | Path, code: str) -> bool:
    return subprocess.run([str(python), "-c", code], stderr=subprocess.DEVNULL).returncode == 0


# -- packages ---------------------------------------------------------------------------------------------------------


def ensure_packages(purpose: str) -> bool:
    """Install the locked packages and nines itself; False when the stamp says that they are there."""
    if is_stamped(purpose) and version_of(PYTHON) >= OLDEST:
        return False
    ensure_venv()
    install_locked(LOCKS[purpose])
    say("nines: installing nines itself from this folder")
    editable = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    subprocess.run(pip_command(editable), check=True, env=pip_environ())
    stamp_path(purpose).write_text(stamp_of(purpose))
    return True


def install_locked(lock: str) -> None:
    names = {line.split("==")[0] for line in (ROOT / lock).read_text().splitlines() if "==" in line}
    progress = Progress(total=len(names))
    say(f"nines: installing up to {len(names)} locked packages ({lock}), once; about a minute")
    command = pip_command(["install", "--progress-bar", "off", "--require-hashes", "-r", str(ROOT / lock)])
    last: deque[str] = deque(maxlen=12)  # said only where pip fails: its warnings are about this machine's settings
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=pip_environ()
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            progress.read(line)
    progress.close()
    if process.returncode:
        sys.stderr.writelines(last)
        raise subprocess.CalledProcessError(process.returncode, command)


class Progress:
    """pip's own lines as one line that redraws itself on a terminal; elsewhere a line for every tenth package."""

    def __init__(self, *, total: int) -> None:
        self._total = total
        self._seen = 0
        self._live = sys.stdout.isatty()

    def read(self, line: str) -> None:
        words = line.split()
        if words[:1] == ["Collecting"]:
            self._step(words[1])
        elif words[:3] == ["Requirement", "already", "satisfied:"]:
            self._step(words[3])
        elif words[:3] == ["Installing", "collected", "packages:"]:
            self._show("unpacking")

    def _step(self, name: str) -> None:
        self._seen += 1
        if self._live or self._seen % 10 == 0:
            self._show(name.split("=")[0])

    def _show(self, text: str) -> None:
        start, end = ("\r\033[K", "") if self._live else ("", "\n")
        sys.stdout.write(f"{start}  {self._seen} of {self._total}  {text}{end}")
        sys.stdout.flush()

    def close(self) -> None:
        if self._live:
            say("")


def pip_command(arguments: list[str]) -> list[str]:
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]


def pip_environ() -> dict[str, str]:
    """This environment, without a cache where the home cannot be written, and without a foreign PYTHONPATH."""
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    if not os.access(os.path.expanduser("~"), os.W_OK):
        environ["PIP_NO_CACHE_DIR"] = "1"
    return environ


# -- stamps -----------------------------------------------------------------------------------------------------------


def stamp_of(purpose: str) -> str:
    """Hash of all that decides what is installed; the clone's own place is part of it, for .venv names it."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (LOCKS[purpose], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamp_path(purpose: str) -> Path:
    return VENV / f"nines-{purpose}.stamp"


def is_stamped(purpose: str) -> bool:
    """True when this purpose's packages, or those of the larger one, were installed from the files as they are."""
    larger = {purpose, "test"}
    return any(stamp_path(name).exists() and stamp_path(name).read_text() == stamp_of(name) for name in larger)


# -- system packages --------------------------------------------------------------------------------------------------


def ensure_system(purpose: str) -> bool:
    """Debian's parts. Only reports need Pango: the demo stops without it, the tests of reports skip."""
    venv = missing_venv()
    pango = [package for library, package in PANGO.items() if not loads(library)]
    if not venv and not pango:
        return False
    try:
        apt_install([*venv, *pango])
    except Missing as problem:
        if venv or purpose == "demo":
            raise
        say(f"nines: {problem} (without, the tests of the PDF are skipped)")
        return False
    return True


def missing_venv() -> list[str]:
    """Debian keeps what makes an environment in a package of its own."""
    if has_venv():
        return []
    python = find_python()
    if runs(python, "import venv, ensurepip; ensurepip.version()"):
        return []
    return ["python3-venv" if python == "/usr/bin/python3" else "python{}.{}-venv".format(*version_of(python))]


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_install(packages: list[str]) -> None:
    """Install Debian packages when this account may; else the one line to type."""
    rights = apt_rights()
    if rights is None:
        line = f"sudo apt-get install -y {' '.join(packages)}"
        raise Missing(f"missing: {', '.join(packages)}; this account may not install packages, so type: {line}")
    say(f"nines: installing {' '.join(packages)} through apt")
    apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        subprocess.run([*apt, "update"], check=True, stdout=subprocess.DEVNULL)  # a fresh machine has no lists yet
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)


def apt_rights() -> list[str] | None:
    """The words to put before apt-get: none for root, `sudo -n` where it asks nothing; None where neither holds."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return ["sudo", "-n"]
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        sys.exit(f"usage: python3 tools/bootstrap.py {'|'.join(LOCKS)}")
    sys.exit(main(sys.argv[1]))
