"""Pings: on loopback where this process may, else the advice how to let it."""

from __future__ import annotations

import errno
import socket

import pytest
from local_servers import probe

from probes import icmp
from probes.attempt import Attempt, Fault
from probes.connect import AddressRule
from probes.icmp import NOT_ALLOWED, checksum, echo_request, echo_socket, is_answer
from probes.resolver import literal

pytestmark = pytest.mark.usefixtures("descriptors_kept")
SECRET = bytes(range(32))


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


def may_ping(host: str = "127.0.0.1") -> bool:
    address = literal(host, 0)
    assert address is not None
    try:
        echo_socket(address).close()
    except Fault:
        return False
    return True


needs_right = pytest.mark.skipif(
    not may_ping(), reason="neither net.ipv4.ping_group_range nor CAP_NET_RAW lets us ping"
)


@needs_right
async def test_this_machine_answers_a_ping() -> None:
    found = await probe("icmp://127.0.0.1")
    assert judged(found) == ("up", None)
    assert set(found.phases_us) == {"dns", "echo"}
    assert found.latency_ms is not None
    assert found.address == "127.0.0.1"


@pytest.mark.skipif(not may_ping("::1"), reason="this machine has no IPv6 loopback, or does not let us ping it")
async def test_this_machine_answers_a_ping_by_ipv6() -> None:
    assert judged(await probe("icmp://[::1]")) == ("up", None)


@needs_right
async def test_a_host_that_does_not_answer_is_down_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of another type go out, which nobody answers: loopback has no address without an answer."""
    monkeypatch.setitem(icmp.REQUEST, socket.AF_INET, 253)
    found = await probe("icmp://127.0.0.1", timeout_ms=300)
    assert judged(found) == ("down", "timeout_first_byte")
    assert found.detail == "no answer to 3 echo requests"


@needs_right
async def test_a_lost_request_is_sent_again_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    types = iter((253, 8, 8))

    class Once(dict[int, int]):
        def __getitem__(self, key: int) -> int:
            return next(types)

    monkeypatch.setattr(icmp, "REQUEST", Once())
    found = await probe("icmp://127.0.0.1", timeout_ms=300)
    assert judged(found) == ("up", None)
    assert found.notes == ("1 of 2 echo requests stayed unanswered",)


async def test_without_the_right_the_attempt_is_unknown_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    address = literal("127.0.0.1", 0)
    assert address is not None
    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(Fault) as caught:
        echo_socket(address)
    assert (caught.value.outcome.verdict, caught.value.outcome.detail) == ("unknown", NOT_ALLOWED)


async def test_a_tenants_ping_reaches_no_private_address() -> None:
    found = await probe("icmp://127.0.0.1", rule=AddressRule(public_only=True))
    assert judged(found) == ("unknown", "config_error")


def test_the_checksum_makes_the_whole_add_up_to_nothing() -> None:
    request = echo_request(socket.AF_INET, b"\x12\x34", 1, SECRET)
    assert checksum(request) == 0
    assert checksum(b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7") == 0x220D  # the example of RFC 1071


@pytest.mark.parametrize(
    ("packet", "ours"),
    [
        (b"\0\0" + bytes(6) + SECRET, True),
        (b"\x45" + bytes(19) + b"\0\0" + bytes(6) + SECRET, True),
        (b"\x46" + bytes(23) + b"\0\0" + bytes(6) + SECRET, True),
        (b"\x08\0" + bytes(6) + SECRET, False),
        (b"\0\0" + bytes(6) + bytes(32), False),
        (b"\x03\x01" + bytes(6) + SECRET, False),
        (b"", False),
    ],
    ids=["bare", "behind its header", "behind a longer header", "our own request", "of others", "unreachable", "empty"],
)
def test_only_the_answer_to_our_own_request_counts(packet: bytes, *, ours: bool) -> None:
    assert is_answer(packet, socket.AF_INET, SECRET) is ours
