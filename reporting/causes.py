"""Error classes of checks in plain words. What is no class (a sentence, a category) is left as it is."""

from __future__ import annotations

from reporting.wording import plain

_WORDS = {
    "dns_nxdomain": "its name does not exist",
    "dns_servfail": "its name server fails",
    "dns_timeout": "its name is not resolved in time",
    "dns_no_address": "its name has no address",
    "dns_cname_loop": "its name leads in a circle",
    "dns_bad_name": "its name is not valid",
    "connect_refused": "connection refused",
    "connect_timeout": "no connection in time",
    "connect_unreachable": "host unreachable",
    "connect_reset": "connection reset",
    "tls_expired": "certificate expired",
    "tls_not_yet_valid": "certificate not valid yet",
    "tls_expires_soon": "certificate ends soon",
    "tls_hostname": "certificate is for another name",
    "tls_self_signed": "certificate is self-signed",
    "tls_untrusted_root": "certificate is not trusted",
    "tls_incomplete_chain": "certificate chain is incomplete",
    "tls_revoked": "certificate revoked",
    "tls_purpose": "certificate is for another purpose",
    "tls_weak": "certificate is too weak",
    "tls_version": "no common TLS version",
    "tls_handshake": "TLS handshake failed",
    "tls_client_cert": "a client certificate is asked for",
    "tls_not_tls": "the server does not speak TLS",
    "http_status": "wrong HTTP status",
    "http_redirect_loop": "redirects without an end",
    "http_redirect_bad": "bad redirect",
    "http_protocol": "broken HTTP answer",
    "http_empty": "empty answer",
    "http_reset": "connection reset while answering",
    "http_truncated": "answer cut off",
    "http_decode": "answer cannot be decoded",
    "http_too_large": "answer too large",
    "timeout_first_byte": "no answer in time",
    "timeout_total": "answer not complete in time",
    "content_mismatch": "unexpected content",
    "slow": "slower than agreed",
    "plugin_warning": "its check warns",
    "plugin_critical": "its check says critical",
    "plugin_unknown": "its check could not tell",
    "heartbeat_late": "its job did not report in time",
    "heartbeat_failed": "its job reported a failure",
    "heartbeat_overrun": "its job did not end in time",
    "parent_down": "what it is reached through was down",
    "config_error": "cannot be checked as configured",
    "prober_error": "could not be looked at",
    "prober_descriptors": "our own monitor was out of file descriptors",
    "prober_ports": "our own monitor was out of local ports",
    "prober_blind": "our own link was lost",
    "prober_stalled": "our own monitor stood still",
    "prober_resolver": "our own name servers did not answer",
    "clock_step": "our own clock was set",
    "prober_suspended": "our own machine slept",
}


def cause_words(cause: str | None) -> str:
    """`connect_refused` as "connection refused"; empty for None."""
    return _WORDS.get(cause or "", plain(cause or ""))
