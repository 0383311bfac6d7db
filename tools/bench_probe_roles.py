"""The processes of tools/bench_probe.py: the target, the bare loop, our attempts as fast as they go, and the others."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import trustme

WORKERS = 16
SLOT_S = 0.01
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MODULES = """modules:
  http:
    prober: http
    timeout: 5s
    http: {preferred_ip_protocol: ip4, tls_config: {ca_file: %s}}
"""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is probed, and the folder with the CA and the ledger."""

    scheme: str
    host: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def words(self) -> tuple[str, ...]:
        return (self.scheme, self.host, str(self.port), str(self.folder))


class Process:
    """A started role: lines from it, its count on request, its CPU and memory from /proc."""

    def __init__(self, running: subprocess.Popen[str], port: int = 0) -> None:
        self.running, self.port = running, port

    def line(self) -> str:
        assert self.running.stdout is not None
        return self.running.stdout.readline().strip()

    def count(self) -> int:
        assert self.running.stdin is not None
        self.running.stdin.write("count\n")
        self.running.stdin.flush()
        return int(self.line())

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.running.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def rss_mb(self) -> float:
        for line in Path(f"/proc/{self.running.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the process is gone")


def blackbox_program() -> str | None:
    return shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")


@contextmanager
def started(role: str, *words: object) -> Iterator[Process]:
    """The role in a process of its own, ended with the block."""
    port = 0
    if role == "child":
        command = [
            sys.executable,
            "-P",
            "-m",
            "nines",
            "--config",
            str(words[0]),
            "--db",
            str(words[1]),
            "child",
            "probe",
        ]
    elif role == "blackbox":
        command, port = _blackbox(words[0])
    else:
        command = [sys.executable, __file__, role, *map(str, words)]
    quiet = subprocess.DEVNULL if role in ("child", "blackbox") else None
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True, env=environment
    )
    try:
        yield Process(running, port)
    finally:
        running.terminate()
        running.communicate(timeout=30)


def _blackbox(aim: object) -> tuple[list[str], int]:
    assert isinstance(aim, Aim)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    modules = aim.folder / "blackbox.yml"
    modules.write_text(MODULES % aim.ca)
    program = blackbox_program()
    assert program is not None
    return [program, f"--config.file={modules}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], port


class Answer(asyncio.Protocol):
    """Answers each request with the same bytes and hangs up."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        Answer.count += 1
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        self.transport.close()


def _tell_counts() -> None:
    """A count for every line asked, in a thread, so that nothing of it is in the loop."""
    for _ in sys.stdin:
        sys.stdout.write(f"{Answer.count}\n")
        sys.stdout.flush()


async def target(scheme: str, folder: str) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(Path(folder) / "ca.pem"))
    context = None
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, ssl=context, backlog=4_096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=_tell_counts, daemon=True).start()
    await asyncio.Event().wait()


async def paced(check: Callable[[], Awaitable[object]], rate_per_s: int) -> None:
    """So many a second by a wheel of 10 ms slots; 0: as fast as a few workers go."""
    if not rate_per_s:
        await asyncio.gather(*(_again_and_again(check) for _ in range(WORKERS)))
    loop, running, due = asyncio.get_running_loop(), set[asyncio.Task[object]](), 0.0
    began_s = loop.time()
    while True:
        while due <= (loop.time() - began_s) * rate_per_s:
            due += 1
            task = asyncio.ensure_future(check())
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(SLOT_S)


async def _again_and_again(check: Callable[[], Awaitable[object]]) -> None:
    while True:
        await check()


async def bare(aim: Aim, rate_per_s: int) -> None:
    """The least that aiohttp does for a fresh check: one session, connections that are not kept, the body read."""
    context = ssl.create_default_context(cafile=str(aim.ca))
    connector = aiohttp.TCPConnector(force_close=True, use_dns_cache=False, limit=0, ssl=context)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def check() -> None:
            async with session.get(aim.url) as response:
                await response.read()

        await paced(check, rate_per_s)


async def ours(aim: Aim) -> None:
    """Attempt, judge and write as the daemon does, as fast as a few workers go."""
    from yarl import URL

    from ledger.observations import ObservationWriter, Observed
    from ledger.store import open_ledger
    from nines.clock import now_ms
    from nines.daemon.heap import spare_the_heap
    from probes.fresh import Tools
    from probes.once import attempt
    from probes.resolver import Resolver
    from probes.target import Target
    from probes.trust import Trust
    from sla.judge import Check, Method, State, judge

    for left in aim.folder.glob("nines.db*"):
        left.unlink()
    writer = ObservationWriter(open_ledger(aim.folder / "nines.db", at_ms=now_ms(), create=True), boot_id="bench")
    tools, method = Tools(Resolver(), Trust()), Method(60_000, 5_000)
    ca_file = str(aim.ca) if aim.scheme == "https" else None

    async def watch(number: int) -> None:
        target = Target(f"e{number}", "http", URL(aim.url), method, ca_file=ca_file)
        state = State()
        while True:
            found = await attempt(target, tools, at_ms=now_ms())
            check = Check(found.at_ms, found.verdict, found.error, found.latency_ms)
            state, said = judge(state, check, method)
            writer.put(Observed(target.id, "local", check, phases_us=found.phases_us, transitions=said))

    spare_the_heap()
    await asyncio.gather(*(watch(number) for number in range(WORKERS)))


async def driver(aim: Aim, rate_per_s: int, port: int) -> None:
    """Asks blackbox_exporter over kept-alive connections, as Prometheus does."""
    connector = aiohttp.TCPConnector(limit=0)
    url = f"http://127.0.0.1:{port}/probe"
    await asyncio.sleep(0.5)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def check() -> None:
            async with session.get(url, params={"module": "http", "target": aim.url}) as response:
                text = await response.text()
            if "probe_success 1" not in text:
                raise RuntimeError("blackbox_exporter does not find the target up")

        await paced(check, rate_per_s)


def main(role: str, *words: str) -> None:
    if role == "target":
        asyncio.run(target(words[0], words[1]))
    aim = Aim(words[0], words[1], int(words[2]), Path(words[3]))
    if role == "aiohttp":
        asyncio.run(bare(aim, int(words[4])))
    elif role == "nines":
        asyncio.run(ours(aim))
    elif role == "driver":
        asyncio.run(driver(aim, int(words[4]), int(words[5])))


if __name__ == "__main__":
    main(sys.argv[1], *sys.argv[2:])
