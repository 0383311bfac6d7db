"""`load`: a file or a folder to a `Config`, or every problem of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config import trust
from config.alert import Alert
from config.contract import Contract, Plan
from config.crosscheck import crosscheck
from config.endpoint import Endpoint
from config.files import Merged, read_all
from config.model import Client, Config, Journal, Service, Settings
from config.problems import ConfigError as ConfigError
from config.problems import Problem as Problem
from config.problems import unknown_key
from config.reading import Sources, keys_of, read
from config.window import Maintenance

SECTIONS: dict[str, type[BaseModel]] = {
    "endpoints": Endpoint,
    "services": Service,
    "clients": Client,
    "plans": Plan,
    "contracts": Contract,
    "maintenance": Maintenance,
    "alerts": Alert,
}
_ENTRY = {
    "endpoints": "web: {url: https://example.org}",
    "clients": "acme: {name: Acme}",
    "services": "api: {all: [web]}",
}


def load(path: Path) -> Config:
    """Read, type and cross-check the config at `path`. Raises ConfigError with all problems, sorted by line."""
    merged = read_all(path, section_keys=frozenset(SECTIONS))
    problems = [*merged.problems]
    sources = merged.sources
    if merged.value is None:
        raise ConfigError(problems)
    problems += trust.refused(merged)
    settings = _settings(merged.value, sources, problems)
    found = {section: _section(section, merged, problems) for section in SECTIONS}
    found["endpoints"] = _placed(found["endpoints"], merged, settings, problems)
    config = _assemble(settings, found, merged)
    problems += crosscheck(config, written=merged.value)
    if problems:
        raise ConfigError(problems)
    return config


def _settings(value: Mapping[str, Any], sources: Sources, problems: list[Problem]) -> Settings:
    own = {key: part for key, part in value.items() if key not in SECTIONS}
    known = [*keys_of(Settings), *SECTIONS]
    for key in [key for key in own if key not in known]:
        problems.append(sources.problem((key,), unknown_key(key, known)))
        del own[key]
    settings = read(Settings, own, (), sources)
    if isinstance(settings, Settings):
        return settings
    problems += settings
    # A stand-in, so that the rest is still checked; with a problem on record it never leaves this module.
    return Settings(version=1, timezone="UTC")


def _section(section: str, merged: Merged, problems: list[Problem]) -> dict[str, Any]:
    entries = (merged.value or {}).get(section)
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        example = _ENTRY.get(section, "name: {...}")
        problems.append(merged.sources.problem((section,), f"is no mapping of ids; write e.g. {example}"))
        return {}
    found = {}
    for name, value in entries.items():
        entry = _entry(section, name, value, merged)
        if isinstance(entry, list):
            problems += entry
        else:
            found[name] = entry
    return found


def _entry(section: str, name: str, value: object, merged: Merged) -> BaseModel | list[Problem]:
    ours: dict[str, Any] = {"id": name}
    if section == "endpoints":
        ours["tenant"] = name in merged.sources.tenant_endpoints
    return read(SECTIONS[section], value, (section, name), merged.sources, **ours)


def _placed(
    endpoints: dict[str, Endpoint], merged: Merged, settings: Settings, problems: list[Problem]
) -> dict[str, Endpoint]:
    """Endpoints with what depends on the file they came from: the CA file's place, the networks a tenant may reach."""
    placed = {}
    for name, endpoint in endpoints.items():
        changes: dict[str, Any] = {"contact": settings.contact} if settings.contact else {}
        if endpoint.tenant:
            changes["allow_private"] = settings.allow_private
        if endpoint.ca_file is not None:
            ca_file = merged.folder / endpoint.ca_file
            changes["ca_file"] = str(ca_file)
            if not ca_file.is_file():
                problems.append(
                    merged.sources.problem(("endpoints", name, "ca_file"), f"{ca_file}: no such file; name a PEM file")
                )
        placed[name] = endpoint.model_copy(update=changes) if changes else endpoint
    return placed


def _assemble(settings: Settings, found: dict[str, dict[str, Any]], merged: Merged) -> Config:
    merged.sources.sha256 = merged.digest
    fields: dict[str, Any] = {name: getattr(settings, name) for name in Settings.model_fields}
    if settings.secrets_dir is not None:
        fields["secrets_dir"] = str(merged.folder / settings.secrets_dir)
    if settings.journal.anchor not in (None, "syslog"):
        fields["journal"] = Journal(anchor=str(merged.folder / settings.journal.anchor))
    return Config.model_construct(**(fields | found), sources=merged.sources)
