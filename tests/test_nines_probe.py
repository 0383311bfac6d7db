"""`nines probe` for every kind of check: one attempt each against real servers in a thread, shown as a waterfall."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cli_rig import Nines, in_folder
from local_servers import ok, saying, server_context, serving
from name_servers import name_server, records


@dataclass(frozen=True)
class Ports:
    http: int
    tls: int
    dns: int


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ports(authority: trustme.CA) -> Iterator[Ports]:
    """Servers that answer rightly, in a loop of their own."""
    ready: list[Ports] = []
    started, loop = threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        dressed = server_context(authority.issue_cert("localhost"))
        hosts = records("shop.example. 60 A 127.0.0.1")
        async with (
            serving(saying(ok(b'{"status": "ok"}'))) as http,
            serving(saying(ok()), tls=dressed) as tls,
            name_server(hosts) as dns,
        ):
            ready.append(Ports(http, tls, dns[1]))
            started.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(10)
    yield ready[0]
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


@pytest.fixture
def agreed(
    ports: Ports,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Nines:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    plugin = tmp_path / "check_it"
    plugin.write_text("#!/bin/sh\necho \"OK - all well | time=0.005s;1;2 'free space'=80%\"\n")
    plugin.chmod(0o755)
    (tmp_path / "nines.yaml").write_text(
        f"""version: 1
exec_allowed: [{plugin}]
endpoints:
  page: {{url: "http://shop.example:{ports.http}/", resolver: "127.0.0.1:{ports.dns}", json: {{$.status: ok}}}}
  dressed: {{url: "https://localhost:{ports.tls}/", ca_file: ca.pem, ip_version: 4}}
  port: {{url: "tcp://127.0.0.1:{ports.http}", send: "GET / HTTP/1.0\\r\\n\\r\\n", expect: "200 OK"}}
  papers: {{url: "tls://localhost:{ports.tls}", ca_file: ca.pem}}
  zone: {{url: "dns://127.0.0.1:{ports.dns}/shop.example", answers: [127.0.0.1]}}
  plugin: {{command: [{plugin}]}}
  host: {{url: "icmp://127.0.0.1"}}
"""
    )
    (tmp_path / "nines.yaml").chmod(0o600)
    return in_folder(tmp_path, monkeypatch, capsys)


KINDS = {
    "page": ["DNS", "TCP", "first byte", "body", "address    127.0.0.1"],
    "dressed": ["DNS", "TCP", "TLS", "first byte", "body", "TLS        1.", "certificate for localhost"],
    "port": ["TCP", "first byte", "body"],
    "papers": ["TCP", "TLS", "certificate for localhost", "revocation is not checked"],
    "zone": ["query", "answers    127.0.0.1"],
    "plugin": ["run", "figures    time=0.005s, free space=80%"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_shown_with_its_own_phases(kind: str, agreed: Nines) -> None:
    said = agreed("probe", kind)
    assert said.code == 0, said.out
    assert said.out.startswith(f"{kind}: UP")
    assert [word for word in KINDS[kind] if word not in said.out] == []


def test_a_ping_is_shown_or_says_how_it_would_be_allowed(agreed: Nines) -> None:
    said = agreed("probe", "host")
    assert "echo" in said.out if said.code == 0 else "CAP_NET_RAW" in said.out


def test_all_of_them_are_tried_at_once_and_a_program_reads_what_was_found(agreed: Nines) -> None:
    found = {one["endpoint"]: one for one in agreed("probe", "--format", "json").data}
    assert set(found) == {*KINDS, "host"}
    assert found["zone"]["answers"] == ["127.0.0.1"]
    assert found["plugin"]["measures"][1] == {"label": "free space", "value": "80", "unit": "%"}
    assert found["papers"]["certificate"]["names"] == ["localhost"]
    assert {one["verdict"] for name, one in found.items() if name != "host"} == {"up"}
