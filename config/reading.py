"""Plain values to models, with every fault as a Problem at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from config.problems import At, KeyPath, Problem, path_text, unknown_key

Model = TypeVar("Model", bound=BaseModel)

_EXAMPLES = {
    "url": "url: https://example.org/health",
    "version": "version: 1",
    "client": "client: acme",
    "services": "service: api",
    "for": "for: [api]",
    "host": "host: mail.example.org",
    "from": "from: 2026-01-01 (in mail: from: nines@example.org)",
    "to": "to: [operations@example.org]",
    "path": "path: conf.d",
}
_SHAPES = {
    "model_type": "is no mapping; write `key: value` lines below it",
    "dict_type": "is no mapping; write `key: value` lines below it",
    "tuple_type": "is no list; write `- ` before each item",
    "list_type": "is no list; write `- ` before each item",
}


@dataclass(slots=True)
class Sources:
    """Where every value was written: file and line by key path; and the hash of all that was read."""

    main: str
    places: dict[KeyPath, tuple[str, int]] = field(default_factory=dict)
    tenant_endpoints: frozenset[str] = frozenset()
    sha256: str = ""

    def problem(self, path: Sequence[str | int], message: str) -> Problem:
        """A problem at the line of that path, or of the nearest thing around it that was written."""
        file, line = self._place(tuple(path))
        return Problem(file, line, path_text(path), message)

    def _place(self, path: KeyPath) -> tuple[str, int | None]:
        while path:
            if path in self.places:
                return self.places[path]
            singular = (*path[:-1], "service") if path[-1] == "services" else path  # `service: api` is read as a list
            if singular in self.places:
                return self.places[singular]
            path = path[:-1]
        return self.places.get((), (self.main, None))


def read(model: type[Model], value: object, path: KeyPath, sources: Sources, **ours: Any) -> Model | list[Problem]:
    """The model of a YAML value, or what is wrong with it. `ours` are fields that no file may set."""
    if not isinstance(value, Mapping):
        return [sources.problem(path, f"is {_shape(value)}; write `key: value` lines below it")]
    forbidden = [key for key in getattr(model, "OURS", ()) if key in value]
    problems = [sources.problem((*path, key), unknown_key(key, keys_of(model))) for key in forbidden]
    try:
        allowed = {key: part for key, part in value.items() if key not in forbidden}
        found = model.model_validate({**allowed, **ours}, by_alias=True, by_name=False)
    except ValidationError as invalid:
        return problems + [_problem(model, error, path, sources) for error in invalid.errors()]
    return problems or found


def _shape(value: object) -> str:
    return "empty" if value is None else "a list" if isinstance(value, list) else f"{value!r}"


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """The keys that a file may write for this model."""
    hidden = getattr(model, "OURS", ())
    names = (info.alias or name for name, info in model.model_fields.items())
    return (name for name in (*names, *getattr(model, "MORE", ())) if name not in hidden)


def _problem(model: type[BaseModel], error: Mapping[str, Any], path: KeyPath, sources: Sources) -> Problem:
    location: KeyPath = tuple(part for part in error["loc"] if part not in ("[key]", "id"))  # an id is its entry's key
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, At):
        location = (*location, *cause.path)
    return sources.problem((*path, *location), _message(model, error, location))


def _message(model: type[BaseModel], error: Mapping[str, Any], location: KeyPath) -> str:
    kind = error["type"]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "extra_forbidden":
        return _extra(_model_at(model, location[:-1]), str(location[-1]))
    if kind == "missing":
        key = str(location[-1])
        return f"is missing; write e.g. {_EXAMPLES.get(key, key + ': ...')}"
    if kind == "literal_error":
        return f"{error['input']!r} is not computed by this version; write {error['ctx']['expected']}"
    return _SHAPES.get(kind) or str(error["msg"])


def _extra(model: type[BaseModel] | None, key: str) -> str:
    if model is None:
        return "unknown key; leave it out"
    if key in getattr(model, "LATER", ()):
        return "is in the contract language, but this version does not compute it; leave it out"
    return unknown_key(key, keys_of(model))


def _model_at(model: type[BaseModel] | None, location: KeyPath) -> type[BaseModel] | None:
    for part in location:
        if model is None or isinstance(part, int):
            continue
        fields = model.model_fields.items()
        annotation = next((info.annotation for name, info in fields if part in (name, info.alias)), None)
        model = _model_in(annotation)
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
