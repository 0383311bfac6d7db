"""The command line. Names of commands are a contract: scripts call them.

Commands load their module when they are called, so that `nines status` never imports what draws a PDF.
Exit codes: 0 done; 1 bad news, from commands that ask; 2 usage, config or input.
"""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from nines.cli.errors import lines_for
from nines.cli.output import say
from nines.cli.places import Place

_VERBS = {
    "alert": "nines.cli.alert",
    "calc": "nines.cli.calc",
    "child": "nines.cli.child",
    "config": "nines.cli.config",
    "credits": "nines.cli.statement",
    "db": "nines.cli.care",
    "demo": "nines.cli.demo",
    "doctor": "nines.cli.doctor",
    "explain": "nines.cli.statement",
    "import": "nines.cli.import_",
    "init": "nines.cli.config",
    "journal": "nines.cli.journal",
    "outages": "nines.cli.status",
    "person": "nines.cli.person",
    "probe": "nines.cli.probe",
    "report": "nines.cli.statement",
    "run": "nines.cli.run",
    "statement": "nines.cli.statement",
    "status": "nines.cli.status",
    "whatif": "nines.cli.whatif",
}


class Verbs(click.Group):
    """A group whose commands are found by name in their modules, each imported when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(_VERBS[name]), f"{name}_command")
        return command


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--config",
    "config_path",
    metavar="PATH",
    help="Config file or folder. Default: NINES_CONFIG, ./nines.yaml, /etc/nines/nines.yaml.",
)
@click.option(
    "--db",
    "database",
    metavar="URL",
    help="Ledger. Default: NINES_DB, ./nines.db beside ./nines.yaml, else /var/lib/nines/nines.db.",
)
@click.version_option(package_name="nines", prog_name="nines")
@click.pass_context
def nines(context: click.Context, config_path: str | None, database: str | None) -> None:
    """Availability that people are paid for: from probe to credit note.

    \b
    First:          nines init --url https://example.org
                    nines config check
                    nines run
    While it runs:  nines status --watch
    A month later:  nines statement build CLIENT --period 2026-10
                    nines report CLIENT --period 2026-10
                    nines credits --period 2026-10
    """
    context.obj = Place(config_option=config_path, database_option=database)


def main() -> None:
    """The console script. One clear line for what a person can mend; a traceback only for a fault of ours."""
    code, output = None, sys.stdout
    try:
        code = nines.main(prog_name="nines", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk is met here, not in the interpreter's last breath
    except click.ClickException as error:
        _show(error)
        sys.exit(error.exit_code if isinstance(error, click.UsageError) else 2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        _reader_went_away()
    except SystemExit:
        if sys.stdout is not output:  # click met the broken pipe first, and put a stand-in for it
            sys.exit(0)
        raise
    except Exception as error:
        lines = lines_for(error)
        if lines is None:
            raise
        say(*lines, err=True)
        _discard_output()
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: click.ClickException) -> None:
    """As click words it, without anything that a terminal would obey: it quotes what was typed or read."""
    lines = io.StringIO()
    error.show(file=lines)
    say(*lines.getvalue().splitlines(), err=True)


def _reader_went_away() -> None:
    """`nines ... | head` has what it wanted; nobody is left to say anything to."""
    _discard_output()
    sys.exit(0)


def _discard_output() -> None:
    """What is still buffered goes nowhere, so that the interpreter's end does not fail over it once more."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return  # standard output is closed, or is no file
