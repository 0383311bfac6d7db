"""TLS faults, made with throwaway authorities, as http and certificate attempts see them."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from local_servers import blocking_tls, ok, probe, saying, server_context, serving

from probes.attempt import Attempt

pytestmark = pytest.mark.usefixtures("descriptors_kept")
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


async def against(context: ssl.SSLContext, *, scheme: str, host: str = "localhost", **settings: object) -> Attempt:
    async with serving(saying(ok()), tls=context) as port:
        return await probe(f"{scheme}://{host}:{port}", **settings)


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


def hand_made(folder: Path, authority: trustme.CA, *, san: str | None = "localhost", client_only: bool = False) -> str:
    """A leaf signed by the authority, without the grace that trustme gives; returns a PEM file of key and chain."""
    issuer_key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 90 * DAY)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
    )
    if san is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san)]), critical=False)
    if client_only:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    leaf = builder.sign(issuer_key, hashes.SHA256())  # type: ignore[arg-type]
    path = folder / f"leaf-{san}-{client_only}.pem"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem + leaf.public_bytes(serialization.Encoding.PEM))
    return str(path)


def loaded(pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


BOTH = pytest.mark.parametrize("scheme", ["https", "tls"])


@BOTH
async def test_a_trusted_certificate_is_up_and_its_dates_are_kept(
    scheme: str, authority: trustme.CA, ca_file: str
) -> None:
    leaf = authority.issue_cert("localhost", not_after=NOW + 90 * DAY)
    found = await against(server_context(leaf), scheme=scheme, ca_file=ca_file)
    assert judged(found) == ("up", None)
    assert found.certificate is not None
    assert found.certificate.names == ("localhost",)
    assert abs(found.certificate.not_after_ms - (NOW + 90 * DAY).timestamp() * 1000) < 1000
    assert "tls" in found.phases_us


@BOTH
async def test_an_expired_certificate(scheme: str, authority: trustme.CA, ca_file: str) -> None:
    leaf = authority.issue_cert("localhost", not_before=NOW - 9 * DAY, not_after=NOW - dt.timedelta(seconds=5))
    found = await against(server_context(leaf), scheme=scheme, ca_file=ca_file)
    assert judged(found) == ("down", "tls_expired")
    assert scheme == "https" or found.certificate is not None


@BOTH
async def test_a_certificate_that_is_not_valid_yet(scheme: str, authority: trustme.CA, ca_file: str) -> None:
    leaf = authority.issue_cert("localhost", not_before=NOW + DAY)
    assert judged(await against(server_context(leaf), scheme=scheme, ca_file=ca_file)) == (
        "down",
        "tls_not_yet_valid",
    )


@BOTH
async def test_a_certificate_for_another_name(scheme: str, authority: trustme.CA, ca_file: str) -> None:
    for name, host in [("example.org", "localhost"), ("localhost", "127.0.0.1"), ("*.localhost", "localhost")]:
        context = server_context(authority.issue_cert(name))
        assert judged(await against(context, scheme=scheme, host=host, ca_file=ca_file)) == ("down", "tls_hostname")


@BOTH
async def test_a_name_in_the_common_name_only_is_no_name(
    scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = loaded(hand_made(tmp_path, authority, san=None))
    assert judged(await against(context, scheme=scheme, ca_file=ca_file)) == ("down", "tls_hostname")


@BOTH
async def test_a_certificate_for_clients_only(scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    context = loaded(hand_made(tmp_path, authority, client_only=True))
    assert judged(await against(context, scheme=scheme, ca_file=ca_file)) == ("down", "tls_purpose")


@BOTH
async def test_a_self_signed_certificate(scheme: str, tmp_path: Path) -> None:
    own = trustme.CA()
    pem = tmp_path / "own.pem"
    own.private_key_pem.write_to_path(str(pem))
    own.cert_pem.write_to_path(str(pem), append=True)
    assert judged(await against(loaded(str(pem)), scheme=scheme)) == ("down", "tls_self_signed")


@BOTH
async def test_an_untrusted_root_that_is_sent_along(scheme: str, ca_file: str, tmp_path: Path) -> None:
    other = trustme.CA()
    leaf = other.issue_cert("localhost")
    pem = tmp_path / "chain.pem"
    leaf.private_key_and_cert_chain_pem.write_to_path(str(pem))
    other.cert_pem.write_to_path(str(pem), append=True)
    assert judged(await against(loaded(str(pem)), scheme=scheme, ca_file=ca_file)) == ("down", "tls_untrusted_root")


@BOTH
async def test_an_intermediate_that_is_not_sent(
    scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    leaf = authority.create_child_ca().issue_cert("localhost")
    pem = tmp_path / "leaf.pem"
    leaf.private_key_pem.write_to_path(str(pem))
    leaf.cert_chain_pems[0].write_to_path(str(pem), append=True)
    assert judged(await against(loaded(str(pem)), scheme=scheme, ca_file=ca_file)) == ("down", "tls_incomplete_chain")
    assert judged(await against(server_context(leaf), scheme=scheme, ca_file=ca_file)) == ("up", None)


@BOTH
async def test_unverified_is_up_where_the_endpoint_says_so(scheme: str) -> None:
    context = server_context(trustme.CA().issue_cert("example.org"))
    assert judged(await against(context, scheme=scheme, verified=False)) == ("up", None)


async def refused(context: ssl.SSLContext, *, scheme: str, ca_file: str) -> Attempt:
    with blocking_tls(context) as port:
        return await probe(f"{scheme}://localhost:{port}", ca_file=ca_file)


@BOTH
async def test_a_server_of_old_tls_versions_only(scheme: str, authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority.issue_cert("localhost"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1
    assert judged(await refused(context, scheme=scheme, ca_file=ca_file)) == ("down", "tls_version")


@BOTH
async def test_no_cipher_in_common(scheme: str, authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority.issue_cert("localhost"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the certificate's key is of another kind
    assert judged(await refused(context, scheme=scheme, ca_file=ca_file)) == ("down", "tls_handshake")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
async def test_a_server_that_wants_a_client_certificate(
    version: ssl.TLSVersion, authority: trustme.CA, ca_file: str
) -> None:
    context = server_context(authority.issue_cert("localhost"))
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    assert judged(await refused(context, scheme="https", ca_file=ca_file)) == ("down", "tls_client_cert")
    if version == ssl.TLSVersion.TLSv1_2:  # TLS 1.3 asks after the handshake, which is all that a tls check makes
        assert judged(await refused(context, scheme="tls", ca_file=ca_file)) == ("down", "tls_client_cert")
    with blocking_tls(context) as port:
        ours = authority.issue_cert("probe.example").private_key_and_cert_chain_pem.bytes().decode()
        found = await probe(f"https://localhost:{port}", ca_file=ca_file, client_pem=ours)
    assert judged(found) == ("up", None)


@BOTH
async def test_plain_http_on_the_tls_port(scheme: str) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serving(plain) as port:
        assert judged(await probe(f"{scheme}://localhost:{port}")) == ("down", "tls_not_tls")


@BOTH
async def test_a_stall_in_the_handshake_ends_at_the_deadline(scheme: str) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with serving(stall) as port:
        found = await probe(f"{scheme}://localhost:{port}", timeout_ms=300)
    assert judged(found) == ("down", "timeout_total")
    assert found.detail == "not finished within 0.3 s (phase tls)"


@BOTH
async def test_a_server_that_closes_during_the_handshake(scheme: str) -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async with serving(close) as port:
        assert judged(await probe(f"{scheme}://localhost:{port}")) == ("down", "tls_handshake")


@BOTH
async def test_an_expired_intermediate(scheme: str, ca_file: str, tmp_path: Path) -> None:
    root = trustme.CA()
    root.cert_pem.write_to_path(str(tmp_path / "root.pem"))
    leaf = root.create_child_ca().issue_cert("localhost")
    pem = tmp_path / "leaf.pem"
    leaf.private_key_pem.write_to_path(str(pem))
    leaf.cert_chain_pems[0].write_to_path(str(pem), append=True)
    pem.write_bytes(pem.read_bytes() + expired_copy(leaf.cert_chain_pems[1].bytes(), root))
    found = await against(loaded(str(pem)), scheme=scheme, ca_file=str(tmp_path / "root.pem"))
    assert judged(found) == ("down", "tls_expired")


def expired_copy(pem: bytes, root: trustme.CA) -> bytes:
    """The same intermediate, signed again with an end in the past."""
    old = x509.load_pem_x509_certificate(pem)
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number, NOW - 9 * DAY, NOW - DAY, list(old.extensions)
    )
    key = serialization.load_pem_private_key(root.private_key_pem.bytes(), None)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


@BOTH
async def test_an_extra_certificate_in_the_chain_does_no_harm(
    scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    pem = tmp_path / "chain.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    trustme.CA().cert_pem.write_to_path(str(pem), append=True)
    assert judged(await against(loaded(str(pem)), scheme=scheme, ca_file=ca_file)) == ("up", None)


@BOTH
async def test_the_server_name_is_sent(scheme: str, authority: trustme.CA, ca_file: str) -> None:
    default = server_context(trustme.CA().issue_cert("elsewhere.example"))
    right = server_context(authority.issue_cert("localhost"))

    def by_name(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name == "localhost":
            connection.context = right

    default.sni_callback = by_name  # type: ignore[assignment]
    assert judged(await against(default, scheme=scheme, ca_file=ca_file)) == ("up", None)


async def test_a_body_that_only_the_close_delimits_is_truncated_without_a_goodbye(
    authority: trustme.CA, ca_file: str
) -> None:
    context = server_context(authority.issue_cert("localhost"))
    half = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", reset=True)
    async with serving(half, tls=context) as port:
        found = await probe(f"https://localhost:{port}/", ca_file=ca_file)
    assert found.error in ("http_truncated", "http_reset")


async def test_a_redirect_from_https_to_http_is_noted(authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority.issue_cert("localhost"))
    async with serving(saying(ok())) as plain:
        hop = ok(status=b"302 Found", headers=b"Location: http://localhost:%d/\r\n" % plain)
        async with serving(saying(hop), tls=context) as port:
            found = await probe(f"https://localhost:{port}/", ca_file=ca_file)
    assert judged(found) == ("up", None)
    assert found.notes == ("redirected from https to http",)


@BOTH
async def test_a_handshake_that_drips_ends_at_the_deadline(scheme: str) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(100):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(drip) as port:
        found = await probe(f"{scheme}://localhost:{port}", timeout_ms=300)
    assert judged(found) == ("down", "timeout_total")


@pytest.mark.parametrize(("days", "verdict"), [(30, "up"), (13, "degraded"), (1, "degraded")])
async def test_a_certificate_near_its_end_is_degraded_but_only_as_its_own_check(
    days: int, verdict: str, authority: trustme.CA, ca_file: str
) -> None:
    context = server_context(authority.issue_cert("localhost", not_after=NOW + days * DAY))
    certificate = await against(context, scheme="tls", ca_file=ca_file)
    assert certificate.verdict == verdict
    assert (await against(context, scheme="https", ca_file=ca_file)).verdict == "up"


async def test_a_cut_without_goodbye_after_a_whole_body_is_up(authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority.issue_cert("localhost"))
    async with serving(saying(ok(), reset=True), tls=context) as port:
        assert judged(await probe(f"https://localhost:{port}/", ca_file=ca_file)) == ("up", None)


async def test_a_missing_ca_file_is_our_fault(tmp_path: Path) -> None:
    found = await against(
        server_context(trustme.CA().issue_cert("localhost")), scheme="https", ca_file=str(tmp_path / "no")
    )
    assert judged(found) == ("unknown", "prober_error")


async def test_a_client_certificate_that_the_server_does_not_trust(authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    foreign = trustme.CA().issue_cert("probe.example").private_key_and_cert_chain_pem.bytes().decode()
    with blocking_tls(context) as port:
        found = await probe(f"https://localhost:{port}", ca_file=ca_file, client_pem=foreign)
    assert found.verdict == "down"
    assert found.error in ("tls_client_cert", "tls_handshake")


async def test_a_client_certificate_that_cannot_be_used_is_our_fault(ca_file: str) -> None:
    found = await probe("https://localhost:1", ca_file=ca_file, client_pem="no PEM")
    assert found.verdict in ("unknown", "down")
    async with serving(saying(ok())) as port:
        found = await probe(f"https://localhost:{port}", ca_file=ca_file, client_pem="no PEM")
    assert judged(found) == ("unknown", "prober_error")
    assert "no PEM" not in str(found.detail)


def signed(
    folder: Path,
    authority: trustme.CA,
    key: object,
    *,
    names: int = 1,
    digest: hashes.HashAlgorithm | None = None,
) -> str:
    """A leaf of our authority with a key of any strength, any number of names, and any digest; a PEM file."""
    issuer_key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    more = [x509.DNSName(f"name-{number}.example.org") for number in range(names - 1)]
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 90 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *more]), critical=False)
        .sign(issuer_key, digest or hashes.SHA256())  # type: ignore[arg-type]
    )
    path = folder / "leaf.pem"
    pem = key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    path.write_bytes(pem + leaf.public_bytes(serialization.Encoding.PEM))
    return str(path)


def weakly_loaded(pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pem)
    return context


@BOTH
async def test_a_weak_key_is_down_where_the_platform_refuses_it_and_degraded_where_not(
    scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    weak = weakly_loaded(signed(tmp_path, authority, rsa.generate_private_key(65_537, 1_024)))
    assert judged(await against(weak, scheme=scheme, ca_file=ca_file)) == ("down", "tls_weak")
    accepted = weakly_loaded(signed(tmp_path, authority, rsa.generate_private_key(65_537, 2_047)))
    found = await against(accepted, scheme=scheme, ca_file=ca_file)
    assert found.error == "tls_weak"
    assert found.verdict in ("degraded", "down")


def by_openssl(folder: Path, authority: trustme.CA) -> str:
    """A leaf signed with SHA-1, which newer libraries do not make any more."""
    if shutil.which("openssl") is None:
        pytest.skip("neither the cryptography package nor an openssl program makes such a certificate here")
    authority.private_key_pem.write_to_path(str(folder / "ca.key"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for command in (
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout leaf.key -out leaf.csr",
        "x509 -req -sha1 -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile names -out leaf.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    path = folder / "sha1.pem"
    path.write_bytes((folder / "leaf.key").read_bytes() + (folder / "leaf.crt").read_bytes())
    return str(path)


@BOTH
async def test_a_signature_by_sha1_is_weak(scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        weak = weakly_loaded(signed(tmp_path, authority, key, digest=hashes.SHA1()))
    except UnsupportedAlgorithm:
        weak = weakly_loaded(by_openssl(tmp_path, authority))
    assert (await against(weak, scheme=scheme, ca_file=ca_file)).error == "tls_weak"
    unverified = await against(weak, scheme=scheme, verified=False)
    assert unverified.error == "tls_weak"


@BOTH
@pytest.mark.parametrize("names", [1_000, 10_000])
async def test_a_certificate_of_many_names_stays_within_limits(
    scheme: str, names: int, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = loaded(signed(tmp_path, authority, ec.generate_private_key(ec.SECP256R1()), names=names))
    found = await against(context, scheme=scheme, ca_file=ca_file)
    assert judged(found) == (("up", None) if names == 1_000 else ("down", "tls_handshake"))


WEAK_CIPHERS = {"null": "NULL-SHA256", "3des": "DES-CBC3-SHA", "cbc": "AES128-SHA", "anonymous": "ADH-AES128-SHA256"}


@BOTH
@pytest.mark.parametrize("name", WEAK_CIPHERS)
async def test_a_server_of_weak_ciphers_only(scheme: str, name: str, authority: trustme.CA, ca_file: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.set_ciphers(f"{WEAK_CIPHERS[name]}:@SECLEVEL=0")
    except ssl.SSLError:
        pytest.skip("this OpenSSL has left the cipher out")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("localhost", key_type=trustme.KeyType.RSA).configure_cert(context)
    found = await refused(context, scheme=scheme, ca_file=ca_file)
    assert found.verdict == "down"
    assert found.error in ("tls_handshake", "tls_weak")


SMALL_GROUP = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAJGKds/pe62NRNuVAVQIiV0e4sVO6OVmogHxNU1B6BA2nDYEByCSOMgj
eZWsSHdKeBWrjR0L2E/R0Igud3I2vpIvT76SqGyaxCytnM/+0KH9b42ekb1sGB7V
pxJRZ5A0CvZL6GavPHEPkcCEcJlff6zpusb3Bjs5LpARVt7CuHSfAgEC
-----END DH PARAMETERS-----
"""  # 1024 bits: OpenSSL serves no smaller one at any level


@BOTH
async def test_a_server_of_a_small_diffie_hellman_group(
    scheme: str, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    (tmp_path / "dh.pem").write_text(SMALL_GROUP)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_dh_params(str(tmp_path / "dh.pem"))
    authority.issue_cert("localhost", key_type=trustme.KeyType.RSA).configure_cert(context)
    found = await refused(context, scheme=scheme, ca_file=ca_file)
    assert found.verdict == "down"
    assert found.error in ("tls_weak", "tls_handshake")


@BOTH
async def test_a_revoked_certificate_is_up_for_revocation_is_not_checked(
    scheme: str, authority: trustme.CA, ca_file: str
) -> None:
    """No list is fetched and no stapled answer is read; the documents and `nines probe` say so."""
    assert (
        await against(server_context(authority.issue_cert("localhost")), scheme=scheme, ca_file=ca_file)
    ).error is None


async def test_a_version_that_is_older_than_agreed(authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority.issue_cert("localhost"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert judged(await against(context, scheme="tls", ca_file=ca_file, min_tls="1.3")) == ("down", "tls_version")
    found = await against(context, scheme="tls", ca_file=ca_file)
    assert (found.verdict, found.tls_version) == ("up", "TLSv1.2")


async def test_a_body_delimited_by_the_close_is_truncated_without_a_goodbye_only(
    authority: trustme.CA, ca_file: str
) -> None:
    context = server_context(authority.issue_cert("localhost"))
    with blocking_tls(context, answer=b"HTTP/1.1 200 OK\r\n\r\nhalf", goodbye=False) as port:
        found = await probe(f"https://localhost:{port}/", ca_file=ca_file)
    assert judged(found) == ("down", "http_truncated")
    with blocking_tls(context, answer=b"HTTP/1.1 200 OK\r\n\r\nwhole", goodbye=True) as port:
        found = await probe(f"https://localhost:{port}/", ca_file=ca_file)
    assert judged(found) == ("up", None)


async def test_the_depth_of_an_expired_certificate_is_told(ca_file: str, tmp_path: Path) -> None:
    root = trustme.CA()
    root.cert_pem.write_to_path(str(tmp_path / "root.pem"))
    leaf = root.create_child_ca().issue_cert("localhost")
    pem = tmp_path / "leaf.pem"
    leaf.private_key_pem.write_to_path(str(pem))
    leaf.cert_chain_pems[0].write_to_path(str(pem), append=True)
    pem.write_bytes(pem.read_bytes() + expired_copy(leaf.cert_chain_pems[1].bytes(), root))
    found = await against(loaded(str(pem)), scheme="tls", ca_file=str(tmp_path / "root.pem"))
    assert found.detail == "the server's own certificate is good, but one above it in the chain has expired"
