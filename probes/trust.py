"""TLS contexts, one for each trust setting (making one takes 90 ms), and what a peer's certificate says."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from probes.attempt import Certificate, prober_fault

CIPHERS = (  # what CPython offers by itself: forward secrecy, and no key or signature that is too weak
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
)


class Trust:
    """Contexts by (CA file, verified?, our certificate), each made once. A CA file that changed makes a new one."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[str | None, int, bool, bytes], ssl.SSLContext] = {}

    def context(
        self, *, ca_file: str | Path | None = None, verified: bool = True, client_pem: str | None = None
    ) -> ssl.SSLContext:
        """The context of one setting. Raises Fault (ours) where the CA file or our own certificate cannot be used."""
        path = None if ca_file is None else str(ca_file)
        try:
            changed_ns = 0 if path is None else Path(path).stat().st_mtime_ns
            key = (path, changed_ns, verified, hashlib.sha256((client_pem or "").encode()).digest())
            if key not in self._contexts:
                made = _make(path, verified=verified)
                _show_ours(made, client_pem)
                self._contexts[key] = made
        except (OSError, ssl.SSLError) as error:
            raise prober_fault(f"the CA file {path} cannot be used: {error}") from error
        return self._contexts[key]


def _make(ca_file: str | None, *, verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves both open: one verdict for every build
    context.set_ciphers(CIPHERS)
    context.hostname_checks_common_name = False  # a name only in the CN is no name (RFC 6125)
    context.set_alpn_protocols(["http/1.1"])
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _show_ours(context: ssl.SSLContext, client_pem: str | None) -> None:
    """Load our certificate and key from memory: OpenSSL reads them from a file only, and this one is on no disk."""
    if client_pem is None:
        return
    memory = os.memfd_create("client-certificate")
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(client_pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=lambda: "")  # never ask on a terminal
    except (OSError, ssl.SSLError) as error:
        raise prober_fault("client_certificate holds no certificate and key in PEM that fit together") from error
    finally:
        os.close(memory)


@functools.lru_cache(1_000)  # a server shows the same one for weeks, and reading it costs a tenth of the check
def read_certificate(der: bytes | None) -> Certificate | None:
    """What a peer's certificate says; None where it showed none or one that cannot be read."""
    if der is None:
        return None
    try:
        parsed = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=parsed.subject.rfc4514_string(),
            issuer=parsed.issuer.rfc4514_string(),
            names=_names(parsed),
            not_before_ms=_epoch_ms(parsed.not_valid_before_utc),
            not_after_ms=_epoch_ms(parsed.not_valid_after_utc),
            sha256=hashlib.sha256(der).hexdigest(),
            weakness=_weakness(parsed),
        )
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
        return None


def _weakness(parsed: x509.Certificate) -> str | None:
    """What is too weak about a certificate by today's measure, whatever this platform accepts."""
    key = parsed.public_key()
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        least = 2_048 if isinstance(key, rsa.RSAPublicKey) else 224
        if key.key_size < least:
            return f"the certificate's key has {key.key_size} bits, less than {least}"
    hashed = parsed.signature_hash_algorithm
    if hashed is not None and hashed.name in ("md5", "sha1"):
        return f"the certificate is signed with {hashed.name}"
    return None


def _names(parsed: x509.Certificate) -> tuple[str, ...]:
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _epoch_ms(when: dt.datetime) -> int:
    return int(when.timestamp() * 1000)
