"""Every row of the fault catalogue, by section and number, and the test that makes it, or why none can.

The order is the catalogue's. `test_probes_fault_rows.py` holds that no row is left out and that every test exists.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One row: what goes wrong, and `file::test` of what shows it; or `cannot`, the reason why no test makes it."""

    number: str
    fault: str
    tests: tuple[str, ...] = ()
    cannot: str | None = None


DNS, CONNECT, TCP, TLS = "test_probes_dns.py", "test_probes_connect.py", "test_probes_tcp.py", "test_probes_tls.py"
HTTP, ANSWER, PROBER = "test_probes_http.py", "test_probes_answer.py", "test_probes_prober.py"
VANTAGE, EXHAUSTION = "test_probes_vantage.py", "test_probes_exhaustion.py"
WITHOUT_A_ROUTE = (
    f"{EXHAUSTION}::test_without_a_route_of_the_family_the_attempt_is_unknown_and_a_dead_port_beside_it_is_down"
)
SCHEDULER, STORE, WRITER = "test_probes_scheduler.py", "test_ledger_store.py", "test_ledger_observations.py"
FOR_A_NAME = f"{DNS}::test_each_fault_of_a_name_server_has_its_class_for_a_name"
FOR_A_CHECK = f"{DNS}::test_each_fault_of_a_name_server_has_its_class_for_a_dns_check"
REPLY = f"{HTTP}::test_each_reply_has_its_class"
BODY = f"{HTTP}::test_a_text_is_found_in_the_body_as_it_was_meant"
STALL = f"{HTTP}::test_one_deadline_ends_every_stall"

ROWS = (
    Row("1.1", "NXDOMAIN", (FOR_A_NAME, FOR_A_CHECK, f"{CONNECT}::test_a_name_that_does_not_exist_is_down")),
    Row("1.2", "NODATA", (FOR_A_NAME, FOR_A_CHECK)),
    Row("1.3", "SERVFAIL", (FOR_A_NAME, FOR_A_CHECK, f"{CONNECT}::test_every_answer_of_the_system_has_its_class")),
    Row("1.4", "REFUSED, FORMERR, NOTIMP", (FOR_A_NAME, FOR_A_CHECK)),
    Row(
        "1.5",
        "no answer",
        (
            f"{DNS}::test_no_answer_is_a_timeout_of_the_name",
            f"{CONNECT}::test_names_that_hang_delay_no_other_and_our_own_limit_is_no_downtime",
        ),
    ),
    Row("1.6", "wrong id, wrong question", (f"{DNS}::test_answers_to_other_questions_are_not_listened_to",)),
    Row(
        "1.7",
        "cut, then TCP refused",
        (FOR_A_NAME, FOR_A_CHECK, f"{DNS}::test_a_cut_answer_that_tcp_breaks_off_or_holds_back_is_no_answer"),
    ),
    Row("1.8", "CNAME loop, 20 deep, dangling", (FOR_A_NAME, FOR_A_CHECK)),
    Row(
        "1.9",
        "bad names",
        (
            f"{DNS}::test_names_that_cannot_be_never_escape_as_an_exception",
            f"{CONNECT}::test_a_name_that_cannot_be_is_told_as_such",
            "test_config_bad_files.py::test_a_bad_file_says_what_is_wrong_where_and_what_is_right",
        ),
    ),
    Row(
        "1.10",
        "A good, AAAA a black hole",
        (
            f"{DNS}::test_a_dead_ipv6_address_beside_a_good_one_is_a_note",
            f"{CONNECT}::test_a_dead_first_address_costs_a_head_start_and_no_more",
        ),
    ),
    Row(
        "1.11",
        "AAAA only, no IPv6 here",
        (f"{DNS}::test_an_ipv6_address_without_a_route_of_ours_is_unknown", WITHOUT_A_ROUTE),
    ),
    Row(
        "1.12",
        "A = 0.0.0.0, 127.0.0.1, 169.254.169.254, private",
        (
            f"{DNS}::test_a_blocked_name_is_not_taken_for_this_machine",
            f"{DNS}::test_a_tenants_name_that_leads_to_a_private_address_is_not_followed",
        ),
    ),
    Row(
        "1.13",
        "first address dead",
        (
            f"{DNS}::test_where_the_first_address_is_dead_the_next_one_is_taken_and_told",
            f"{CONNECT}::test_a_refused_first_address_costs_nothing",
        ),
    ),
    Row("1.14", "TTL 0, TTL 2^31", (f"{DNS}::test_no_answer_is_kept_whatever_its_life_is_said_to_be",)),
    Row(
        "1.15",
        "resolver answers everything",
        (f"{DNS}::test_a_resolver_that_answers_everything_is_caught_by_what_the_page_must_say",),
    ),
    Row(
        "2.1",
        "refused",
        (f"{CONNECT}::test_a_closed_port_is_down", f"{HTTP}::test_a_refused_connection_is_told_at_once"),
    ),
    Row(
        "2.2",
        "SYN dropped",
        (
            f"{CONNECT}::test_a_port_that_answers_nothing_is_down_at_the_deadline",
            f"{HTTP}::test_a_dropped_connection_request_ends_at_the_deadline",
        ),
    ),
    Row(
        "2.3",
        "host or network unreachable",
        (
            f"{CONNECT}::test_a_network_that_cannot_be_reached_is_the_targets_fault",
            f"{CONNECT}::test_what_the_system_says_of_a_connection_has_its_class",
        ),
    ),
    Row(
        "2.4",
        "accept, then RST",
        (
            f"{HTTP}::test_a_reset_before_any_answer_is_a_reset",
            f"{TCP}::test_a_banner_is_heard_in_whatever_pieces",
        ),
    ),
    Row("2.5", "accept, never read or write", (STALL, f"{TCP}::test_a_banner_is_heard_in_whatever_pieces")),
    Row("2.6", "accept, FIN at once", (REPLY,)),
    Row(
        "2.7",
        "server reads nothing",
        (
            f"{HTTP}::test_a_server_that_does_not_read_is_down_at_the_deadline",
            f"{TCP}::test_a_server_that_reads_nothing_is_down_at_the_deadline",
        ),
    ),
    Row(
        "2.8",
        "connects late, in time",
        (f"{TCP}::test_a_connection_that_comes_late_but_in_time_is_slow_and_not_down",),
    ),
    Row(
        "2.9",
        "prober out of descriptors or ports",
        (
            f"{CONNECT}::test_out_of_descriptors_whole_attempts_of_every_kind_are_unknown",
            f"{EXHAUSTION}::test_endpoints_that_find_no_descriptor_are_unknown_with_one_notice_and_no_outage",
            f"{EXHAUSTION}::test_without_a_local_port_the_attempt_is_unknown",
            f"{CONNECT}::test_what_the_system_says_of_a_connection_has_its_class",
        ),
    ),
    Row(
        "2.10",
        "kept-alive connection closed meanwhile",
        (f"{HTTP}::test_a_server_that_closes_after_each_answer_is_up_every_time",),
    ),
    Row("3.1", "expired", (f"{TLS}::test_an_expired_certificate",)),
    Row("3.2", "not yet valid", (f"{TLS}::test_a_certificate_that_is_not_valid_yet",)),
    Row(
        "3.3",
        "expired intermediate",
        (f"{TLS}::test_an_expired_intermediate", f"{TLS}::test_the_depth_of_an_expired_certificate_is_told"),
    ),
    Row("3.4", "wrong host, wildcard of two levels", (f"{TLS}::test_a_certificate_for_another_name",)),
    Row("3.5", "address not in the SAN", (f"{TLS}::test_a_certificate_for_another_name",)),
    Row("3.6", "no SAN, CN only", (f"{TLS}::test_a_name_in_the_common_name_only_is_no_name",)),
    Row("3.7", "self-signed", (f"{TLS}::test_a_self_signed_certificate",)),
    Row("3.8", "untrusted root, sent", (f"{TLS}::test_an_untrusted_root_that_is_sent_along",)),
    Row("3.9", "incomplete chain", (f"{TLS}::test_an_intermediate_that_is_not_sent",)),
    Row("3.10", "extra certificates in the chain", (f"{TLS}::test_an_extra_certificate_in_the_chain_does_no_harm",)),
    Row("3.11", "revoked", (f"{TLS}::test_a_revoked_certificate_is_up_for_revocation_is_not_checked",)),
    Row(
        "3.12",
        "sha1 intermediate, 1000 and 10000 names, pin",
        (
            f"{TLS}::test_a_certificate_of_many_names_stays_within_limits",
            f"{TLS}::test_a_signature_by_sha1_is_weak",
        ),
    ),
    Row("3.13", "meant for clients only", (f"{TLS}::test_a_certificate_for_clients_only",)),
    Row(
        "3.14",
        "weak key, sha1, md5",
        (
            f"{TLS}::test_a_weak_key_is_down_where_the_platform_refuses_it_and_degraded_where_not",
            f"{TLS}::test_a_signature_by_sha1_is_weak",
        ),
    ),
    Row(
        "3.15",
        "small groups, null, rc4, 3des, cbc",
        (
            f"{TLS}::test_a_server_of_a_small_diffie_hellman_group",
            f"{TLS}::test_a_server_of_weak_ciphers_only",
        ),
    ),
    Row("3.16", "old TLS versions only", (f"{TLS}::test_a_server_of_old_tls_versions_only",)),
    Row("3.17", "no common cipher", (f"{TLS}::test_no_cipher_in_common",)),
    Row("3.18", "client certificate missing", (f"{TLS}::test_a_server_that_wants_a_client_certificate",)),
    Row(
        "3.19",
        "plain HTTP on the TLS port, TLS on the plain one",
        (f"{TLS}::test_plain_http_on_the_tls_port", f"{HTTP}::test_tls_on_a_plain_port_is_a_protocol_fault"),
    ),
    Row(
        "3.20",
        "stall or drip in the handshake",
        (
            f"{TLS}::test_a_stall_in_the_handshake_ends_at_the_deadline",
            f"{TLS}::test_a_handshake_that_drips_ends_at_the_deadline",
        ),
    ),
    Row("3.21", "server name needed", (f"{TLS}::test_the_server_name_is_sent",)),
    Row(
        "3.22",
        "close without goodbye",
        (
            f"{TLS}::test_a_cut_without_goodbye_after_a_whole_body_is_up",
            f"{TLS}::test_a_body_delimited_by_the_close_is_truncated_without_a_goodbye_only",
        ),
    ),
    Row(
        "3.23",
        "near its end",
        (f"{TLS}::test_a_certificate_near_its_end_is_degraded_but_only_as_its_own_check",),
    ),
    Row("3.24", "hsts, mixed content, upgrade", cannot="a matter of browsers: no prober sees them"),
    Row("4.1", "Content-Length too long", (REPLY,)),
    Row("4.2", "RST in the body", (f"{HTTP}::test_a_reset_in_the_body_is_a_reset",)),
    Row("4.3", "Content-Length too short", (f"{HTTP}::test_bytes_after_the_body_are_noted",)),
    Row("4.4", "Content-Length negative, text, twice", (REPLY,)),
    Row("4.5", "Content-Length and Transfer-Encoding", (REPLY,)),
    Row("4.6", "bad or huge chunk size", (REPLY,)),
    Row("4.7", "no last chunk", (REPLY,)),
    Row("4.8", "HTTP/0.9", (REPLY,)),
    Row("4.9", "HTTP/1.0 without a length", (REPLY,)),
    Row("4.10", "no reason, line feeds, folding, latin-1", (REPLY,)),
    Row("4.11", "status 999, 099, 20, another protocol", (REPLY,)),
    Row("4.12", "header without colon, with a zero byte", (REPLY,)),
    Row("4.13", "header of 200 kB, 5000 headers", (REPLY,)),
    Row("4.14", "204 or 304 with a body", (REPLY,)),
    Row("4.15", "101 unasked", (REPLY,)),
    Row("4.16", "flood of 1xx", (f"{HTTP}::test_endless_interim_answers_are_not_waited_for",)),
    Row("4.17", "headers dripped", (STALL,)),
    Row("4.18", "headers, then stall", (STALL,)),
    Row("4.19", "half a status line, stall", (STALL,)),
    Row(
        "4.20",
        "endless body, fast and slow",
        (
            f"{HTTP}::test_an_endless_body_ends_at_the_cap",
            f"{HTTP}::test_a_body_that_never_ends_and_comes_slowly_ends_at_the_deadline",
        ),
    ),
    Row("4.21", "gzip bomb", (BODY, f"{ANSWER}::test_memory_is_held_whatever_a_bomb_unpacks_to")),
    Row("4.22", "truncated gzip", (BODY,)),
    Row("4.23", "not gzip though said", (BODY,)),
    Row("4.24", "bogus charset, BOM, UTF-16, invalid UTF-8", (BODY,)),
    Row(
        "4.25",
        "redirects without an end",
        (
            REPLY,
            f"{HTTP}::test_redirects_that_never_end_are_a_loop",
        ),
    ),
    Row("4.26", "redirect without Location", (REPLY,)),
    Row(
        "4.27",
        "redirect to ftp, port 99999, a file, script, 3 kB, relative, another host, http, a private address",
        (
            REPLY,
            f"{HTTP}::test_a_long_relative_redirect_is_followed",
            f"{HTTP}::test_a_redirect_is_followed_and_its_phases_add_up",
            f"{HTTP}::test_credentials_stay_with_their_host_on_a_redirect",
            f"{HTTP}::test_a_tenants_redirect_to_a_private_address_is_not_followed",
            f"{TLS}::test_a_redirect_from_https_to_http_is_noted",
        ),
    ),
    Row(
        "4.28",
        "cookie needed on a redirect",
        (f"{HTTP}::test_a_cookie_that_the_redirect_needs_is_kept_within_the_attempt",),
    ),
    Row(
        "4.29",
        "200 with an error text",
        (BODY, f"{HTTP}::test_a_text_that_must_not_be_there_is_a_mismatch"),
    ),
    Row("4.30", "401, 403, 405, 429, 503", (REPLY,)),
    Row("4.31", "refused by User-Agent or address", (f"{ANSWER}::test_a_refusal_that_may_be_a_firewalls_says_so",)),
    Row("4.32", "HEAD not allowed", (f"{HTTP}::test_where_head_is_not_allowed_get_is_asked",)),
    Row(
        "4.33",
        "HTTP/2 only",
        (f"{HTTP}::test_what_speaks_http_2_only_breaks_the_protocol_that_was_asked_for",),
    ),
    Row(
        "4.34",
        "late, alternately fast and slow",
        (
            f"{HTTP}::test_an_answer_after_the_deadline_is_down",
            f"{HTTP}::test_answers_that_come_fast_and_slowly_in_turn_are_judged_each_by_itself",
            f"{ANSWER}::test_as_fast_as_the_limit_is_up_and_slower_is_degraded",
        ),
    ),
    Row(
        "4.35",
        "flapping, one failure in many",
        (
            "test_sla_judge.py::test_case_03_one_failed_check_a_day_is_no_outage",
            "test_sla_judge.py::test_case_30_flapping_counts_only_the_bad_minutes",
            "test_reporting_alert_withholding.py::test_case_30_is_told_as_one_flapping_incident",
        ),
    ),
    Row(
        "5.1",
        "clock set back or forward",
        (
            f"{PROBER}::test_after_the_wall_clock_was_set_back_checks_go_on",
            f"{SCHEDULER}::test_after_the_wall_clock_was_set_back_an_hour_checks_go_on",
            f"{VANTAGE}::test_case_26_an_outage_moves_with_a_clock_that_is_set_back_and_keeps_its_length",
            f"{VANTAGE}::test_after_a_clock_set_forward_only_the_time_without_a_reading_is_unknown",
        ),
    ),
    Row(
        "5.2",
        "DST switch, leap second",
        cannot="attempts and judge know UTC milliseconds only, and Linux repeats or smears a leap second as one",
    ),
    Row("5.3", "SIGTERM in mid-check", (f"{PROBER}::test_a_stop_in_the_middle_of_an_attempt_records_no_failure",)),
    Row(
        "5.4",
        "kill -9 between an outage and its commit",
        (
            f"{WRITER}::test_sigkill_in_mid_stream_loses_nothing_that_was_on_disk",
            "test_end_to_end.py::test_a_daemon_killed_in_an_outage_loses_nothing_and_invents_nothing",
        ),
    ),
    Row(
        "5.5",
        "disk full, read-only database",
        (
            f"{STORE}::test_a_full_disk_is_named_and_the_decision_is_undone",
            f"{STORE}::test_a_user_who_may_not_write_can_read_and_is_told_so_when_deciding",
        ),
    ),
    Row("5.6", "database locked by a report", (f"{WRITER}::test_a_locked_database_delays_and_drops_nothing",)),
    Row("5.7", "database of a newer schema", (f"{STORE}::test_a_ledger_of_a_newer_version_is_not_touched",)),
    Row(
        "5.8",
        "two daemons on one database",
        ("test_nines_daemon.py::test_a_second_daemon_on_the_same_ledger_is_told_so",),
    ),
    Row(
        "5.9",
        "an endpoint renamed on reload",
        (f"{PROBER}::test_on_reload_endpoints_come_and_go_and_change",),
    ),
    Row(
        "5.10",
        "an endpoint removed while down",
        (
            f"{PROBER}::test_an_endpoint_removed_while_no_prober_ran_is_ended_at_the_start",
            "test_sla_judge.py::test_removing_an_endpoint_ends_its_outage_as_removed",
        ),
    ),
    Row(
        "5.11",
        "URL changed under the same name",
        (f"{PROBER}::test_a_changed_address_is_probed_at_once_under_the_same_history",),
    ),
    Row("5.12", "5000 sites at 30 s", (f"{SCHEDULER}::test_phases_spread_evenly_and_never_change",)),
    Row(
        "5.13",
        "event loop blocked",
        (
            f"{CONNECT}::test_case_27_a_timeout_in_a_stall_of_our_own_loop_is_unknown",
            f"{SCHEDULER}::test_ticks_missed_in_a_stall_are_not_made_up_for",
            f"{VANTAGE}::test_case_27_a_stalled_loop_makes_no_outage_and_its_time_is_unknown",
        ),
    ),
    Row("5.14", "laptop asleep", (f"{VANTAGE}::test_a_suspended_machine_is_unknown_and_not_made_up_for",)),
    Row(
        "5.15",
        "the prober's resolver dead",
        (
            f"{DNS}::test_a_dead_name_server_is_told_as_what_it_is",
            f"{VANTAGE}::test_our_own_name_server_is_alive_when_it_answers_for_the_root",
        ),
    ),
    Row(
        "5.16",
        "default route gone",
        (
            f"{DNS}::test_an_ipv6_address_without_a_route_of_ours_is_unknown",
            f"{VANTAGE}::test_case_28_a_lost_link_is_unknown_with_one_notice_and_no_outage",
        ),
    ),
    Row("5.17", "VPN that comes and goes", (f"{VANTAGE}::test_an_outage_goes_on_through_a_blind_spell_as_one",)),
    Row(
        "5.18",
        "descriptor limit",
        (f"{CONNECT}::test_out_of_descriptors_whole_attempts_of_every_kind_are_unknown",),
    ),
    Row(
        "5.19",
        "name resolution slower than the interval",
        (f"{CONNECT}::test_names_that_hang_delay_no_other_and_our_own_limit_is_no_downtime",),
    ),
)
