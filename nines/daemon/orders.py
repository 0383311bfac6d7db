"""What the prober is told to do, and how it comes to know: a short-lived process of ours reads the config and says it.

Reading a large config takes more memory than probing all that stands in it, and holds up every check meanwhile. So the
`probe` child, which lives for months, never does: `orders_child` does, and ends. Secrets go through the pipe between
the two, and nowhere else. What comes out of it is ours, so it may be pickle.
"""

from __future__ import annotations

import io
import pickle
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from config.problems import ConfigError, Problem
from nines.daemon.children import child_command

if TYPE_CHECKING:
    from probes.gate import Rates
    from probes.target import Target
    from probes.vantage import Outlook

VERSION = version("nines")  # one that was installed meanwhile speaks of targets that this one does not know
Place: TypeAlias = tuple[str, int] | None  # to listen at; None: nowhere


@dataclass(frozen=True, slots=True)
class Orders:
    """All that the prober takes from a config."""

    targets: tuple[Target, ...]  # checked from here; what other locations alone check comes in by import
    rates: Rates
    outlook: Outlook
    metrics: Place
    push: Place
    spool: Path
    spool_bytes: int
    hidden: tuple[Path, ...]  # from commands
    notes: tuple[str, ...]  # worth knowing about a config that is right


def read_orders(config: Path, database: Path) -> Orders:
    """Have the config read, and wait for it. Raises ConfigError, also where no process could read it to its end."""
    command = child_command("orders", config=config, database=database)
    try:
        reader = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    except OSError as error:
        raise _unread(config, f"no process can be started that reads it: {error.strerror}") from None
    if reader.returncode:
        raise _unread(config, f"the process that reads it ended with code {reader.returncode}")
    answer = pickle.Unpickler(io.BytesIO(reader.stdout))
    if (other := answer.load()) != VERSION:
        raise _unread(config, f"it is read by nines {other} and this is {VERSION}; restart the daemon")
    said: Orders | tuple[Problem, ...] = answer.load()
    if isinstance(said, Orders):
        return said
    raise ConfigError(said)


def _unread(config: Path, reason: str) -> ConfigError:
    return ConfigError([Problem(str(config), None, "", reason)])
