"""The files of a config: one file, or a folder merged in name order, and what they include."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.problems import Problem
from config.reading import Sources
from config.yaml_source import Source, parse

MAIN_NAME = "nines.yaml"
LARGEST_BYTES = 32 * 2**20


@dataclass(slots=True)
class Fragment:
    """One file, and how far it is trusted."""

    source: Source
    main: bool
    tenant: bool
    mode: int


@dataclass(slots=True)
class Merged:
    """All files as one value. `value` is None where nothing could be read."""

    folder: Path
    sources: Sources
    fragments: list[Fragment] = field(default_factory=list)
    value: dict[str, Any] | None = None
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""


def read_all(path: Path, *, section_keys: frozenset[str] = frozenset()) -> Merged:
    """Read the main file, its folder and what it includes. Sections are merged by id, other keys stand once."""
    files, problems = _files(path)
    folder = path if path.is_dir() else path.parent
    main = next((file for file in files if file.name == MAIN_NAME), files[0] if files else path)
    merged = Merged(folder, Sources(str(main)), problems=problems)
    for file in files:
        _read_into(merged, file, main=file == main, tenant=False)
    own = next((fragment for fragment in merged.fragments if fragment.main), None)
    if own is not None:
        _include(merged, own, taken={file.resolve() for file in files})
    _merge(merged, section_keys)
    return merged


def _files(path: Path) -> tuple[list[Path], list[Problem]]:
    if not path.is_dir():
        return [path], []
    files = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml") and file.name[0] != ".")
    nothing = Problem(
        str(path), None, "", f"the folder holds no .yaml file; write {path / MAIN_NAME}, or run nines init"
    )
    return files, [] if files else [nothing]


def _read_into(merged: Merged, file: Path, *, main: bool, tenant: bool) -> None:
    try:
        raw = file.read_bytes()
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        advice = "run nines init to write one, or pass --config PATH" if main else "name a file that is there"
        merged.problems.append(Problem(str(file), None, "", f"{(error.strerror or str(error)).lower()}; {advice}"))
        return
    merged.digest = hashlib.sha256(merged.digest.encode() + file.name.encode() + b"\0" + raw).hexdigest()
    source = _parsed(raw, str(file))
    merged.problems += source.problems
    merged.fragments.append(Fragment(source, main=main, tenant=tenant, mode=mode))


def _parsed(raw: bytes, name: str) -> Source:
    if len(raw) > LARGEST_BYTES:
        return Source(
            name, problems=[Problem(name, None, "", "is larger than 32 MiB; split it into a folder of files")]
        )
    try:
        return parse(raw.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Source(name, problems=[Problem(name, line, "", "is no UTF-8 text; save the file as UTF-8")])


def _include(merged: Merged, own: Fragment, taken: set[Path]) -> None:
    value = own.source.value
    entries = value.get("include") if isinstance(value, dict) else None
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
            continue  # its form is reported with the other top-level keys
        path = merged.folder / entry["path"]
        at = ("include", number, "path") if isinstance(entries, list) else ("include", "path")
        files, problems = _files(path)
        if problems or not (path.is_dir() or path.is_file()):
            line = own.source.lines.get(at)
            merged.problems.append(
                Problem(own.source.file, line, "include", f"{path}: no such file, or a folder without .yaml files")
            )
            continue
        for file in files:
            if file.resolve() not in taken:
                taken.add(file.resolve())
                _read_into(merged, file, main=False, tenant=entry.get("trust") == "tenant")


def _merge(merged: Merged, section_keys: frozenset[str]) -> None:
    tenants: set[str] = set()
    for fragment in merged.fragments:
        value = fragment.source.value
        if value is None and not fragment.source.problems:
            if fragment.main:
                merged.problems.append(
                    Problem(fragment.source.file, 1, "", "is empty; begin with version: 1, or run nines init")
                )
            continue
        if not isinstance(value, dict):
            if not fragment.source.problems:
                merged.problems.append(Problem(fragment.source.file, 1, "", "is no mapping; begin with version: 1"))
            continue
        merged.value = {} if merged.value is None else merged.value
        if fragment.main:
            merged.sources.places[()] = (fragment.source.file, 1)
        elif value.get("version") == "1":
            del value["version"]  # a fragment may say it again
        for key, part in value.items():
            _merge_key(merged, fragment, key, part, is_section=key in section_keys)
        if fragment.tenant:
            endpoints = value.get("endpoints")
            tenants.update(endpoints if isinstance(endpoints, dict) else ())
    merged.sources.tenant_endpoints = frozenset(tenants)


def _merge_key(merged: Merged, fragment: Fragment, key: str, part: Any, *, is_section: bool) -> None:
    assert merged.value is not None
    if key not in merged.value:
        merged.value[key] = part
        _place(merged, fragment, key)
    elif is_section and isinstance(merged.value[key], dict) and isinstance(part, dict):
        for name in part:
            if name in merged.value[key]:
                _twice(merged, fragment, (key, name))
            else:
                merged.value[key][name] = part[name]
        _place(merged, fragment, key)
    elif is_section and (part is None or merged.value[key] is None):
        merged.value[key] = part or merged.value[key]
        _place(merged, fragment, key)
    else:
        _twice(merged, fragment, (key,))


def _place(merged: Merged, fragment: Fragment, key: str) -> None:
    for path, line in fragment.source.lines.items():
        if path and path[0] == key:
            merged.sources.places.setdefault(path, (fragment.source.file, line))


def _twice(merged: Merged, fragment: Fragment, path: tuple[str, ...]) -> None:
    file, line = merged.sources.places.get(path, (merged.sources.main, 1))
    here = fragment.source.lines.get(path)
    message = f"is here a second time (first in {file}:{line}); keep one"
    merged.problems.append(Problem(fragment.source.file, here, ".".join(path), message))
