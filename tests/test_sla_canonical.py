"""The canonical bytes, and a statement there and back."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from sla_builders import USUAL_TIERS, contract, exclusion, measured, outage, spans, statement, terms, window

from sla.canonical import CanonicalError, as_json, canonical, from_json, sha256
from sla.statement import Statement

KEYS_OF_A_SERVICE = {
    "id",
    "name",
    "target_pct",
    "split_ms",
    "considered_ms",
    "availability_pct",
    "bounds_pct",
    "evidence_pct",
    "coverage_pct",
    "verdict",
    "reason",
    "provisional",
    "measure",
    "budget",
    "timeline",
    "parts",
    "outages",
    "maintenance",
    "exclusions",
    "checks",
    "method_changes",
    "credit",
}
OPTIONS = {
    "maintenance",
    "exclusions",
    "unknown",
    "min_coverage",
    "outage_start",
    "min_outage",
    "min_outage_before_exclusions",
    "merge_gap",
    "bucket",
    "bad",
    "min_run",
    "degraded",
    "service_hours",
    "before_first_check",
    "partial_period",
    "base",
    "compare",
    "period",
    "timezone",
    "digits",
    "quorum_of",
    "rounding",
    "windows",
}


def full() -> Statement:
    facts = measured(
        outage("2026-11-20 10:00", "2026-11-20 12:00", "O-7K3F2", cause="network", text="Grüße – a cut cable."),
        unknown=spans(("2026-11-10 00:00", "2026-11-10 08:00")),
        windows=(window("2026-11-20 11:00", "2026-11-20 11:30", entered="2026-11-01"),),
        exclusions=(exclusion("2026-11-20 11:30", "2026-11-20 11:40", clause="9"),),
    )
    return statement(facts, agreed=contract(terms(fee="2500.00 EUR", credits=USUAL_TIERS)))


def test_canonical_bytes_are_sorted_compact_and_plain_utf8() -> None:
    assert canonical({"b": [1, True, None], "a": "Grüße\n\x01"}) == '{"a":"Grüße\\n\\u0001","b":[1,true,null]}'.encode()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": 1.5}, "$.a"),
        ({"a": [0, 2**53]}, "$.a[1]"),
        ({"ä": 1}, "$"),
        ({1: 1}, "$"),
        ("\ud800", "$"),
        ({"a": {1}}, "$.a"),
    ],
)
def test_what_canonical_json_cannot_hold_is_refused_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(CanonicalError) as refused:
        canonical(value)
    assert str(refused.value).startswith(f"{place}: ")


def test_the_hash_is_that_of_the_bytes() -> None:
    assert sha256({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_statement_has_every_key_of_its_format() -> None:
    document = as_json(full())
    assert (document["schema"], document["accounting"]) == ("nines/statement/1", 1)
    (service,) = document["services"]
    assert set(service) >= KEYS_OF_A_SERVICE
    for options in (document["options"], service["parts"][0]["options"]):
        assert set(options) == OPTIONS
    assert service["timeline"][1] == [1794268800000, 1794297600000, "unknown", None, None]
    assert document["contract"]["versions"][0]["hash"] == sha256(document["contract"]["versions"][0]["terms"])


def test_reading_gives_the_same_statement_and_writing_it_again_the_same_bytes() -> None:
    written = canonical(as_json(full()))
    read = from_json(json.loads(written))
    assert read == full()
    assert canonical(as_json(read)) == written


def test_a_later_optional_key_is_read_over() -> None:
    document = as_json(full()) | {"something_new": 1}
    assert from_json(document) == full()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("schema",), "nines/statement/2", "schema: 'nines/statement/2' is not 'nines/statement/1'"),
        (("accounting",), 2, "accounting: law 2 is not known here"),
        (("revision",), "1", "$.revision: '1' does not belong here"),
        (("revision",), True, "$.revision: True does not belong here"),
        (("services", 0, "verdict"), "GOOD", "$.services[0].verdict: 'GOOD' does not belong here"),
        (("services", 0, "timeline", 0), [1, 2], "$.services[0].timeline[0]: [from_ms, to_ms, class, ref, weight]"),
        (("services", 0, "budget"), 5, "$.services[0].budget: an object is expected"),
        (("services", 0, "bounds_pct"), ["1"], "$.services[0].bounds_pct: ['1'] does not belong here"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_place(path: tuple[Any, ...], value: Any, told: str) -> None:
    document = deepcopy(as_json(full()))
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(CanonicalError) as refused:
        from_json(document)
    assert str(refused.value).startswith(told)


def test_a_missing_key_is_named() -> None:
    document = as_json(full())
    del document["services"][0]["split_ms"]
    with pytest.raises(CanonicalError, match=r"\$\.services\[0\]\.split_ms is missing"):
        from_json(document)


def test_the_clients_terms_never_show_our_own_objective() -> None:
    agreed = contract(terms(), printed={"objective": "99.95", "number": "C-2026-017"})
    (version,) = statement(measured(), agreed=agreed).contract["versions"]
    assert "objective" not in version["terms"]
    assert version["terms"]["number"] == "C-2026-017"


def test_only_versions_in_force_in_the_period_are_printed() -> None:
    versions = [terms(start=start) for start in (0, 1_793_491_200_000, 1_796_083_200_000)]  # 1970, 1 Nov, 1 Dec 2026
    found = statement(measured(), agreed=contract(*versions)).contract["versions"]
    assert [version["from_ms"] for version in found] == [1_793_491_200_000]
