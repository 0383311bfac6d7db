"""The house holds: direction of imports, purity of `sla`, one clock, sizes, the wheel, the names, the lock files."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import os
import re
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "probes", "ledger", "sla", "reporting", "nines")
MAY_IMPORT = {
    "sla": set[str](),
    "config": {"sla"},
    "ledger": {"sla"},
    "probes": {"ledger", "config", "sla"},
    "reporting": {"ledger", "config", "sla"},
    "nines": {"reporting", "probes", "ledger", "config", "sla"},
}
# Names that compute. Not here: anything that reads a clock, a file, a socket, the environment or chance.
PURE = {
    *("__future__", "abc", "collections", "copy", "dataclasses", "enum", "functools", "itertools", "types", "typing"),
    *("bisect", "calendar", "datetime", "decimal", "fractions", "heapq", "math", "operator", "zoneinfo"),
    *("hashlib", "json", "re", "string", "textwrap", "unicodedata", "uuid"),
}
CLOCKS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("func", "now"),
    ("func", "current_timestamp"),
}
LONGEST_FUNCTION = 60
LONGEST_FILE = 450


@dataclass(frozen=True)
class Module:
    """One source file: dotted name, path, syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    def at(self, node: ast.stmt | ast.expr) -> str:
        return f"{self.path.relative_to(ROOT)}:{node.lineno}"


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path, ast.parse(path.read_text(), filename=str(path))))
    return tuple(found)


@cache
def module_names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def imports(module: Module) -> Iterator[tuple[str, ast.stmt]]:
    """(dotted name, statement) of every import, wherever it stands; `from a import b` is a.b where that is a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if inner in module_names() else base), node


def absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    keep = len(parts) - node.level + (module.path.name == "__init__.py")
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def test_imports_go_down_only() -> None:
    wrong = [
        f"{module.at(node)} {module.package} imports {name}"
        for module in modules()
        for name, node in imports(module)
        if (top := name.split(".")[0]) in PACKAGES and top not in MAY_IMPORT[module.package] | {module.package}
    ]
    assert wrong == []


def test_no_source_imports_the_tests_or_the_tools() -> None:
    wrong = [
        module.at(node)
        for module in modules()
        for name, node in imports(module)
        if name.split(".")[0] in {"tests", "tools", "bench", "conftest"}
    ]
    assert wrong == []


def test_the_law_imports_only_what_computes() -> None:
    wrong = [
        f"{module.at(node)} imports {name}"
        for module in modules()
        if module.package == "sla"
        for name, node in imports(module)
        if name.split(".")[0] not in PURE | {"sla"}
    ]
    assert wrong == []


def test_the_law_opens_nothing_and_rolls_no_dice() -> None:
    impure = {"open", "input", "print", "eval", "exec", "uuid1", "uuid4", "__import__"}
    wrong = [
        f"{module.at(node)} calls {called(node)}"
        for module in modules()
        if module.package == "sla"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and called(node) in impure
    ]
    assert wrong == []


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_the_wall_clock_is_read_in_one_place() -> None:
    wrong = [
        f"{module.at(node)} reads the clock"
        for module in modules()
        if module.name != "nines.clock"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.ImportFrom) and reads_clock(node)
    ]
    assert wrong == []


def reads_clock(node: ast.Attribute | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any((node.module, alias.name) in CLOCKS for alias in node.names)
    match node.value:
        case ast.Name(id=owner) | ast.Attribute(attr=owner):
            return (owner, node.attr) in CLOCKS
        case _:
            return False


def test_no_statement_asks_the_database_for_the_time() -> None:
    now = r"CURRENT_TIMESTAMP|CURRENT_DATE|(?:strftime|datetime|julianday|unixepoch)\([^)]*'now'"
    pattern = re.compile(now, re.IGNORECASE)
    wrong = [
        module.at(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.search(node.value)
    ]
    assert wrong == []


def test_no_module_imports_itself_through_others() -> None:
    graph = {module.name: {name for name, _ in imports(module) if name in module_names()} for module in modules()}
    assert cycle_in(graph) == []


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """Names along the first cycle found, first and last the same; empty when there is none."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := walk(other, [*trail, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


def test_a_cycle_would_be_found() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_what_draws_reports_is_imported_by_the_report_alone() -> None:
    wrong = [
        f"{module.at(node)} imports {name}"
        for module in modules()
        if not module.name.startswith("reporting.report")
        for name, node in imports(module)
        if name.split(".")[0] in {"weasyprint", "matplotlib"}
    ]
    assert wrong == []


def test_the_command_line_starts_without_what_draws_reports() -> None:
    code = "import sys, nines.cli; sys.exit(len({'weasyprint', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-P", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.stderr, answer.returncode) == ("", 0)


# -- sizes ------------------------------------------------------------------------------------------------------------


def functions() -> Iterator[tuple[str, int]]:
    """(place and name, lines) of every function, its decorators and its docstring included."""
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{module.at(node)} {node.name}", node.end_lineno - node.lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    assert [f"{place}: {lines} lines" for place, lines in functions() if lines > LONGEST_FUNCTION] == []


def test_most_functions_are_short() -> None:
    lines = [count for _, count in functions()]
    assert statistics.median(lines) <= 9
    assert statistics.quantiles(lines, n=10)[-1] <= 30


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    sizes = {module.path.relative_to(ROOT): len(module.path.read_text().splitlines()) for module in modules()}
    assert {str(path): lines for path, lines in sizes.items() if lines > LONGEST_FILE} == {}


def test_no_module_is_named_for_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [module.name for module in modules() if empty & set(module.name.split("."))] == []


# -- the wheel and its names ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-P", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("nines-*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_exactly_the_packages(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    on_disk = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == on_disk
    wheel.close()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_that_it_is_typed_and_what_it_is_for(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
    assert (ROOT / package / "README.md").read_text().startswith(f"# {package}/")


@cache
def owners() -> dict[str, set[str]]:
    """Top-level import name -> distributions that bring it."""
    return {name: set(found) for name, found in importlib.metadata.packages_distributions().items()}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_top_level_name_has_one_owner(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")
    assert owners().get(package, set()) <= {"nines"}


def test_the_tests_are_flat() -> None:
    shadows = [path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name in PACKAGES]
    assert shadows == []


# -- lock files -------------------------------------------------------------------------------------------------------

LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(lock: str) -> set[str]:
    lines = (ROOT / lock).read_text().splitlines()
    return {line.removesuffix("\\").split(";")[0].strip() for line in lines if "==" in line.split(";")[0]}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_pins_and_hashes_and_names_no_registry(lock: str) -> None:
    line_of_lock = re.compile(r"[a-z0-9][a-z0-9.-]*==\S+( ; [^\\]+?)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in (ROOT / lock).read_text().splitlines() if not line_of_lock.fullmatch(line)] == []


def test_both_lock_files_pin_the_same_versions() -> None:
    assert pins(LOCKS[0]) <= pins(LOCKS[1])


# -- words of one machine ---------------------------------------------------------------------------------------------


def tracked() -> list[Path]:
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if answer.returncode:
        pytest.skip("not a git clone: no list of the repository's files")
    return [path for name in answer.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def words_of_this_machine() -> set[str]:
    """The clone's place, the home and what pip is told here: none of it belongs into the project."""
    told = [value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_")) and "/" in value]
    for path in (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf"):
        if path.exists():
            told += [line.partition("=")[2] for line in path.read_text().splitlines() if "/" in line]
    addresses = {word for value in told for word in value.split() if "/" in word and not word.startswith("/etc/ssl")}
    ordinary = {"/", "/opt/", "/tmp/", "/home/", "/var/", "/var/lib/", "/srv/", "/usr/", "/usr/local/", "/etc/"}
    places = {f"{str(place).rstrip('/')}/" for place in (ROOT, ROOT.parent, Path.home())} - ordinary
    return addresses | {place for place in places if not place.startswith("/opt/nines")}


def test_no_file_names_this_machine() -> None:
    words = words_of_this_machine()
    wrong = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        wrong += [f"{path.relative_to(ROOT)}: {word}" for word in words if word in text]
    assert wrong == []


# -- the README -------------------------------------------------------------------------------------------------------


def verbs() -> list[str]:
    """Every command line verb as it is typed, e.g. `nines config check`; hidden ones are not for people."""

    def walk(command: click.Command, words: list[str]) -> Iterator[str]:
        if not isinstance(command, click.Group):
            yield " ".join(words)
            return
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from walk(child, [*words, name])

    return list(walk(importlib.import_module("nines.cli").nines, ["nines"]))


def test_every_verb_of_the_command_line_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [verb for verb in verbs() if not re.search(rf"\b{re.escape(verb)}\b", readme)] == []
