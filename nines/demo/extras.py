"""What only the demo needs: the optional packages of the extra `demo`, imported when asked for."""

from __future__ import annotations

import importlib
from types import ModuleType


class MissingExtra(Exception):
    """The demo needs packages that a plain installation leaves out."""

    def __init__(self, package: str) -> None:
        super().__init__(f"nines demo needs {package}, which is not installed here; type: pip install 'nines[demo]'")


def demo_package(name: str) -> ModuleType:
    """The module `name` of the extra `demo`. Raises MissingExtra where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtra(name.partition(".")[0]) from error
