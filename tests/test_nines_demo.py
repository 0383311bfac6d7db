"""The demo: its servers and its mail sink by themselves, then the whole of it."""

from __future__ import annotations

import contextlib
import csv
import io
import signal
import ssl
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import aiosmtplib
import pypdf
import pytest
from reporting_boards import specimen
from rich.console import Console

from nines.demo.daemon import DaemonChild, DaemonDied
from nines.demo.extras import MissingExtra, demo_package
from nines.demo.folders import ForeignFolder, folders
from nines.demo.mailbox import Mailbox
from nines.demo.servers import DemoServer, HeldPort, throwaway_tls
from nines.demo.view import PlainView, TerminalView


async def _status(url: str, *, ca_file: Path | None = None) -> int:
    context = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
        return answer.status


async def test_a_server_answers_well_fails_and_refuses_on_one_port_for_all_its_life() -> None:
    server = DemoServer()
    await server.start()
    try:
        url = server.url
        assert await _status(url) == 200
        await server.behave("failing")
        assert await _status(url) == 500
        await server.behave("down")
        with pytest.raises(aiohttp.ClientConnectorError):
            await _status(url)
        await server.behave("well")
        assert await _status(url) == 200
        assert server.url == url
    finally:
        await server.stop()


async def test_the_server_with_tls_is_trusted_through_the_throwaway_authority_alone(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    server = DemoServer(tls=throwaway_tls(ca_file))
    await server.start()
    try:
        assert server.url.startswith("https://127.0.0.1:")
        assert await _status(server.url, ca_file=ca_file) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await _status(server.url)
    finally:
        await server.stop()


def test_a_held_port_can_be_listened_on_and_is_given_to_nobody_else() -> None:
    held = HeldPort()
    try:
        first = held.listener()
        first.listen()
        with pytest.raises(OSError, match="Address already in use"):
            held.listener()
        first.close()
        again = held.listener()
        again.listen()
        again.close()
    finally:
        held.close()


async def test_the_mail_sink_keeps_every_message_and_says_so(tmp_path: Path) -> None:
    heard: list[str] = []
    box = Mailbox(tmp_path / "mails", on_mail=lambda mail: heard.append(mail.subject))
    await box.start()
    try:
        message = EmailMessage()
        message["From"], message["To"] = "nines@example.org", "operations@example.org"
        message["Subject"] = "Checkout is down – since 12:00"
        message.set_content("Since 12:00:05 UTC.\n")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=box.port, start_tls=False)
    finally:
        await box.stop()
    assert heard == ["Checkout is down – since 12:00"]
    assert box.mails[0].text == "Since 12:00:05 UTC."
    assert box.mails[0].recipients == ("operations@example.org",)
    assert b"Since 12:00:05 UTC." in box.mails[0].path.read_bytes()


def test_a_missing_package_is_one_line_with_what_to_type() -> None:
    with pytest.raises(MissingExtra, match=r"nines demo needs no_such_package, .* pip install 'nines\[demo\]'"):
        demo_package("no_such_package.part")


def _belonging_to(folder: Path) -> list[str]:
    """Command lines of running processes that name the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it may end while we look
            found.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(folder) in line and "demo --" not in line]


def _demo(out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "nines", "demo", "--keep", "--out", str(out), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_whole_demo_runs_by_itself_and_ends_well(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _demo(out) as demo:  # 40 s on an idle machine; here it shares the cores with other tests
        said, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, said
    for words in (
        "Mail at the sink, to operations@example.org: Down: Checkout",
        "Search degraded",
        "Stock feed maintenance",
        "NOT MET",
        "EUR 250.00",
        "sample-logistics-",
    ):
        assert words in said
    _outages_are_those_of_the_script(said)
    _papers_are_marked(out)
    assert _belonging_to(out) == []


def _outages_are_those_of_the_script(said: str) -> None:
    """Checkout was down for seven seconds and all of it counts; the stock feed's four lie inside its window."""
    lines = said.splitlines()
    checkout = next(line for line in lines if line.startswith("  Checkout: down "))
    assert 5.0 <= float(checkout.split()[2]) <= 9.0
    stock = next(line for line in lines if line.startswith("  Stock feed: down "))
    assert stock.startswith("  Stock feed: down 0.000 s, ")
    assert any("UTC, accepted: announced" in line for line in lines)


def _papers_are_marked(out: Path) -> None:
    pdfs = sorted(out.glob("*.pdf"))
    assert len(pdfs) == 2
    for pdf in pdfs:
        pages = [page.extract_text() for page in pypdf.PdfReader(pdf).pages]
        assert all("SAMPLE" in page for page in pages)
    (register,) = out.glob("*.csv")
    rows = list(csv.DictReader(register.read_text().splitlines()))
    assert {row["client"] for row in rows} == {"Sample Logistics", "Sample Retail"}
    assert [row["credit"] for row in rows if row["verdict"] == "NOT_MET"] == ["250.00"]


def test_a_demo_that_is_told_to_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _demo(out) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("Checkout answers 500"):
                break
        assert _belonging_to(out), "the daemon runs by now"
        demo.send_signal(signal.SIGTERM)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, rest
    assert "Traceback" not in rest
    assert _belonging_to(out) == []


def test_a_folder_that_the_demo_did_not_make_is_not_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "live" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("mine")
    with pytest.raises(ForeignFolder, match="was not made by nines demo"), folders(tmp_path, keep=True):
        pass
    assert precious.read_text() == "mine"


def test_without_keep_only_the_papers_stay(tmp_path: Path) -> None:
    with folders(tmp_path, keep=False) as places:
        assert places.out == tmp_path
        (places.live / "nines.db").touch()
        passing = places.live
    assert not passing.exists()
    assert list(tmp_path.iterdir()) == []


async def test_a_daemon_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    config = tmp_path / "nines.yaml"
    config.write_text("version: 1\nendpoints: {web: {url: nowhere}}\n")
    daemon = DaemonChild(config=config, database=tmp_path / "nines.db", log=tmp_path / "daemon.log")
    await daemon.start()
    assert await daemon.wait() == 2
    with pytest.raises(DaemonDied, match=r"ended with code 2: .*endpoints\.web\.url"):
        daemon.still_runs()
    assert await daemon.stop() == 2


def test_without_a_terminal_each_second_is_one_line() -> None:
    said: list[str] = []
    view = PlainView(said.append)
    view.news("Checkout answers 500 from now on.")
    view.board(specimen())
    assert said[0] == "Checkout answers 500 from now on."
    assert said[1].startswith("12:18:40  ")
    assert "Checkout down 9 min 20 s, " in said[1]


def test_on_a_terminal_the_news_stand_under_the_board() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=50)
    view = TerminalView(console)
    view.board(specimen())
    view.news("Checkout answers 500 from now on.")
    view.close()
    assert isinstance(console.file, io.StringIO)
    last_frame = console.file.getvalue().rpartition("nines board")[2]
    assert "Tracking API" in last_frame
    assert "Checkout answers 500 from now on." in last_frame
