"""Servers that others wrote, each up, hung (stopped in its tracks) and gone; those that are not installed are skipped.

Debian: nginx-light, redis-server, postgresql, dnsmasq-base, monitoring-plugins-basic.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from local_servers import closed_port, probe, run_command

from probes.attempt import Attempt
from probes.target import Question

pytestmark = pytest.mark.usefixtures("descriptors_kept")
PLUGINS = Path("/usr/lib/nagios/plugins")
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


def program(*places: str) -> str:
    found = next((path for place in places if (path := shutil.which(place))), None)
    if found is None:
        pytest.skip(f"{Path(places[0]).name} is not installed here")
    return found


def nobody() -> str | None:
    """Another user to run as, where we are root: PostgreSQL serves no root."""
    return "nobody" if os.geteuid() == 0 else None


@contextlib.contextmanager
def running(*command: str, port: int, user: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a group of its own, once it accepts connections; ended with its group."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, user=user, process_group=0
    )
    try:
        wait_until_it_accepts(process, port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until_it_accepts(process: subprocess.Popen[bytes], port: int) -> None:
    until_s = time.monotonic() + 15
    while time.monotonic() < until_s:
        if process.poll() is not None:
            assert process.stderr is not None
            pytest.fail(f"{process.args!r} ended: {process.stderr.read().decode()[-600:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.02)
    pytest.fail(f"{process.args!r} accepts no connections")


@dataclass(frozen=True)
class Served:
    port: int
    command: tuple[str, ...]
    user: str | None = None


def nginx(folder: Path) -> Served:
    port = closed_port()
    (folder / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  gzip on; gzip_types application/json; gzip_min_length 1;
  server {{
    listen 127.0.0.1:{port};
    location /health {{ default_type application/json; return 200 '{{"status": "ok"}}'; }}
    location /moved {{ return 301 /health; }}
    location /closed {{ return 444; }}
  }}
}}
"""
    )
    return Served(port, (program("nginx", "/usr/sbin/nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")))


def redis(folder: Path) -> Served:
    port = closed_port()
    arguments = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    return Served(port, (program("redis-server"), *arguments))


def postgres(folder: Path) -> Served:
    newest = [str(place) for place in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    initdb = program("initdb", *(f"{place}/initdb" for place in newest))
    server = program(str(Path(initdb).with_name("postgres")))
    data = folder / "data"
    data.mkdir(mode=0o700)
    user = nobody()
    if user is not None:
        for place in (folder, data):
            os.chown(place, pwd.getpwnam(user).pw_uid, -1)
    made = subprocess.run(
        [initdb, "--no-sync", "--auth=trust", "--username=postgres", "--no-locale", "-D", str(data)],
        capture_output=True,
        text=True,
        check=False,
        user=user,
        cwd="/",
    )
    assert made.returncode == 0, made.stderr
    port = closed_port()
    settings = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
    return Served(port, (server, "-D", str(data), "-p", str(port), *settings), user)


async def in_turn(served: Served, ask: Callable[[int], object]) -> list[tuple[str, str | None]]:
    """What is found while it runs, while it is stopped in its tracks, and after its end."""
    found = []
    with running(*served.command, port=served.port, user=served.user) as process:
        found.append(judged(await ask(served.port)))  # type: ignore[misc]
        os.killpg(process.pid, signal.SIGSTOP)
        found.append(judged(await ask(served.port)))  # type: ignore[misc]
    found.append(judged(await ask(served.port)))  # type: ignore[misc]
    return found


UP_HUNG_GONE = [("up", None), ("down", "timeout_first_byte"), ("down", "connect_refused")]


async def test_nginx_up_hung_and_gone(tmp_path: Path) -> None:
    async def ask(port: int) -> Attempt:
        json = (("$.status", ("status",), "ok"),)
        return await probe(f"http://127.0.0.1:{port}/moved", json=json, timeout_ms=700)

    assert await in_turn(nginx(tmp_path), ask) == UP_HUNG_GONE


async def test_nginx_that_hangs_up_without_a_word(tmp_path: Path) -> None:
    served = nginx(tmp_path)
    with running(*served.command, port=served.port):
        assert judged(await probe(f"http://127.0.0.1:{served.port}/closed")) == ("down", "http_empty")
        assert judged(await probe(f"http://127.0.0.1:{served.port}/nowhere")) == ("down", "http_status")


async def test_redis_up_hung_and_gone(tmp_path: Path) -> None:
    async def ask(port: int) -> Attempt:
        return await probe(f"tcp://127.0.0.1:{port}", send=b"PING\r\n", expect=b"+PONG", timeout_ms=700)

    assert await in_turn(redis(tmp_path), ask) == UP_HUNG_GONE


async def test_postgresql_up_hung_and_gone() -> None:
    async def ask(port: int) -> Attempt:
        return await probe(f"tcp://127.0.0.1:{port}", send=SSL_REQUEST, expect=b"N", timeout_ms=1_500)

    with tempfile.TemporaryDirectory() as folder:  # not among pytest's own, which no other user may pass through
        assert await in_turn(postgres(Path(folder)), ask) == UP_HUNG_GONE


async def test_an_smtp_server_up_and_gone() -> None:
    async def ask(port: int) -> Attempt:
        return await probe(f"tcp://127.0.0.1:{port}", expect=b"220 ", timeout_ms=1_500)

    server = Controller(Sink(), hostname="127.0.0.1", port=closed_port())
    server.start()
    try:
        assert judged(await ask(server.port)) == ("up", None)
        assert judged(await probe(f"tcp://127.0.0.1:{server.port}", expect=b"554 ")) != ("up", None)
    finally:
        server.stop()
    assert judged(await ask(server.port)) == ("down", "connect_refused")


async def test_a_name_server_up_hung_and_gone(tmp_path: Path) -> None:
    port = closed_port()
    arguments = (
        *("--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--port={port}"),
        *("--listen-address=127.0.0.1", "--bind-interfaces", f"--pid-file={tmp_path}/pid", "--user=", "--group="),
        *("--address=/shop.example/192.0.2.1", "--mx-host=shop.example,mail.shop.example,10", "--no-daemon"),
    )
    served = Served(port, (program("dnsmasq", "/usr/sbin/dnsmasq"), *arguments))

    async def ask(port: int) -> Attempt:
        question = Question("shop.example", "MX", ("10 mail.shop.example",))
        return await probe(f"dns://127.0.0.1:{port}/x", question=question, timeout_ms=700)

    assert await in_turn(served, ask) == [("up", None), ("down", "dns_timeout"), ("down", "connect_refused")]


def plugin(name: str) -> str:
    if not (PLUGINS / name).exists():
        pytest.skip(f"the plugin {name} is not installed here")
    return str(PLUGINS / name)


async def test_debians_check_http_against_nginx_up_and_gone(tmp_path: Path) -> None:
    command = (plugin("check_http"), "-I", "127.0.0.1", "-t", "2", "-u", "/health", "-s", "ok", "-p")
    served = nginx(tmp_path)
    with running(*served.command, port=served.port):
        found = await run_command(*command, str(served.port))
        assert judged(found) == ("up", None)
        assert [one.label for one in found.measures] == ["time", "size"]
        warned = await run_command(*command, str(served.port), "-w", "0.0000001")
        assert judged(warned) == ("degraded", "plugin_warning")
    found = await run_command(*command, str(served.port))
    assert judged(found) == ("down", "plugin_critical")


async def test_debians_check_tcp_against_redis_up_and_gone(tmp_path: Path) -> None:
    command = (plugin("check_tcp"), "-H", "127.0.0.1", "-t", "2", "-s", "PING\r\n", "-e", "+PONG", "-p")
    served = redis(tmp_path)
    with running(*served.command, port=served.port):
        assert judged(await run_command(*command, str(served.port))) == ("up", None)
    assert judged(await run_command(*command, str(served.port))) == ("down", "plugin_critical")
