"""`nines init` and `nines config ...`: writing, checking, showing and applying the configuration."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from config.load import load
from config.notes import notes
from config.schema import json_schema
from config.show import show_lines
from config.starter import example, examples, starter
from nines.cli.apply import apply_config
from nines.cli.output import format_option, print_json, print_table, say
from nines.cli.places import Place
from probes.heartbeat import token_hash


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path), metavar="[DIR]")
@click.option("--url", help="The first endpoint, e.g. https://example.org")
def init_command(folder: Path, url: str | None) -> None:
    """Write a starter nines.yaml that passes `nines config check`. Nothing is asked, nothing is overwritten.

    \b
    nines init --url https://example.org
    nines init /etc/nines --url https://example.org/health
    """
    path = folder / "nines.yaml"
    text = starter(url)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} exists and stays as it is; remove it or name another folder") from None
    say(f"{path} written")
    say(f"next: nines --config {path} probe    one check of each endpoint, now")
    say(f"      nines --config {path} run      the daemon")


@click.group("config")
def config_command() -> None:
    """Check, show and apply the configuration."""


@config_command.command("check")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@format_option("text", "json")
@click.pass_obj
def check(place: Place, path: Path | None, form: str) -> None:
    """Say every problem of the file with its line, and how to write it right. Exit 2 when there is one.

    Notes of a file that is good say what follows from it, for example a burn alert that could never fire.

    PATH is a file or a folder; left out, it is the config that the other commands use.

    \b
    nines config check
    nines config check /etc/nines
    """
    chosen = path or place.config_path
    config = load(chosen)
    said = notes(config)
    counts = {
        name: len(getattr(config, name)) for name in ("endpoints", "services", "clients", "contracts", "maintenance")
    }
    if form == "json":
        print_json({"config": str(chosen), "ok": True, **counts, "notes": [str(note) for note in said]})
        return
    say(f"{chosen}: good; " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    for note in said:
        say(f"note: {note}")


@config_command.command("schema")
def schema() -> None:
    """The JSON Schema of the file, for editors: put `# yaml-language-server: $schema=nines.schema.json` on line 1."""
    print_json(json_schema())


@config_command.command("example")
@click.argument("name", default="full")
@click.option("--list", "listed", is_flag=True, help="What there is, one line each.")
def show_example(name: str, listed: bool) -> None:
    """A file with every part of the language in use, or one kind of contract with its text, to read and copy from.

    \b
    nines config example
    nines config example --list
    nines config example per-started-half-hour > nines.yaml
    """
    if listed:
        print_table(("NAME", "WHAT IT SHOWS"), list(examples().items()), empty="")
        return
    try:
        click.echo(example(name), nl=False)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@config_command.command("token")
def token() -> None:
    """A new token for a job that tells of itself, and its hash for the config. Nothing is kept here.

    \b
    nines config token
    """
    made = secrets.token_urlsafe(32)
    say(f"token      {made}", "           for the job alone; it is shown this once")
    say(f"heartbeat: {token_hash(made)}", "           for its endpoint in the config, in place of a url")
    say("the job:   curl -fsS --retry 5 -X POST -H 'Authorization: Bearer TOKEN' http://127.0.0.1:8092/push/ENDPOINT")


@config_command.command("show")
@click.option("--full", is_flag=True, help="Every option in force, defaults included.")
@click.pass_obj
def show(place: Place, full: bool) -> None:
    """What nines understood, as YAML; secrets masked.

    \b
    nines config show
    nines config show --full | less     every default too
    """
    for line in show_lines(place.load_config(), full=full):
        say(line)


@config_command.command("apply")
@click.option(
    "--open-period", is_flag=True, help="Accept changes of terms back to the start of the open period; journalled."
)
@click.pass_obj
def apply(place: Place, open_period: bool) -> None:
    """Store the definitions in the ledger, dated from now on. A running daemon takes the file in at SIGHUP.

    What has begun is not rewritten: changed terms are refused with the entry to write under `versions`.

    \b
    nines config apply
    nines --config /etc/nines/nines.yaml --db /var/lib/nines/nines.db config apply
    """
    result = apply_config(place, open_period=open_period)
    if not result.stored and result.head is not None:
        say(f"{place.database}: no definition changed; that the file did is on record")
        return
    if not result.stored:
        say(f"{place.database}: nothing new, the ledger holds what the file says")
        return
    for definition in result.stored:
        say(f"{'removed' if definition.body is None else 'stored '} {definition.kind} {definition.id}")
    say(f"{place.database}: {len(result.stored)} definitions in force from now on")
