"""Secrets: references in the config, revealed only where they are used, masked wherever they are shown.

`file:NAME` is a file below secrets_dir; `${NINES_SECRET_NAME}` an environment variable of that prefix, alone or inside
other text (`Bearer ${NINES_SECRET_API}`). Nothing else is looked up, so a config cannot read the machine it runs on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "NINES_SECRET_"
_NAME = re.compile(r"\$\{([^}]*)\}")
_EXAMPLE = "write file:NAME or ${NINES_SECRET_NAME}"


class SecretError(Exception):
    """A secret that the config refers to is not there; the message says where it was looked for."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What the config says: a reference, or plain text in the fields that allow it."""

    reference: str

    @property
    def is_reference(self) -> bool:
        return self.reference.startswith("file:") or "${" in self.reference

    def reveal(self, secrets_dir: Path | None, environ: Mapping[str, str]) -> str:
        """The secret itself. Raises SecretError."""
        if self.reference.startswith("file:"):
            return _read(secrets_dir, self.reference.removeprefix("file:"))
        return _NAME.sub(lambda match: _variable(match[1], environ), self.reference)

    def __str__(self) -> str:
        return self.reference if self.is_reference else "****"

    def __repr__(self) -> str:
        return f"Secret({self})"


def _read(secrets_dir: Path | None, name: str) -> str:
    if secrets_dir is None:
        raise SecretError(f"file:{name} needs a folder; set secrets_dir in the main file, or CREDENTIALS_DIRECTORY")
    folder = secrets_dir.resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise SecretError(f"file:{name} points outside {secrets_dir}")
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise SecretError(f"file:{name} cannot be read from {secrets_dir}: {reason}") from None


def _variable(name: str, environ: Mapping[str, str]) -> str:
    if not name.startswith(PREFIX):
        raise SecretError(f"${{{name}}} is not read; only names that begin with {PREFIX} are")
    if name not in environ:
        raise SecretError(f"${{{name}}} is not set in the environment")
    return environ[name]


def secret(value: object) -> Secret:
    """A field that must be a reference: plain text is refused."""
    found = secret_or_text(value)
    if not found.is_reference:
        raise ValueError(f"a secret is not written into the config; {_EXAMPLE}")
    return found


def secret_or_text(value: object) -> Secret:
    """A field that may hold a reference or plain text. Raises ValueError for a reference that is not allowed."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError(f"is no text; {_EXAMPLE}")
    name = value.removeprefix("file:")
    if name != value and (not name.strip() or name.startswith("/") or ".." in Path(name).parts):
        raise ValueError(f"{value!r} points outside secrets_dir; write the file's name, e.g. file:smtp-password")
    for variable in _NAME.findall(value):
        if not re.fullmatch(PREFIX + r"[A-Z0-9_]+", variable):
            raise ValueError(f"${{{variable}}} is not read, only names of a prefix are; write ${{{PREFIX}NAME}}")
    return Secret(value)
