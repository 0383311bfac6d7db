"""Which single changes of the accounting no test notices: a seeded sample of mutants, each run against the fast tests.

    python tools/mutants.py [--count 300] [--seed 1] [--jobs 1] [FILE | FILE:LINE ...]

A mutant is one small change (`<` for `<=`, `+` for `-`, another constant, a branch turned round) in a copy of the
repository; the copy's tests run until the first one fails. Those that survive are listed with their line: either a test
is missing, or the change means the same. Ends with 1 where fewer than nine in ten are killed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CREDITS = tuple(
    f"sla/{name}.py" for name in ("credits", "accounts", "rules_due", "quantities", "caps", "pay", "claims")
)
FILES = ("sla/availability.py", "sla/judge.py", *CREDITS)
LIMIT_S = 120  # a mutant that never ends is killed
TESTS = {
    "sla/judge.py": "judge judge_state judge_figures judge_properties",
    "sla/burn.py": "burn burn_cases",
    **dict.fromkeys(
        CREDITS,
        "rules credits credits_edges claims config_calc_inputs cases contracts_published oracle reporting_inputs"
        " reporting_history reporting_board reporting_board_source properties",
    ),
}
STATEMENT_TESTS = (  # those that notice most come first
    "availability cases figures credits options options_oracle options_windows options_invariants compose explain"
    " canonical properties properties_oracle properties_change oracle"
)
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "floor": "ceil"}


@dataclass(frozen=True)
class Mutant:
    """One change: the module's whole new source, and the changed expression before and after."""

    file: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        before, after = (text.split("\n")[0] for text in (self.before, self.after))
        return f"{self.file}:{self.line}  {before}  ->  {after}"


def mutants(where: str) -> list[Mutant]:
    """Every mutant of a file, or of one of its lines (`sla/credits.py:120`), in the order of its source."""
    file, _, line = where.partition(":")
    tree = ast.parse((ROOT / file).read_text())
    found = []
    for number, node in enumerate(_code(tree)):
        at = node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)
        if line and at != int(line):
            continue
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            place = next(node for index, node in enumerate(_code(changed)) if index == number)
            before = ast.unparse(place)
            change(place)
            found.append(Mutant(file, at, before, ast.unparse(place), ast.unparse(changed)))
    return found


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module does its work: no docstrings, annotations, decorators, imports, aliases."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                yield child
                yield from _code(child)


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Name):
        return node.annotation.id == "TypeAlias"
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):  # a type under a name
        return ast.unparse(node.value).startswith(("Literal[", "Callable["))
    return isinstance(node, ast.Import | ast.ImportFrom)


class Change:
    """Changes one node in place: `number` says which of the changes that are possible there."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def __call__(self, node: ast.AST) -> None:
        match node:
            case ast.Compare():
                node.ops[self.number] = COMPARED[type(node.ops[self.number])]()
            case ast.BinOp() | ast.AugAssign():
                node.op = COMPUTED[type(node.op)]()
            case ast.BoolOp():
                node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            case ast.UnaryOp():
                node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
                node.operand = node.operand if isinstance(node.op, ast.UAdd) else ast.UnaryOp(ast.Not(), node.operand)
            case ast.Constant():
                node.value = _other(node.value)
            case ast.IfExp():
                node.body, node.orelse = node.orelse, node.body
            case ast.If() | ast.comprehension():
                _negate(node, self.number)
            case ast.Call(func=ast.Name() as func):
                func.id = CALLED[func.id]
            case ast.Return():
                node.value = ast.Constant(None)


def _other(value: object) -> bool | int | str:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"not {value}"


def _negate(node: ast.If | ast.comprehension, number: int) -> None:
    if isinstance(node, ast.If):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    else:
        node.ifs[number] = ast.UnaryOp(ast.Not(), node.ifs[number])


def _changes(node: ast.AST) -> list[Change]:
    match node:
        case ast.Compare():
            return [Change(number) for number, op in enumerate(node.ops) if type(op) in COMPARED]
        case ast.BinOp() | ast.AugAssign():
            return [Change()] if type(node.op) in COMPUTED else []
        case ast.UnaryOp():
            return [Change()] if isinstance(node.op, ast.Not | ast.USub) else []
        case ast.Constant():
            return [Change()] if isinstance(node.value, bool | int | str) else []
        case ast.Call(func=ast.Name(id=name)):
            return [Change()] if name in CALLED else []
        case ast.comprehension():
            return [Change(number) for number in range(len(node.ifs))]
        case ast.Return():
            return [] if node.value is None or ast.unparse(node.value) == "None" else [Change()]
        case ast.BoolOp() | ast.IfExp() | ast.If():
            return [Change()]
        case _:
            return []


def tests_of(file: str) -> list[str]:
    names = TESTS.get(file, STATEMENT_TESTS).split()
    places = (f"tests/test_{place}{name}.py" for name in names for place in ("sla_", ""))
    return [path for path in places if (ROOT / path).exists()]


def passes(folder: Path, tests: Sequence[str]) -> bool:
    """Whether the tests of a copy pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    told = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": "x"}
    try:
        ended = subprocess.run(command, cwd=folder, env=told, capture_output=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def survives(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as place:
        folder = copied(Path(place))
        (folder / mutant.file).write_text(mutant.source)
        return passes(folder, tests_of(mutant.file))


def copied(place: Path) -> Path:
    for name in ("sla", "tests"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def told(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("files", nargs="*", default=FILES, metavar="FILE[:LINE]")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    every = [mutant for file in asked.files for mutant in mutants(file)]
    chosen = random.Random(asked.seed).sample(every, min(asked.count, len(every)))
    with tempfile.TemporaryDirectory() as place:
        if not passes(
            copied(Path(place)), sorted({test for file in {mutant.file for mutant in every} for test in tests_of(file)})
        ):
            told("the tests fail without any change; mend them first")
            return 1
    told(f"{len(chosen)} of {len(every)} mutants, seed {asked.seed}")
    alive = []
    with ThreadPoolExecutor(asked.jobs) as workers:
        for mutant, lives in zip(chosen, workers.map(survives, chosen), strict=True):
            if lives:
                alive.append(mutant)
                told(f"survived  {mutant}")
    for file, count in Counter(mutant.file for mutant in chosen).items():
        lived = sum(mutant.file == file for mutant in alive)
        told(f"{file}: {count - lived} of {count} killed")
    told(f"{len(chosen) - len(alive)} of {len(chosen)} killed")
    return 0 if len(alive) * 10 <= len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main())
