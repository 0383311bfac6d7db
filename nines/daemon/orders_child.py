"""The `orders` child: reads the config, says what the prober is to do, and ends."""

from __future__ import annotations

import copyreg
import pickle
from pathlib import Path
from typing import BinaryIO

import regex

from config.load import ConfigError, Problem, load
from config.model import Config
from config.notes import notes
from nines.daemon.orders import VERSION, Orders
from nines.daemon.settings import hidden_from_commands, outlook_of, rates_of, revealer, spool_place
from probes.endpoint import target_of


def run_orders_child(*, config_path: Path, database: Path, out: BinaryIO) -> None:
    """Orders, or all that is wrong with the config."""
    said: Orders | tuple[Problem, ...]
    try:
        said = orders_of(load(config_path), database)
    except ConfigError as error:
        said = error.problems
    sender = _Sender(out)
    sender.dump(VERSION)
    sender.dump(said)


def orders_of(config: Config, database: Path) -> Orders:
    """What this config has the prober do; its secrets are in there as they are sent."""
    reveal = revealer(config)
    return Orders(
        targets=tuple(target_of(one, reveal) for one in config.endpoints.values() if one.checked_here),
        rates=rates_of(config),
        outlook=outlook_of(config),
        metrics=config.listen.metrics_address,
        push=config.listen.push_address,
        spool=spool_place(config, database),
        spool_bytes=config.spool.size_bytes,
        hidden=tuple(hidden_from_commands(config, database)),
        notes=tuple(map(str, notes(config))),
    )


class _Sender(pickle.Pickler):
    """Patterns go as text: compiled again they are the same ones as before, and their endpoints unchanged."""

    dispatch_table = copyreg.dispatch_table | {regex.Pattern: lambda pattern: (regex.compile, (pattern.pattern,))}
