"""The error classes of checks: the one list. docs/checks.md prints it; a test holds code, list and page together.

A class is a machine-readable name that is stored with a check, shown on pages and never renamed. Its usual verdict is
what an attempt is worth where the code says nothing else; `unknown` is never downtime.
"""

from __future__ import annotations

from dataclasses import dataclass

from sla.facts import Verdict


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One class: its name, its usual verdict, and what was seen."""

    name: str
    verdict: Verdict
    meaning: str


TAXONOMY = (
    ErrorClass("dns_nxdomain", "down", "the name does not exist"),
    ErrorClass("dns_no_address", "down", "the name exists, but has no usable address or no record of the type"),
    ErrorClass("dns_servfail", "down", "the name server answered with an error: SERVFAIL, REFUSED, FORMERR, NOTIMP"),
    ErrorClass("dns_timeout", "down", "the name server gave no answer in time"),
    ErrorClass("dns_cname_loop", "down", "aliases lead in a circle, or through more than 16 names"),
    ErrorClass("dns_bad_name", "down", "the name cannot exist"),
    ErrorClass("connect_refused", "down", "connection refused"),
    ErrorClass("connect_timeout", "down", "no answer to the connection request"),
    ErrorClass("connect_unreachable", "down", "host or network unreachable; unknown where the prober has no route"),
    ErrorClass("connect_reset", "down", "the connection was reset or aborted"),
    ErrorClass("tls_expired", "down", "a certificate of the chain has expired"),
    ErrorClass("tls_not_yet_valid", "down", "a certificate of the chain is not valid yet"),
    ErrorClass("tls_expires_soon", "degraded", "the certificate ends within `expires_in`"),
    ErrorClass("tls_hostname", "down", "the certificate is for another name or address"),
    ErrorClass("tls_self_signed", "down", "the certificate is signed by itself"),
    ErrorClass("tls_untrusted_root", "down", "the chain ends in a root that is not trusted"),
    ErrorClass("tls_incomplete_chain", "down", "the chain leads to no trusted root: an intermediate is missing"),
    ErrorClass("tls_revoked", "down", "the certificate is revoked (the server said so; no list is fetched)"),
    ErrorClass("tls_purpose", "down", "the certificate is not meant for a server"),
    ErrorClass("tls_weak", "down", "a key or signature is too weak; degraded where the platform still accepts it"),
    ErrorClass("tls_version", "down", "no TLS version in common, or less than `min_tls`"),
    ErrorClass("tls_handshake", "down", "the handshake failed for another reason"),
    ErrorClass("tls_client_cert", "down", "the server wants a client certificate, or did not accept ours"),
    ErrorClass("tls_not_tls", "down", "the answer is not TLS"),
    ErrorClass("http_status", "down", "a status outside `status`; 429 is degraded"),
    ErrorClass("http_redirect_loop", "down", "more redirects than `follow_redirects`"),
    ErrorClass("http_redirect_bad", "down", "a redirect without a target that can be followed"),
    ErrorClass("http_protocol", "down", "the answer breaks the rules of HTTP/1"),
    ErrorClass("http_empty", "down", "the server closed the connection without an answer"),
    ErrorClass("http_reset", "down", "the connection was reset while answering"),
    ErrorClass("http_truncated", "down", "the connection ended before the answer did"),
    ErrorClass("http_decode", "down", "the body is not what its Content-Encoding says"),
    ErrorClass("http_too_large", "down", "headers or body are longer than is read"),
    ErrorClass("timeout_first_byte", "down", "connected or sent, but nothing came back in time"),
    ErrorClass("timeout_total", "down", "not finished by the deadline"),
    ErrorClass("content_mismatch", "down", "the answer does not say what it must, or says what it must not"),
    ErrorClass("slow", "degraded", "slower than `max_latency`"),
    ErrorClass("plugin_warning", "degraded", "the command ended with 1 (WARNING)"),
    ErrorClass("plugin_critical", "down", "the command ended with 2 (CRITICAL)"),
    ErrorClass("plugin_unknown", "unknown", "the command ended with 3 (UNKNOWN), any other code, or by a signal"),
    ErrorClass("heartbeat_late", "down", "no success was told by one interval and the grace after the last one"),
    ErrorClass("heartbeat_failed", "down", "the job told a failure"),
    ErrorClass("heartbeat_overrun", "down", "a run that began has not ended within `max_runtime`"),
    ErrorClass("config_error", "unknown", "the endpoint cannot be checked as configured"),
    ErrorClass("prober_error", "unknown", "the prober itself could not look"),
    ErrorClass("prober_descriptors", "unknown", "the prober or its system has no file descriptor free"),
    ErrorClass("prober_ports", "unknown", "this machine has no local port free for the connection"),
    ErrorClass("prober_blind", "unknown", "no reference host could be reached either"),
    ErrorClass("prober_stalled", "unknown", "our own event loop stood still during the attempt"),
    ErrorClass("prober_resolver", "unknown", "our own name servers do not answer"),
    ErrorClass("prober_suspended", "unknown", "our own machine was suspended"),
    ErrorClass("clock_step", "unknown", "our own clock was set; no reading of it belongs to that time"),
)
CLASSES = {one.name: one for one in TAXONOMY}
