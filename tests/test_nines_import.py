"""`nines import ...` from outside: good and bad files, what is said of each row, and what is on record after."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_rig import Nines, in_folder

from nines.clock import now_ms

CONFIG = """version: 1
endpoints:
  shop: {url: "http://127.0.0.1:9/", name: Shop}
  api: {url: "http://127.0.0.1:9/api", name: API}
services:
  both: {name: Both, all: [shop, api]}
  front: {name: Front, all: [shop]}
clients:
  sample: {name: Sample Client, timezone: Europe/Berlin}
contracts:
  sample-shop:
    {client: sample, service: shop, from: 2026-01-01, target: 99.9, fee: 2500.00 EUR, credits: {< 99.9: 10 %}}
"""
T0 = 1_770_000_000_000  # 2026-02-02 02:40:00 UTC
MINUTE = 60_000


@pytest.fixture
def nines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nines:
    """Runs one command, as the console script would, in a folder where two endpoints and a contract are on record."""
    run = in_folder(tmp_path, monkeypatch, capsys)

    (tmp_path / "nines.yaml").write_text(CONFIG)
    assert run("config", "apply").code == 0
    return run


def row(minute: int, verdict: str, **more: Any) -> str:
    return json.dumps({"endpoint": "shop", "at": T0 + minute * MINUTE, "verdict": verdict, **more}) + "\n"


def story(verdicts: str) -> str:
    names = {"u": "up", "d": "down", "g": "degraded"}
    return "".join(row(minute, names[letter]) for minute, letter in enumerate(verdicts))


def outage_lines(nines: Nines) -> list[tuple[str, int, int]]:
    """(source, minute it began, minutes it lasted) of all on record, oldest first."""
    found = nines("outages", "list", "--format", "json").data
    told = [(o["source"], (o["from_ms"] - T0) // MINUTE, (o["to_ms"] - o["from_ms"]) // MINUTE) for o in found]
    return sorted(told, key=lambda one: one[1])


# -- taken -------------------------------------------------------------------------------------------------------------


def test_a_file_of_checks_is_judged_summed_up_and_known_again(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(story("uuuddduuu") + row(20, "up", location="fra1", extra=1))
    first = nines("import", "checks", "log.jsonl")
    assert (first.code, first.err) == (0, "")
    lines = first.out.splitlines()
    assert lines[0].startswith("log.jsonl: 10 rows: 10 new, 0 on record before, 0 twice in the file, 0 refused; I-")
    assert lines[0].endswith(", source imported-checks")
    assert lines[1:] == [
        "  columns read over: extra",
        "  location fra1: it has a voice where an endpoint's `locations` name it",
        "  shop: 0 -> 1 outages, 0 h 00 min 00 s -> 0 h 03 min 00 s down, 0 h 00 min 00 s -> 0 h 10 min 10 s covered",
        "  shop: 0 -> 0 outages, 0 h 00 min 00 s -> 0 h 00 min 00 s down, 0 h 00 min 00 s -> 0 h 02 min 10 s covered",
    ]
    assert outage_lines(nines) == [("imported-checks", 3, 3)]
    again = nines("import", "checks", "log.jsonl")
    assert again.code == 0
    assert again.out.startswith("log.jsonl: was imported before, as I-")
    assert again.out.endswith("; nothing changes\n")
    assert nines("journal", "verify").code == 0


def test_the_json_summary_names_everything(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(story("uuddu") + "rubbish\n")
    found = nines("import", "checks", "log.jsonl", "--format", "json")
    (told,) = found.data["files"]
    assert (found.code, found.data["schema"]) == (2, "nines/import/1")
    assert told["counts"] == {
        "rows": 5, "new": 5, "known": 0, "repeated": 0, "replaced": 0, "differing": 0, "refused": 1
    }  # fmt: skip
    assert told["endpoints"] == [
        {
            "endpoint": "shop",
            "location": "local",
            "before": {"outages": 0, "down_ms": 0, "covered_ms": 0},
            "after": {"outages": 1, "down_ms": 2 * MINUTE, "covered_ms": 4 * MINUTE + 130_000},
        }
    ]
    assert found.refused == [(6, 'is no JSON; write one object a line, e.g. {"at": 1790000040000, ...}')]


def test_columns_words_zone_and_units_of_another_program_are_mapped(nines: Nines, tmp_path: Path) -> None:
    text = "time,result,seconds\n2026-02-02 03:40,failed,0.1204\n2026-02-02 03:41,failed,\n2026-02-02 03:42,ok,1\n"
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(text.encode()))
    mapped = ("--endpoint", "front", "--zone", "Europe/Berlin", "--column", "at=time", "--column", "verdict=result")
    words = ("--verdict", "ok=up", "--verdict", "failed=down", "--column", "latency_ms=seconds", "--latency-unit", "s")
    assert nines("import", "checks", "log.csv.gz", *mapped, *words).code == 0
    assert outage_lines(nines) == [("imported-checks", 0, 2)]  # of shop, the one endpoint of the service


def test_a_statement_follows_from_imported_checks(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "endpoint,at,verdict\nshop,2026-02-01T00:00:00+01:00,up\nshop,2026-02-10T00:00:00+01:00,down\n"
        "shop,2026-02-10T06:43:12+01:00,up\nshop,2026-03-01T00:00:00+01:00,up\n"
    )
    assert nines("import", "checks", "log.csv", "--hold", "forever", "--confirm", "1").code == 0
    (service,) = nines("statement", "build", "sample", "--period", "2026-02", "--format", "json").data["services"]
    assert (service["availability_pct"], service["coverage_pct"], service["verdict"]) == (
        "99.000000",
        "100.000",
        "NOT_MET",
    )
    assert service["credit"]["amount"] == "250.00"


def test_reported_outages_turn_unknown_time_into_downtime(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "provider.csv").write_text(
        "endpoint,start,end,cause,text,note\n"
        'shop,2026-02-10T00:00:00+01:00,2026-02-10T06:43:12+01:00,network,"Our uplink, cut.",ticket 4711\n'
    )
    done = nines("import", "outages", "provider.csv", "--observed", "2026-02", "--zone", "Europe/Berlin")
    assert done.code == 0
    (service,) = nines("statement", "build", "sample", "--period", "2026-02", "--format", "json").data["services"]
    assert (service["availability_pct"], service["verdict"]) == ("99.000000", "NOT_MET")
    (outage,) = service["outages"]
    assert (outage["cause"], outage["text"]) == ("network", "Our uplink, cut.")
    assert "4711" not in json.dumps(service)


def test_a_month_in_which_a_provider_saw_nothing_down_is_up(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("start,end\n")
    wrong = nines("import", "outages", "none.csv", "--observed", "2026-02", "--endpoint", "both")
    assert wrong.code == 2
    assert "none.csv --endpoint: 'both' is a service of several endpoints: shop, api" in wrong.err
    asked = ("--observed", "2026-02", "--zone", "Europe/Berlin", "--endpoint", "shop")
    assert nines("import", "outages", "none.csv", *asked).code == 0
    (service,) = nines("statement", "build", "sample", "--period", "2026-02", "--format", "json").data["services"]
    assert (service["availability_pct"], service["verdict"]) == ("100.000000", "MET")


# -- refused -----------------------------------------------------------------------------------------------------------

NOT_EXACT = "is no exact number of milliseconds since 1970; write e.g. 2026-10-05T10:00:00Z, or a whole number"
BAD_CHECKS = [
    ('{"endpoint": "shop", "at": "2026-02-02 10:00", "verdict": "up"}',
     "at '2026-02-02 10:00' has no zone; write e.g. 2026-10-05T10:00:00Z, or give --zone UTC"),
    ('{"endpoint": "shop", "at": NaN, "verdict": "up"}',
     'NaN is no number; write one object a line, e.g. {"at": 1790000040000, ...}'),
    ('{"endpoint": "shop", "at": "NaN", "verdict": "up"}', f"at NaN {NOT_EXACT}"),
    ('{"endpoint": "shop", "at": 1770000000000.5, "verdict": "up"}', f"at 1770000000000.5 {NOT_EXACT}"),
    ('{"endpoint": "shop", "at": 1e999999999, "verdict": "up"}', f"at 1E+999999999 {NOT_EXACT}"),
    ('{"endpoint": "shop", "at": 1770000000, "verdict": "up"}',
     "at 1770000000 lies before 1990; are these seconds? Then --unit s"),
    ('{"endpoint": "shop", "at": "20000-01-01T00:00:00Z", "verdict": "up"}',
     "at '20000-01-01T00:00:00Z' is no instant; write e.g. 2026-10-05T10:00:00Z"),
    ('{"endpoint": "shop", "at": 568971820800000, "verdict": "up"}',
     "at 568971820800000 lies in the future: nobody has seen it yet"),
    ('{"endpoint": "shop", "verdict": "up"}', "has no at; write e.g. 2026-10-05T10:00:00Z"),
    ('{"endpoint": "shop", "at": 1770000000000}',
     "has no verdict; write up, degraded, down or unknown, or give --no-verdict unknown"),
    ('{"endpoint": "shop", "at": 1770000000000, "verdict": "success"}',
     "verdict 'success' is not known; write up, degraded, down or unknown, or give --verdict success=down"),
    ('{"endpoint": "shop", "at": 1770000000000, "verdict": ["up"]}', "verdict is a list; write one plain value"),
    ('{"endpoint": "shop", "at": 1770000000000, "verdict": "up", "latency_ms": -1}',
     "latency '-1' is no time between 0 and a day; write e.g. 120"),
    ('{"endpoint": "shop", "at": 1770000000000, "at": 1770000060000, "verdict": "up"}',
     """names 'at' twice; write one object a line, e.g. {"at": 1790000040000, ...}"""),
    ('{"endpoint": "shpo", "at": 1770000000000, "verdict": "up"}',
     "no endpoint 'shpo' is defined; did you mean shop?"),
    ('{"endpoint": "both", "at": 1770000000000, "verdict": "up"}',
     "'both' is a service of several endpoints: shop, api; name the one that this was seen of"),
    ('{"at": 1770000000000, "verdict": "up"}',
     "names no endpoint; write its id, or give --endpoint ID for the whole file"),
    ('{"endpoint": "mail", "at": 1770000000000, "verdict": "up"}',
     "no endpoint 'mail' is defined; define it under endpoints: and run `nines config apply`, or give --create"),
    ("[1, 2]", 'is no JSON object; write one a line, e.g. {"at": 1790000040000, ...}'),
]  # fmt: skip


def test_bad_rows_are_refused_by_line_and_the_others_are_taken(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(row(0, "up") + "".join(f"{bad}\n" for bad, _ in BAD_CHECKS) + row(1, "up"))
    found = nines("import", "checks", "log.jsonl", "--format", "json")
    assert found.code == 2
    assert found.refused == list(enumerate((message for _, message in BAD_CHECKS), start=2))
    assert found.counts["new"] == 2


BAD_OUTAGES = [
    ("shop,2026-02-02T11:00:00Z,2026-02-02T10:00:00Z,",
     "ends at 2026-02-02T10:00:00Z, before it starts at 2026-02-02T11:00:00Z; swap them"),
    ("shop,2026-02-02T11:00:00Z,2026-02-02T11:00:00Z,",
     "ends at 2026-02-02T11:00:00Z, the instant it starts: it lasts no time; leave it out"),
    ("shop,2026-02-02T11:00:00Z,,",
     "has no end; only outages that are over can be imported: write when it ended, or leave it out"),
    ("shop,2026-02-02T11:00:00Z,2026-02-02T12:00:00,",
     "end '2026-02-02T12:00:00' has no zone; write e.g. 2026-10-05T10:00:00Z, or give --zone UTC"),
    ("shop,2026-02-02T11:00:00Z,9999-02-02T12:00:00Z,",
     "end 9999-02-02T12:00:00Z lies in the future: nobody has seen it yet"),
    ("shop,2026-02-02T11:00:00Z,2026-02-02T12:00:00Z", "has 3 cells where the head row has 4"),
    ('shop,2026-02-02T11:00:00Z,2026-02-02T12:00:00Z,"network',
     "a quotation mark is not closed on its line; a row stands on one line"),
    ("shop,2026-02-02T11:00:00Z,2026-02-02T12:00:00Z,\udcff", "is no UTF-8 text; save the file as UTF-8"),
    ("shop,2026-02-02T11:00:00Z,2026-02-02T12:00:00Z,\0", "holds a NUL character; this is no text"),
    ("a b,2026-02-02T11:00:00Z,2026-02-02T12:00:00Z,",
     "endpoint 'a b' is no id; write letters, digits, dots and dashes, e.g. shop-web"),
]  # fmt: skip


def test_bad_outages_are_refused_by_line_and_the_others_are_taken(nines: Nines, tmp_path: Path) -> None:
    good = "shop,2026-02-03T11:00:00Z,2026-02-03T12:00:00Z,network\n"
    text = "endpoint,start,end,cause\n" + "".join(f"{bad}\n" for bad, _ in BAD_OUTAGES) + good
    (tmp_path / "log.csv").write_bytes(text.encode("utf-8", errors="surrogateescape"))
    found = nines("import", "outages", "log.csv", "--format", "json")
    assert found.code == 2
    assert found.refused == list(enumerate((message for _, message in BAD_OUTAGES), start=2))
    assert found.counts["new"] == 1


def test_a_local_time_that_a_clock_showed_twice_or_never_is_refused(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "endpoint,start,end\nshop,2025-10-26 02:30,2025-10-26 04:00\nshop,2026-03-29 02:30,2026-03-29 04:00\n"
    )
    found = nines("import", "outages", "log.csv", "--zone", "Europe/Berlin", "--format", "json")
    assert [message.split(";")[0] for _, message in found.refused] == [
        "start '2025-10-26 02:30' stands on the clock twice in Europe/Berlin",
        "start '2026-03-29 02:30' never stood on the clock in Europe/Berlin",
    ]


def test_a_file_cut_in_the_middle_loses_its_last_row_and_says_so(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "endpoint,at,verdict,latency_ms\nshop,1770000000000,up,120\nshop,1770000060000,up,1"
    )
    (tmp_path / "log.jsonl").write_text(row(5, "up") + row(6, "up")[:30])
    found = nines("import", "checks", "log.csv", "--format", "json")
    assert found.refused == [(3, "the last line has no end: the file may be cut here; fetch it again, or end the line")]
    found = nines("import", "checks", "log.jsonl", "--format", "json")
    assert found.refused == [(2, "the file ends inside this row: it was cut; fetch it again")]


BAD_FILES = [
    (b"", "log.csv: is empty; a file of history has a head row and rows, or one JSON object a line"),
    (b"\n \n", "log.csv: is empty; a file of history has a head row and rows, or one JSON object a line"),
    (b"\x89PNG\r\n\x1a\n\0\0", "log.csv:1: is no UTF-8 text; save the file as UTF-8; "
     "write CSV with a head row, or one JSON object a line"),
    (b"endpoint,time,verdict\n", "log.csv:1: the head row has no column 'at'; it has endpoint, time, verdict; "
     "name the right one, e.g. --column at=endpoint"),
    (b"endpoint;at;verdict\n", "log.csv:1: the head row has no column 'at'; "
     "cells are parted by commas here; save the file as CSV with commas"),
    (b"endpoint,at,at,verdict\n", "log.csv:1: the head row names 'at' twice"),
    (b"endpoint,at,verdict\n\n", "log.csv: holds no row; where nothing was seen down, "
     "say --observed FROM/TO and --endpoint ID"),
    (b"x" * (2**20 + 2), "log.csv:1: is longer than 1 MiB; this is no file of rows"),
]  # fmt: skip


def test_a_file_that_is_no_table_is_refused_whole(nines: Nines, tmp_path: Path) -> None:
    for content, message in BAD_FILES:
        (tmp_path / "log.csv").write_bytes(content)
        found = nines("import", "checks", "log.csv")
        assert (found.code, found.out, found.err) == (2, "", message + "\n")
    assert nines("outages", "list", "--format", "json").data == []


def test_a_gzip_file_that_was_cut_is_refused_whole(nines: Nines, tmp_path: Path) -> None:
    rows = "".join(f"shop,{T0 + n * MINUTE},up\n" for n in range(5_000))
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(f"endpoint,at,verdict\n{rows}".encode())[:-2_000])
    found = nines("import", "checks", "log.csv.gz")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("log.csv.gz:")
    assert found.err.endswith(": the gzip file is damaged or cut here; fetch it again\n")


def test_strict_takes_nothing_where_a_row_is_refused(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(story("uudduu") + "rubbish\n")
    found = nines("import", "checks", "log.jsonl", "--strict")
    assert found.code == 2
    assert found.out == "log.jsonl: 1 rows refused, and so nothing was taken (--strict)\n"
    assert outage_lines(nines) == []


def test_many_refused_rows_are_counted_and_the_first_are_shown(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("rubbish\n" * 25)
    (tmp_path / "good.jsonl").write_text(story("uu"))
    (tmp_path / "log.jsonl").write_text(story("u") + "rubbish\n" * 25)
    found = nines("import", "checks", "log.jsonl", "good.jsonl")
    assert found.code == 2
    assert found.err.count("refused: log.jsonl:") == 20
    assert found.err.endswith("refused: 5 more rows; --format json lists them\n")
    assert "good.jsonl: 2 rows: 1 new, 1 on record before" in found.out


def test_an_endpoint_that_is_not_agreed_yet_can_be_made_with_an_interval(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(story("uudduu").replace("shop", "old-shop"))
    assert "--create needs --interval" in nines("import", "checks", "log.jsonl", "--create").err
    assert nines("import", "checks", "log.jsonl", "--create", "--interval", "1 min").code == 0
    assert outage_lines(nines) == [("imported-checks", 2, 2)]


USAGE = [
    (("checks", "--column", "time=at"), "--column: 'time' is not one of endpoint, at, verdict"),
    (("checks", "--verdict", "ok=good"), "--verdict: 'good' is no verdict; write e.g. failed=down"),
    (("checks", "--hold", "long"), "'long' is no duration; write e.g. 30 s, 5 min, 2 h or 1 h 30 min"),
    (("checks", "--zone", "Berlin"), "'Berlin' is no time zone; write an IANA name"),
    (("outages", "--observed", "2026-02-02T10:00:00Z/2026-02-02T09:00:00Z"), "is no span; write FROM/TO"),
    (("outages", "--observed", "2999-01"), "--observed 2999-01 ends in the future"),
]


def test_options_that_say_nothing_right_are_refused(nines: Nines, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("endpoint,at,verdict\n")
    for arguments, message in USAGE:
        found = nines("import", *arguments, "log.csv")
        assert found.code == 2
        assert message in " ".join(found.err.split())


# -- size --------------------------------------------------------------------------------------------------------------


def import_in_a_child(folder: Path, rows: int) -> tuple[dict[str, Any], int]:
    """(what was told, the most memory in KiB) of an import of so many shuffled checks by another process."""
    chance = random.Random(rows)
    start = now_ms() - (rows + 10) * MINUTE
    lines = [f"shop,{start + n * MINUTE},{'down' if chance.random() < 0.01 else 'up'},{n % 900}\n" for n in range(rows)]
    chance.shuffle(lines)
    (folder / f"{rows}.csv").write_text("endpoint,at,verdict,latency_ms\n" + "".join(lines))
    command = [sys.executable, "-m", "nines", "import", "checks", f"{rows}.csv", "--confirm", "1", "--format", "json"]
    script = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], check=True); "
    script += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    told, _, kib = done.stdout.rstrip().rpartition("\n")
    return json.loads(told)["files"][0], int(kib)


def test_fifty_thousand_checks_take_little_more_memory_than_one(nines: Nines, tmp_path: Path) -> None:
    _, small = import_in_a_child(tmp_path, 1)
    told, large = import_in_a_child(tmp_path, 50_000)
    assert told["counts"]["rows"] == 50_000
    assert large - small < 16 * 1024


@pytest.mark.long
def test_a_million_checks_take_little_more_memory_than_one(nines: Nines, tmp_path: Path) -> None:
    _, small = import_in_a_child(tmp_path, 1)
    told, large = import_in_a_child(tmp_path, 1_000_000)
    assert told["counts"]["rows"] == 1_000_000
    assert large - small < 32 * 1024
