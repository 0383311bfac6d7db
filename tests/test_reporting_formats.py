"""What docs/formats.md says about columns and keys is what is written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from reporting_boards import berlin, specimen

from reporting import board_data, credits
from reporting.alerts.message import Affected, Alert, as_data
from reporting.alerts.worker import RETRY_AFTER_S

DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "formats.md").read_text()


def shape(value: Any) -> Any:
    """Keys, all the way down; of a list its first item's."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) else None


def test_the_columns_of_the_credit_register_are_documented_in_order() -> None:
    section = DOCUMENT.split("## Credits as CSV")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert tuple(re.findall(r"`(\w+)`", " ".join(rows))) == credits.COLUMNS


def test_the_webhook_s_example_has_the_keys_that_are_sent() -> None:
    [example] = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    alert = Alert(
        id="O-7K3F2.opened", happening="opened", endpoint="tracking", name="Tracking API", tz="Europe/Berlin",
        outage="O-7K3F2", from_ms=berlin(23, "12:14:28"), error="http_status", failed_checks=2,
        affects=(Affected("Tracking", "Sample Client", "sample-api", "99.9"),))  # fmt: skip
    sent, shown = as_data(alert, ledger_id="x"), json.loads(example)
    assert shape(sent) == shape(shown)
    for key in ("schema", "id", "event", "subject", "affects"):
        assert sent[key] == shown[key]
    assert sent["outage"]["from"] == shown["outage"]["from"]
    assert sent["outage"]["from_ms"] == shown["outage"]["from_ms"]


def test_the_pauses_between_attempts_are_those_documented() -> None:
    words = "5 s, 15 s, 1 min, 5 min, 15 min, 30 min"
    assert words in DOCUMENT
    assert RETRY_AFTER_S == (5, 15, 60, 300, 900, 1_800, 3_600)


def test_every_part_of_the_board_s_json_is_named() -> None:
    data = board_data.as_data(specimen())
    for key in ("lead", "bad_news", "counts", "services", "monitor", "next"):
        assert key in data
        assert f"`{key}`" in DOCUMENT
