"""A ledger that is away: locked, full, read-only, deleted, moved, replaced. What waited is written in order, once."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from daemon_rig import wait_for
from ledger_scenes import METHOD, MINUTE, T0, checks, new_ledger
from prometheus_client import CollectorRegistry, generate_latest

from ledger import keeping
from ledger.events import events
from ledger.facts import endpoint_facts
from ledger.observations import ObservationWriter, Observed
from ledger.outages import outages
from ledger.recording import Life
from ledger.sight import Moved, Notice, SeenAgain, Unseen
from ledger.spool import Batch, Spool
from ledger.store import Ledger, open_ledger
from ledger.writer_metrics import WriterMetrics
from sla.judge import Check, State, judge
from sla.spans import Spans

ROOT = Path(__file__).resolve().parent.parent
MB = 2**20
STORY = "uduudduugguu?u"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "TRY_AGAIN_S", 0.02)


@contextmanager
def spooling(ledger: Ledger, *, boot: str = "boot-1", **more: object) -> Iterator[ObservationWriter]:
    spool = Spool(ledger.path.with_name("nines.db.spool"), ledger.id, size=MB)
    writer = ObservationWriter(ledger, boot_id=boot, batch_every_s=0.01, spool=spool, **more)  # type: ignore[arg-type]
    try:
        yield writer
    finally:
        writer.close()
        ledger.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    new_ledger(tmp_path).close()
    found = open_ledger(tmp_path / "nines.db", at_ms=T0, busy_timeout_ms=20)
    yield found
    found.close()


class Watched:
    """One endpoint: judged and put, check by check."""

    def __init__(self, writer: ObservationWriter, endpoint: str = "api") -> None:
        self._writer, self._endpoint = writer, endpoint
        self._state, self.made = State(), list[Check]()

    def see(self, verdicts: str) -> None:
        for check in checks(verdicts, from_ms=T0 + len(self.made) * MINUTE):
            self._state, said = judge(self._state, check, METHOD)
            self.made.append(check)
            self._writer.life(check.at_ms)
            self._writer.put(Observed(self._endpoint, "local", check, transitions=said, phases_us={"dns": 1}))
        self._writer.flush()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


CONTENT = (
    "SELECT e.id, at_ms, verdict, retry, latency_ms FROM raw_check JOIN endpoint AS e ON e.number = endpoint",
    "SELECT endpoint, at_ms, error, phases FROM check_evidence",
    """SELECT kind, from_ms, to_ms, last_good_ms, first_good_ms, failed_checks, end_reason
FROM "interval" ORDER BY number""",
    "SELECT from_ms, to_ms, reach_ms FROM coverage ORDER BY number",
    "SELECT kind, at_ms FROM event WHERE outage <> '' ORDER BY number",
    "SELECT stamp_ms, stopped_ms, written FROM life",
)


def content(path: Path) -> list[list[tuple[object, ...]]]:
    return [rows(path, query) for query in CONTENT]


def undisturbed(folder: Path, story: str) -> list[list[tuple[object, ...]]]:
    """What a ledger holds that was never away."""
    folder.mkdir()
    ledger = new_ledger(folder)
    with spooling(ledger) as writer:
        Watched(writer).see(story)
    return content(ledger.path)


def is_home(writer: ObservationWriter) -> bool:
    return not writer.away


def test_what_waited_while_locked_is_written_as_if_nothing_had_been(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(ledger.path, isolation_level=None)
    with spooling(ledger) as writer, caplog.at_level(logging.WARNING, "nines.ledger"):
        watched = Watched(writer)
        watched.see(STORY)
        other.execute("BEGIN EXCLUSIVE")
        watched.see(STORY)
        assert writer.away
        assert writer.waiting >= len(STORY)
        assert rows(ledger.path, "SELECT COUNT(*) FROM raw_check") == [(len(STORY),)]
        other.execute("ROLLBACK")
        wait_for(lambda: is_home(writer), every_s=0.01)
    other.close()
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * 2)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "another program holds the ledger locked" in lines[0]
    assert "is there again" in lines[1]
    (away,) = [event for event in events(ledger) if event.kind == "ledger.away"]
    assert away.at_ms == away.body["from_ms"] == T0 + len(STORY) * MINUTE
    assert away.body["reason"] == "DatabaseLocked"


def test_a_ledger_moved_away_and_back_lacks_nothing(ledger: Ledger, tmp_path: Path) -> None:
    with spooling(ledger) as writer:
        watched = Watched(writer)
        watched.see(STORY)
        ledger.path.rename(tmp_path / "elsewhere")
        watched.see(STORY)
        assert writer.away
        assert not ledger.path.exists()
        (tmp_path / "elsewhere").rename(ledger.path)
        wait_for(lambda: is_home(writer), every_s=0.01)
        watched.see(STORY)
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * 3)


def test_a_folder_moved_away_and_back_lacks_nothing(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    ledger = new_ledger(tmp_path / "house")
    with spooling(ledger) as writer:
        watched = Watched(writer)
        watched.see(STORY)
        (tmp_path / "house").rename(tmp_path / "elsewhere")
        watched.see(STORY)
        assert writer.away
        (tmp_path / "elsewhere").rename(tmp_path / "house")
        wait_for(lambda: is_home(writer), every_s=0.01)
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * 2)


def backup(path: Path, to: Path) -> None:
    with sqlite3.connect(path) as source, sqlite3.connect(to) as target:
        source.backup(target)
    source.close()
    target.close()


def restore(copy: Path, path: Path) -> None:
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    os.replace(copy, path)


def test_the_last_batches_before_a_deletion_are_not_lost(ledger: Ledger, tmp_path: Path) -> None:
    with spooling(ledger) as writer:
        watched = Watched(writer)
        watched.see(STORY)
        backup(ledger.path, tmp_path / "copy")
        watched.see(STORY)  # on record, in a file that is deleted next
        ledger.path.unlink()
        watched.see(STORY)
        assert writer.away
        restore(tmp_path / "copy", ledger.path)
        wait_for(lambda: is_home(writer), every_s=0.01)
        watched.see(STORY)
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * 4)


def test_an_older_copy_in_its_place_knows_nothing_of_the_time_between(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restored by hand beside the writer: what was seen since the copy is unknown, not known by mistake."""
    monkeypatch.setattr(keeping, "KEPT_S", 0.0)  # as if the copy were older than what the writer still holds
    with spooling(ledger) as writer:
        watched = Watched(writer)
        watched.see("uuudd")
        copy = sqlite3.connect(tmp_path / "copy")
        with contextlib.closing(copy), contextlib.closing(sqlite3.connect(ledger.path)) as now:
            now.backup(copy)
        watched.see("dduu")
        watched.see("uuuuuu")
        keeping_back = tmp_path / "away"
        ledger.path.rename(keeping_back)
        watched.see("uuu")
        assert not writer.older
        for end in ("-wal", "-shm"):
            ledger.path.with_name(ledger.path.name + end).unlink(missing_ok=True)
        (tmp_path / "copy").rename(ledger.path)
        wait_for(lambda: not writer.away)
        assert writer.older
    with open_ledger(ledger.path, at_ms=T0) as found:
        [(covered_to_ms,)] = rows(found.path, "SELECT to_ms FROM coverage")
        assert covered_to_ms == T0 + 4 * MINUTE  # the last stamp of the copy
        [outage] = outages(found)
        assert (outage.outage.from_ms, outage.outage.to_ms) == (T0 + 3 * MINUTE, None)  # the next check decides
        now_ms = T0 + 20 * MINUTE
        facts = endpoint_facts(found, ["api"], from_ms=T0, to_ms=now_ms, now_ms=now_ms)["api"]
        assert facts.unknown == Spans(((T0 + 4 * MINUTE, now_ms),))


def test_another_ledger_is_refused_and_said_until_the_right_one_is_back(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = tmp_path / "foreign.db"
    open_ledger(foreign, at_ms=T0, create=True).close()
    with spooling(ledger) as writer:
        watched = Watched(writer)
        watched.see(STORY)
        ledger.path.rename(tmp_path / "right")
        shutil.move(ledger.path.with_name("nines.db-wal"), tmp_path / "right-wal")
        shutil.copy(foreign, ledger.path)
        watched.see(STORY)
        wait_for(lambda: "this is another ledger" in caplog.text, every_s=0.01)
        assert rows(ledger.path, "SELECT COUNT(*) FROM raw_check") == [(0,)]
        ledger.path.with_name("nines.db-wal").unlink(missing_ok=True)
        (tmp_path / "right-wal").rename(ledger.path.with_name("nines.db-wal"))
        (tmp_path / "right").rename(ledger.path)
        wait_for(lambda: is_home(writer), every_s=0.01)
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * 2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_does_not_reach_the_spool(small_disk: Path, tmp_path: Path) -> None:
    new_ledger(small_disk).close()
    ledger = open_ledger(small_disk / "nines.db", at_ms=T0, busy_timeout_ms=20)
    with spooling(ledger) as writer:
        watched = Watched(writer)
        watched.see(STORY)
        fill = small_disk / "fill"
        with fill.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        for _ in range(300):  # the write-ahead log may have room for some
            watched.see(STORY)
            if writer.away:
                break
        assert writer.away
        watched.see(STORY)
        fill.unlink()
        wait_for(lambda: is_home(writer), every_s=0.01)
        repeats = len(watched.made) // len(STORY)
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * repeats)


LIMITED = """
    import logging, sys
    import sqlalchemy.dialects.sqlite
    sys.path.insert(0, "tests")
    from test_ledger_spool import STORY, Watched, put_noise, spooling
    from ledger import keeping
    from ledger.store import open_ledger

    keeping.TRY_AGAIN_S = 0.02
    ledger = open_ledger(sys.argv[1], at_ms=0)
    with spooling(ledger) as writer, ledger.read() as connection:
        connection.exec_driver_sql("SELECT 1 FROM meta")  # while somebody reads the log is only ever added to
        watched = Watched(writer)
        for line in sys.stdin:
            watched.see(STORY) if line == "story\\n" else put_noise(writer, 20)
            print(writer.away, writer.dropped_checks > 0, writer.older, flush=True)
"""
FILE_LIMIT = 400_000  # bytes: room for each file of the spool, and for part of the log


def put_noise(writer: ObservationWriter, batches: int) -> None:
    """More than the spool holds, of a second endpoint."""
    draw = Random(1)
    for batch in range(batches):
        for check in checks("d" * 200, from_ms=T0 + batch * 200 * MINUTE):
            writer.put(Observed("noise", "local", check, detail=draw.randbytes(300).hex()))
        writer.flush()


class Limited:
    """A writer in a process of its own, whose files may be limited in size from outside."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(path)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def limit(self, size: int) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def see(self, what: str = "story") -> tuple[bool, bool, bool]:
        """Whether the ledger is away, checks were dropped, and the ledger is taken for an older one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        away, dropped, older = (word == "True" for word in self.process.stdout.readline().split())
        return away, dropped, older

    def see_until(self, *, away: bool) -> int:
        """How many stories that took."""
        return next(number for number in range(1, 500) if self.see()[0] is away)

    def end(self) -> str:
        """What it logged."""
        _, logged = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, logged
        return logged


@pytest.fixture
def limited(ledger: Ledger) -> Iterator[Limited]:
    made = Limited(ledger.path)
    yield made
    made.process.kill()
    made.process.communicate()


def test_files_that_may_grow_no_more_stop_nothing(limited: Limited, ledger: Ledger, tmp_path: Path) -> None:
    seen = limited.see_until(away=False)
    limited.limit(FILE_LIMIT)
    seen += limited.see_until(away=True)
    for _ in range(20):
        assert limited.see() == (True, False, False)
    limited.limit(resource.RLIM_INFINITY)
    seen += 20 + limited.see_until(away=False)
    logged = limited.end()
    assert content(ledger.path) == undisturbed(tmp_path / "other", STORY * seen)
    assert f"{ledger.path}: this process may write no larger file; raise its limit" in logged.splitlines()[0]
    (away,) = [event for event in events(ledger) if event.kind == "ledger.away"]
    assert away.body["reason"] == "FileSizeLimited"


def test_checks_that_the_spool_dropped_make_no_older_ledger_when_writing_them_fails_at_first(
    limited: Limited, ledger: Ledger
) -> None:
    limited.see()
    limited.limit(FILE_LIMIT)
    assert limited.see("noise") == (True, True, False)
    for _ in range(10):
        assert limited.see() == (True, True, False)
    limited.limit(resource.RLIM_INFINITY)
    limited.see_until(away=False)
    assert limited.see() == (False, True, False)
    limited.end()


READ_ONLY = """
    import os, sys
    from pathlib import Path
    import sqlalchemy.dialects.sqlite
    sys.path.insert(0, "tests")
    from test_ledger_spool import MB, STORY, Spool, Watched
    from ledger import keeping
    from ledger.observations import ObservationWriter
    from ledger.store import open_ledger

    os.setuid(65534)
    keeping.TRY_AGAIN_S = 0.05
    ledger = open_ledger(sys.argv[1], at_ms=0)
    spool = Spool(Path(sys.argv[2]), ledger.id, size=MB)
    writer = ObservationWriter(ledger, boot_id="boot-1", batch_every_s=0.01, spool=spool)
    Watched(writer).see(STORY)
    print(writer.away, writer.waiting, flush=True)
    sys.stdin.readline()
    writer.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user to be refused as")
def test_a_ledger_that_may_only_be_read_stops_nothing(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    with ledger.read() as connection:  # while it is open the files beside the database are there
        connection.exec_driver_sql("SELECT 1 FROM meta")
        own = tmp_path / "own"
        own.mkdir(mode=0o777)
        own.chmod(0o777)
        for one in (ledger.path, *tmp_path.glob("nines.db-*")):
            one.chmod(0o644)
        command = [sys.executable, "-c", textwrap.dedent(READ_ONLY), str(ledger.path), str(own / "spool")]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == f"True {len(STORY)}\n"
            for one in (ledger.path, *tmp_path.glob("nines.db-*")):
                one.chmod(0o666)
            child.communicate("\n", timeout=20)
    ledger.close()
    with spooling_at(own / "spool", ledger.path) as writer:
        assert writer.settle(10)
    assert content(ledger.path)[:5] == undisturbed(tmp_path / "other", STORY)[:5]


@contextmanager
def spooling_at(folder: Path, path: Path) -> Iterator[ObservationWriter]:
    ledger = open_ledger(path, at_ms=T0)
    writer = ObservationWriter(ledger, boot_id="boot-2", spool=Spool(folder, ledger.id, size=MB), batch_every_s=0.01)
    yield writer
    writer.close()
    ledger.close()


def test_a_spool_of_an_earlier_life_is_written_first(ledger: Ledger, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "nines.db.spool", ledger.id, size=MB)
    state, batch = State(), []
    for check in checks(STORY):
        state, said = judge(state, check, METHOD)
        batch.append(Observed("api", "local", check, transitions=said, phases_us={"dns": 1}))
    spool.append(Batch(1, batch, Life("boot-0", "local", batch[-1].at_ms)))
    spool.close()
    with spooling(ledger) as writer:
        assert writer.settle(10)
        assert rows(ledger.path, "SELECT boot, stamp_ms, written FROM life") == [
            ("boot-0", batch[-1].at_ms, len(STORY))
        ]
    assert content(ledger.path)[:4] == undisturbed(tmp_path / "other", STORY)[:4]


def test_a_full_spool_drops_the_oldest_checks_and_no_transition(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with spooling(ledger) as writer:
        state, put, draw = State(), 0, Random(1)
        for round in range(160):
            for check in checks("udduu" * 10, from_ms=T0 + put * MINUTE):
                state, said = judge(state, check, METHOD)
                noise = "" if said else draw.randbytes(300).hex()
                writer.put(Observed("api", "local", check, transitions=said, detail=noise))
                put += 1
            if round % 20 == 19:
                writer.flush()
        assert writer.dropped_checks > 0
        assert "oldest checks are dropped" in caplog.text
        other.execute("ROLLBACK")
        wait_for(lambda: is_home(writer), every_s=0.01)
    other.close()
    found = outages(ledger, limit=10_000)
    assert len(found) == 1600
    assert all(one.outage.to_ms for one in found)
    ((kept,),) = rows(ledger.path, "SELECT COUNT(*) FROM raw_check")
    assert kept == put - writer.dropped_checks


def test_closing_while_the_ledger_is_locked_leaves_everything_in_the_spool(ledger: Ledger, tmp_path: Path) -> None:
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with spooling(ledger) as writer:
        Watched(writer).see(STORY)
    other.execute("ROLLBACK")
    other.close()
    assert rows(ledger.path, "SELECT COUNT(*) FROM raw_check") == [(0,)]
    assert (tmp_path / "nines.db.spool" / "checks-0").stat().st_mode & 0o777 == 0o600
    again = open_ledger(ledger.path, at_ms=T0)
    with spooling(again, boot="boot-2") as writer:
        assert writer.settle(10)
    assert content(ledger.path)[:4] == undisturbed(tmp_path / "other", STORY)[:4]


def test_what_concerns_the_location_waits_and_is_written_as_if_nothing_had_been(ledger: Ledger) -> None:
    """A blind spell that begins while the ledger is locked, is moved by a clock step and ends in the next life."""
    query = 'SELECT endpoint, kind, from_ms, to_ms, error FROM "interval" WHERE endpoint IS NULL ORDER BY number'
    told = "SELECT kind, at_ms, body FROM event WHERE kind LIKE 'prober.%'"
    notice = Notice("blind", T0 + 30, {"text": "no reference host can be reached", "from_ms": T0 + 20})
    sights = (
        Unseen("off", T0, T0 + 10, "prober_suspended"),
        Unseen("blind", T0 + 20, None, "prober_blind"),
        notice,
        Moved(1_000, T0 + 1_040),
        SeenAgain("off", T0 + 1_050),
    )
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with spooling(ledger) as writer:
        for sight in sights:
            writer.put(Observed(None, "local", None, transitions=(sight,)))
        writer.flush()
        assert writer.waiting == len(sights)
    other.execute("ROLLBACK")
    other.close()
    assert rows(ledger.path, query) == []
    with spooling(open_ledger(ledger.path, at_ms=T0), boot="boot-2") as writer:
        assert writer.settle(10)
        writer.put(Observed(None, "local", None, transitions=(SeenAgain("blind", T0 + 2_000),)))
    assert rows(ledger.path, query) == [
        (None, "off", T0, T0 + 10, "prober_suspended"),
        (None, "blind", T0 + 1_020, T0 + 2_000, "prober_blind"),
    ]
    [(kind, at_ms, body)] = rows(ledger.path, told)
    assert (kind, at_ms, json.loads(str(body))) == ("prober.blind", T0 + 30, notice.body)


def test_what_waits_for_another_ledger_is_put_aside_for_it(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = Spool(tmp_path / "nines.db.spool", "f" * 32, size=MB)
    foreign.append(Batch(1, [Observed("api", "local", Check(T0, "up", None, 1))], Life("boot-0", "local", T0)))
    foreign.close()
    with spooling(ledger) as writer:
        assert writer.settle(10)
    assert rows(ledger.path, "SELECT COUNT(*) FROM raw_check") == [(0,)]
    (aside,) = tmp_path.glob("nines.db.spool.ffffffff-*")
    assert str(aside) in caplog.text
    kept = Spool(aside, "f" * 32, size=MB)
    assert kept.records == 1
    kept.close()


def test_every_figure_of_the_writer_is_on_the_page_for_operations(ledger: Ledger) -> None:
    registry = CollectorRegistry()
    with spooling(ledger) as writer:
        WriterMetrics(writer, registry)
        Watched(writer).see(STORY)
        text = generate_latest(registry).decode()
    named = set(re.findall(r"^# TYPE (nines_\w+) ", text, re.MULTILINE))
    named = {name for name in named if not name.endswith("_created")}
    page = (ROOT / "docs" / "operations.md").read_text()
    assert named == set(re.findall(r"^\| `(nines_(?:writer|spool|ledger)_\w+)` \|", page, re.MULTILINE))
    assert f"nines_writer_observations_total {len(STORY)}.0" in text
