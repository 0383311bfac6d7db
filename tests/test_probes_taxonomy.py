"""One list of error classes: what the code raises, what the list holds, what the page prints, what the pages say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from config.load import load
from probes.taxonomy import CLASSES, TAXONOMY
from reporting.causes import cause_words

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/checks.md").read_text(encoding="utf-8")


def classes_in_code() -> set[str]:
    """Every text in `probes` that looks like a class: of a known family, whole, in lower case."""
    families = {name.split("_")[0] for name in CLASSES}
    found = set()
    for path in (ROOT / "probes").glob("*.py"):
        if path.name == "taxonomy.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Fault", "Outcome", "Check", "Unseen"):
                found |= {
                    part.value
                    for argument in node.args
                    for part in ast.walk(argument)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+|slow", part.value)
                }
            if isinstance(node, ast.Tuple):
                found |= {
                    part.value
                    for part in node.elts
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", part.value) and part.value.split("_")[0] in families
                }
    return found


def test_the_code_raises_the_classes_of_the_list_and_no_others() -> None:
    assert classes_in_code() == set(CLASSES)


def test_the_page_prints_the_list() -> None:
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| (\w+) \| (.+) \|$", PAGE.split("## Error classes")[1], re.MULTILINE)
    assert rows == [(one.name, one.verdict, one.meaning) for one in TAXONOMY]


def test_every_class_has_its_words_for_people() -> None:
    assert [name for name in CLASSES if cause_words(name) == name] == []


def test_the_examples_of_the_page_load(tmp_path: Path) -> None:
    (tmp_path / "nines.yaml").write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    (tmp_path / "nines.yaml").chmod(0o600)
    kinds = [one.kind for one in load(tmp_path / "nines.yaml").endpoints.values()]
    assert kinds == ["http", "tcp", "tcp", "certificate", "dns", "icmp", "exec", "heartbeat"]
