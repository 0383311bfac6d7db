"""What the prober counts of itself, as a registry tells it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from probes.attempt import Attempt
from probes.meters import Meters
from probes.prober_metrics import ProberMetrics


def test_verdicts_phases_lateness_and_the_last_check_are_told() -> None:
    meters, registry = Meters(), CollectorRegistry()
    ProberMetrics(meters, registry)
    meters.began(1_800_000_000_500, late_ms=7)
    meters.ended(Attempt("a", 1_800_000_000_500, "up", phases_us={"tcp": 400, "first_byte": 30_000}))
    meters.ended(Attempt("b", 1_800_000_000_600, "down", "connect_refused"))
    assert registry.get_sample_value("nines_checks_total", {"verdict": "up", "error": ""}) == 1
    assert registry.get_sample_value("nines_checks_total", {"verdict": "down", "error": "connect_refused"}) == 1
    assert registry.get_sample_value("nines_phase_seconds_bucket", {"phase": "first_byte", "le": "0.1"}) == 1
    assert registry.get_sample_value("nines_phase_seconds_bucket", {"phase": "first_byte", "le": "0.025"}) == 0
    assert registry.get_sample_value("nines_phase_seconds_count", {"phase": "tcp"}) == 1
    assert registry.get_sample_value("nines_late_seconds_bucket", {"le": "0.01"}) == 1
    assert registry.get_sample_value("nines_last_check_timestamp_seconds") == 1_800_000_000.5
    assert registry.get_sample_value("nines_config_in_force") == 1
    assert registry.get_sample_value("nines_blind") == 0


def test_a_scrape_before_the_first_check_has_no_last_one() -> None:
    registry = CollectorRegistry()
    ProberMetrics(Meters(), registry)
    assert registry.get_sample_value("nines_last_check_timestamp_seconds") is None
    assert registry.get_sample_value("nines_attempts_running") == 0


def test_the_clock_s_offset_is_told_once_enough_servers_are_known() -> None:
    meters, registry = Meters(), CollectorRegistry()
    ProberMetrics(meters, registry)
    assert registry.get_sample_value("nines_clock_offset_seconds") is None
    meters.clock_offset_ms = -2_500
    assert registry.get_sample_value("nines_clock_offset_seconds") == -2.5
