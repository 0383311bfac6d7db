"""What `nines init` writes and `nines config example` prints. Both pass `nines config check` as they are."""

from __future__ import annotations

import re
from importlib.resources import files
from urllib.parse import urlsplit

from config.kinds import url_text
from config.problems import nearest

_STARTER = """\
# What nines watches and what was agreed. Check it with `nines config check`, use it with `nines run`.
# Every key is explained in config/README.md; `nines config example` prints a longer one.
version: 1
timezone: UTC                  # where days begin, unless a client or contract says otherwise

endpoints:
  {id}:
    url: "{url}"
    # interval: 60 s           # from one check to the next
    # timeout: 10 s            # for the whole attempt
    # confirm: 2               # failures in a row that make an outage
    # contains: "OK"           # text that must be in the answer
    # max_latency: 2 s         # slower is degraded

# services:                    # several endpoints as one; an endpoint alone is a service by itself
#   shop: {{name: Shop, all: [{id}]}}

# clients:
#   acme: {{name: Acme, timezone: Europe/Berlin, currency: EUR}}

# contracts:
#   acme-shop:
#     client: acme
#     service: {id}
#     from: {first_day}
#     target: 99.9
#     fee: 2500.00 EUR
#     credits: {{< 99.9: 10 %, < 99.0: 25 %, < 95.0: 50 %}}
#     maintenance: {{notice: 72 h}}

# maintenance:
#   sunday: {{title: Weekly patches, for: [{id}], cron: "0 2 * * sun", duration: 2 h}}

# journal: {{anchor: syslog}}    # once a day the head of the journal, so that a rewritten one is found

# alerts:
#   operations: {{mail: {{host: localhost, from: nines@example.org, to: [operations@example.org]}}}}
"""


def starter(url: str | None = None, *, first_day: str = "2026-01-01") -> str:
    """A commented nines.yaml that watches one endpoint. Raises ValueError for a URL that cannot be checked."""
    checked = url_text(url or "https://example.org/")
    return _STARTER.format(id=_identifier(checked), url=checked.replace('"', "%22"), first_day=first_day)


def _identifier(url: str) -> str:
    """An id from the host's name: `www.example.org` gives `example`."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    first = host.split(".")[0] if not re.fullmatch(r"[\d.]+|.*:.*", host) else host
    word = re.sub(r"[^a-z0-9-]+", "-", first.lower()).strip("-")
    return word[:64] or "web"


def examples() -> dict[str, str]:
    """What the shipped configs show, by name: the first line of each."""
    found = {file.name.removesuffix(".yaml"): file for file in files("config").joinpath("examples").iterdir()}
    return {name: found[name].read_text(encoding="utf-8").splitlines()[0].lstrip("# ") for name in sorted(found)}


def example(name: str = "full") -> str:
    """A shipped config, commented: `full` uses most of what there is, others show one kind of contract each.

    Raises ValueError for a name that is none.
    """
    known = examples()
    if name not in known:
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else f"there are: {', '.join(known)}"
        raise ValueError(f"there is no example {name!r}; {hint}")
    return files("config").joinpath(f"examples/{name}.yaml").read_text(encoding="utf-8")
