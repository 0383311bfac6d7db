"""Out of descriptors or ports, without a route, beside a dead zone: real ones, in a process or a network of its own.

What is ours is never downtime.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from probe_world import endpoint, intervals, notices, now_ms, probing, rows, sites, until, verdicts

from ledger.store import Ledger, open_ledger
from probes.attempt import Attempt
from probes.faults import trouble_of

HERE = Path(__file__).resolve().parent
OWN_NETWORK = ("unshare", "--map-root-user", "--net", "--mount")
LOOPBACK_UP = """
import asyncio, fcntl, json, pathlib, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1))  # SIOCSIFFLAGS: up
sys.path[:0] = sys.argv[1:]
from local_servers import probe
"""
PORTS = """
pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40001")
listener = socket.create_server(("127.0.0.1", 50000))
held = [socket.create_connection(("127.0.0.1", 50000)) for _ in range(2)]
found = [asyncio.run(probe("tcp://127.0.0.1:50000"))]
"""
ROUTES = """
found = [asyncio.run(probe(f"tcp://{host}:9")) for host in ("192.0.2.1", "[2001:db8::1]", "127.0.0.1")]
"""
NAMES = """
import subprocess, tempfile, threading, dns.message
from local_servers import Method, Target, URL, attempt, tools
from name_servers import records
for name, text in {"resolv.conf": "nameserver 127.0.0.1", "nsswitch.conf": "hosts: files dns"}.items():
    with tempfile.NamedTemporaryFile("w") as file:
        pathlib.Path(file.name).write_text(text)
        subprocess.run(["mount", "--bind", file.name, f"/etc/{name}"], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
answering = records("living.example. 0 A 127.0.0.1")

def serve():
    while True:
        wire, asker = server.recvfrom(4096)
        question = dns.message.from_wire(wire)
        if question.question[0].name.to_text() == "living.example.":
            server.sendto(answering(question).to_wire(), asker)

async def attempts():
    with tools() as shared:
        def ask(url, timeout_ms):
            return attempt(Target("it", "tcp", URL(url), Method(60_000, timeout_ms)), shared, at_ms=0)

        dying = asyncio.gather(*(ask(f"tcp://dead-{number}.example:80", 3_000) for number in range(500)))
        while not dying.done():
            found.append(await ask("tcp://living.example:%d" % listener.getsockname()[1], 1_000))
            await asyncio.sleep(0.2)
        found[:0] = await dying

found = []
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, daemon=True).start()
asyncio.run(attempts())
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "nines.db", at_ms=now_ms(), create=True)


def in_a_network_of_its_own(code: str) -> list[list[str]]:
    """What `code` found there, as (verdict, error, detail): a network with loopback and nothing else."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (util-linux)")
    if subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no network namespace")
    tell = "print(json.dumps([(one.verdict, one.error, one.detail) for one in found]))"
    command = [*OWN_NETWORK, sys.executable, "-P", "-c", f"{LOOPBACK_UP}\n{code}\n{tell}", str(HERE), str(HERE.parent)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found: list[list[str]] = json.loads(answer.stdout)
    return found


def test_without_a_local_port_the_attempt_is_unknown() -> None:
    assert in_a_network_of_its_own(PORTS) == [["unknown", "prober_ports", "no local port is free"]]


def test_without_a_route_of_the_family_the_attempt_is_unknown_and_a_dead_port_beside_it_is_down() -> None:
    four, six, here = in_a_network_of_its_own(ROUTES)
    assert four == ["unknown", "connect_unreachable", "this machine has no IPv4 route to 192.0.2.1"]
    assert six == ["unknown", "connect_unreachable", "this machine has no IPv6 route to 2001:db8::1"]
    assert here[:2] == ["down", "connect_refused"]


def test_hundreds_of_names_of_a_dead_zone_are_down_and_delay_no_name_beside_them() -> None:
    found = in_a_network_of_its_own(NAMES)
    assert found[:500] == [["down", "dns_timeout", "the name was not resolved within 3 s"]] * 500
    assert len(found) > 505
    assert [one for one in found[500:] if one[0] != "up"] == []


async def test_endpoints_that_find_no_descriptor_are_unknown_with_one_notice_and_no_outage(ledger: Ledger) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with sites("127.0.0.1", "127.0.0.1") as [one, two], probing(ledger, [endpoint(one, "a"), endpoint(two, "b")]):
        await until(lambda: one.asked >= 1 and two.asked >= 1)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await until(lambda: _seen(ledger, soft, hard) >= 4)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        asked = one.asked
        await until(lambda: one.asked > asked)
    assert {(verdict, error) for _, verdict, error in verdicts(ledger) if verdict} == {(3, "prober_descriptors")}
    assert intervals(ledger, "down") == []
    assert notices(ledger) == ["prober.descriptors"]
    assert "no file descriptor is free" in rows(ledger, "SELECT body FROM event")[0][0]


def _seen(ledger: Ledger, soft: int, hard: int) -> int:
    """How many checks found none; the test itself needs one to look."""
    low = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        return len([error for *_, error in verdicts(ledger) if error == "prober_descriptors"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))


@pytest.mark.parametrize(
    ("error", "detail", "told"),
    [
        ("prober_ports", "no local port is free", ("ports", "no local port is free")),
        ("prober_error", None, ("trouble", "the prober could not look")),
        (
            "connect_unreachable",
            "this machine has no IPv6 route to 2001:db8::1",
            ("no_route", "this machine has no IPv6 route"),
        ),
        (
            "dns_servfail",
            "name server ::2: this machine has no IPv6 route to ::2",
            ("no_route", "this machine has no IPv6 route"),
        ),
        ("plugin_unknown", "this machine has no IPv6 route", None),
        ("config_error", "a private address is not allowed", None),
    ],
)
def test_operations_are_told_in_words_that_are_the_same_for_every_address(
    error: str, detail: str | None, told: tuple[str, str] | None
) -> None:
    assert trouble_of(Attempt("a", 0, "unknown", error, detail)) == told


def test_what_the_target_did_is_no_trouble_of_ours() -> None:
    assert trouble_of(Attempt("a", 0, "down", "connect_unreachable", "host unreachable")) is None
