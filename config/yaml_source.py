"""YAML text to plain values that know their lines.

YAML 1.2 as far as a config needs it: mappings, lists and text. Every scalar stays text (`99.90`, `no`, `12:30`) until
a model types it; only an empty value, `~` and `null` are None. Duplicate keys, aliases, tags, merge keys, several
documents and absurd nesting are refused. Events are read rather than composed: faster, and no depth of nesting can
exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from sys import intern
from typing import Any, TypeAlias

import yaml
from yaml.cyaml import CBaseLoader
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from config.problems import KeyPath, Problem, path_text

Value: TypeAlias = "dict[str, Any] | list[Any] | str | None"
DEEPEST = 24  # levels of nesting; the deepest real config has nine
_NULLS = {"", "~", "null"}


@dataclass(slots=True)
class Source:
    """One parsed file: its value, the line (from 1) of every key and item, and what was wrong with its form."""

    file: str
    value: Value = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _Unreadable(Exception):
    """The text cannot be read on from here."""

    def __init__(self, line: int, path: KeyPath, message: str) -> None:
        self.line, self.path = line, path_text(path)
        super().__init__(message)


def parse(text: str, file: str) -> Source:
    """Read YAML or JSON text. What is wrong stands in `problems`; where the text breaks off, `value` is None."""
    source = Source(file)
    try:
        events = yaml.parse(text, Loader=CBaseLoader)
        source.value = _Reader(source, events).document()
    except _Unreadable as broken:
        source.value = None
        source.problems.append(Problem(file, broken.line, broken.path, str(broken)))
    except yaml.MarkedYAMLError as broken:
        source.value = None
        source.problems.append(Problem(file, _line(broken), "", _words(broken)))
    except yaml.YAMLError as broken:
        source.value = None
        line = text.count("\n", 0, getattr(broken, "position", 0)) + 1
        source.problems.append(Problem(file, line, "", "holds a control character; save the file as plain UTF-8 text"))
    return source


def _line(broken: yaml.MarkedYAMLError) -> int:
    mark = broken.problem_mark or broken.context_mark
    return 1 if mark is None else mark.line + 1


def _words(broken: yaml.MarkedYAMLError) -> str:
    said = (broken.problem or "cannot be read").rstrip()
    began = broken.context_mark
    since = f" ({broken.context}, begun on line {began.line + 1})" if broken.context and began else ""
    return f"broken YAML: {said}{since}; indent with spaces, and quote text that holds `: ` or begins with a sign"


def _line_of(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Reader:
    def __init__(self, source: Source, events: Iterator[Event]) -> None:
        self.source, self.events = source, events

    def document(self) -> Value:
        documents = 0
        value: Value = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Unreadable(_line_of(event), (), "a second document begins here; write one per file")
            elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
                value = self.read(event, ())
        return value

    def read(self, event: Event, path: KeyPath) -> Value:
        line = _line_of(event)
        self.source.lines.setdefault(path, line)
        if isinstance(event, AliasEvent):
            raise _Unreadable(line, path, "is an alias (*name); write the value itself")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise _Unreadable(line, path, f"has a tag ({tag}); leave it out")
        if len(path) > DEEPEST:
            raise _Unreadable(line, path[:2], f"nested deeper than {DEEPEST} levels; a bracket is probably not closed")
        if isinstance(event, ScalarEvent):
            return None if event.style == "" and event.value in _NULLS else str(event.value)
        return self.mapping(path) if isinstance(event, MappingStartEvent) else self.sequence(path)

    def mapping(self, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            line = _line_of(event)
            if not isinstance(event, ScalarEvent):
                raise _Unreadable(line, path, "has a key that is no text; write `key: value`")
            key = intern(event.value)  # thousands of entries have the same few
            if key in first:
                self.refuse(line, (*path, key), f"is here a second time (first on line {first[key]}); keep one")
                self.read(next(self.events), (*path, key))
                continue
            first[key] = line
            self.source.lines[(*path, key)] = line
            found[key] = self.read(next(self.events), (*path, key))
        return found

    def sequence(self, path: KeyPath) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self.read(event, (*path, len(found))))
        return found

    def refuse(self, line: int, path: KeyPath, message: str) -> None:
        self.source.problems.append(Problem(self.source.file, line, path_text(path), message))
