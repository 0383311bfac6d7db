"""What is wrong in a config, as values: collected, sorted by line, shown together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. Prints as `nines.yaml:14 contracts.acme-api.target: 101 is above 100 %; write e.g. 99.9`."""

    file: str
    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(Exception):
    """The config cannot be used as it is; `problems` says all that is wrong, file by file, line by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        unique = dict.fromkeys(problems)
        self.problems = tuple(sorted(unique, key=lambda problem: (problem.file, problem.line or 0, problem.path)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class At(ValueError):
    """What is wrong with a key, or at a path, inside the value being read: `At("until", "is before from")`."""

    def __init__(self, at: str | int | KeyPath, message: str) -> None:
        self.path: KeyPath = at if isinstance(at, tuple) else (at,)
        super().__init__(message)


def path_text(path: Sequence[str | int]) -> str:
    """`contracts.acme-api.versions[1].target`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    names = list(known)
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    return next((name for name in names if close and name.lower() == close[0]), None)


def unknown_key(word: str, known: Iterable[str]) -> str:
    """`unknown key; did you mean url?`, or what is known where nothing is near."""
    names = sorted(known)
    meant = nearest(word, names)
    return f"unknown key; did you mean {meant}?" if meant else f"unknown key; known here: {', '.join(names)}"


def unknown_name(kind: str, name: str, known: Iterable[str], section: str) -> str:
    """`no endpoint 'wbe' is defined; did you mean web?`, or where to define it."""
    meant = nearest(name, known)
    return f"no {kind} {name!r} is defined; " + (f"did you mean {meant}?" if meant else f"define it under {section}:")
