"""Names and dns checks against a name server on loopback that fails in every way of the fault catalogue."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from local_servers import closed_port, ok, probe, saying, serving
from name_servers import Answering, name_server, records

from probes.attempt import Attempt
from probes.connect import AddressRule
from probes.dns import system_server
from probes.target import Question

pytestmark = pytest.mark.usefixtures("descriptors_kept")
HOST = "shop.example."


def judged(found: Attempt) -> tuple[str, str | None]:
    return found.verdict, found.error


async def looked_up(answering: Answering, *, port: int = 9, tcp: Answering | None = None, **more: object) -> Attempt:
    """A tcp attempt whose name is asked of a server that answers so."""
    async with name_server(answering, tcp=tcp) as server:
        return await probe(f"tcp://shop.example:{port}", **{"resolver": server, "timeout_ms": 400, **more})


async def asked(
    answering: Answering, *, record: str = "A", tcp: Answering | None = None, rcode: str = "NOERROR", **more: object
) -> Attempt:
    """A dns attempt at a server that answers so."""
    answers = more.pop("answers", ())
    question = Question("shop.example", record, answers, rcode)  # type: ignore[arg-type]
    async with name_server(answering, tcp=tcp) as (host, port):
        return await probe(f"dns://{host}:{port}/shop.example", question=question, **{"timeout_ms": 400, **more})


def silence(question: dns.message.Message) -> None:
    return None


def chain(length: int, *, end: str | None = None) -> tuple[str, ...]:
    aliases = [f"{HOST if n == 0 else f'a{n}.example.'} 60 CNAME a{n + 1}.example." for n in range(length)]
    return (*aliases, f"a{length}.example. 60 A {end}") if end else tuple(aliases)


LOOP = ("shop.example. 60 CNAME other.example.", "other.example. 60 CNAME shop.example.")
FAULTS = {
    "NXDOMAIN": (records(rcode=dns.rcode.NXDOMAIN), "dns_nxdomain"),
    "NODATA": (records(), "dns_no_address"),
    "SERVFAIL": (records(rcode=dns.rcode.SERVFAIL), "dns_servfail"),
    "REFUSED": (records(rcode=dns.rcode.REFUSED), "dns_servfail"),
    "FORMERR": (records(rcode=dns.rcode.FORMERR), "dns_servfail"),
    "NOTIMP": (records(rcode=dns.rcode.NOTIMP), "dns_servfail"),
    "YXDOMAIN": (records(rcode=dns.rcode.YXDOMAIN), "dns_servfail"),
    "CNAME loop": (records(*LOOP), "dns_cname_loop"),
    "20 aliases": (records(*chain(20, end="127.0.0.1")), "dns_cname_loop"),
    "dangling CNAME": (records(*chain(1), rcode=dns.rcode.NXDOMAIN), "dns_nxdomain"),
    "cut, and no TCP": (records(flags=dns.flags.TC), "dns_servfail"),
}


@pytest.mark.parametrize("row", FAULTS, ids=str)
async def test_each_fault_of_a_name_server_has_its_class_for_a_name(row: str) -> None:
    answering, error = FAULTS[row]
    found = await looked_up(answering)
    assert judged(found) == ("down", error)
    assert set(found.phases_us) == {"dns"}


@pytest.mark.parametrize("row", FAULTS, ids=str)
async def test_each_fault_of_a_name_server_has_its_class_for_a_dns_check(row: str) -> None:
    answering, error = FAULTS[row]
    assert judged(await asked(answering)) == ("down", error)


async def test_no_answer_is_a_timeout_of_the_name() -> None:
    assert judged(await looked_up(silence)) == ("down", "dns_timeout")
    assert judged(await asked(silence)) == ("down", "dns_timeout")


def spoofed(question: dns.message.Message) -> Iterator[dns.message.Message | bytes]:
    """Answers that are none of ours: another id, another question, no DNS at all."""
    other_id = records(f"{HOST} 60 A 127.0.0.9")(question)
    other_id.id = question.id ^ 1  # type: ignore[union-attr]
    yield other_id  # type: ignore[misc]
    foreign = dns.message.make_query("elsewhere.example", "A", id=question.id)
    yield records("elsewhere.example. 60 A 127.0.0.9")(foreign)  # type: ignore[misc]
    yield b"\x00\x01nonsense"


async def test_answers_to_other_questions_are_not_listened_to() -> None:
    assert judged(await looked_up(spoofed)) == ("down", "dns_timeout")
    assert judged(await asked(spoofed)) == ("down", "dns_timeout")


async def test_a_lost_datagram_is_asked_for_again() -> None:
    calls: list[int] = []

    def forgetful(question: dns.message.Message) -> object:
        calls.append(question.id)
        return None if len(calls) == 1 else records(f"{HOST} 60 A 192.0.2.1")(question)

    found = await asked(forgetful, timeout_ms=2_500)  # type: ignore[arg-type]
    assert judged(found) == ("up", None)
    assert len(calls) == 2


async def test_a_cut_answer_is_fetched_over_tcp() -> None:
    whole = records(f"{HOST} 60 TXT {'x' * 200}", *(f"{HOST} 60 A 192.0.2.{n}" for n in range(200)))
    cut = records(flags=dns.flags.TC)
    found = await asked(cut, tcp=whole)
    assert judged(found) == ("up", None)
    assert len(found.answers) == 200
    assert found.notes == ("the answer was too long for a datagram and came over TCP",)


async def test_a_cut_answer_that_tcp_breaks_off_or_holds_back_is_no_answer() -> None:
    cut = records(flags=dns.flags.TC)
    assert judged(await asked(cut, tcp=lambda question: [])) == ("down", "dns_servfail")
    assert judged(await asked(cut, tcp=lambda question: b"\0\1junk")) == ("down", "dns_servfail")


async def test_a_dead_name_server_is_told_as_what_it_is() -> None:
    dead = ("127.0.0.1", closed_port())
    found = await probe("tcp://shop.example:80", resolver=dead)
    assert judged(found) == ("down", "dns_servfail")
    assert found.detail == "name server 127.0.0.1: connection refused"
    question = Question("shop.example")
    assert judged(await probe(f"dns://127.0.0.1:{dead[1]}/x", question=question)) == ("down", "connect_refused")


@pytest.mark.parametrize("name", ["a" * 70, "a..b", "a" * 250 + ".example", "-x", "_srv", "bücher", "😀", "a b"])
async def test_names_that_cannot_be_never_escape_as_an_exception(name: str) -> None:
    async with name_server(records(rcode=dns.rcode.NXDOMAIN)) as server:
        question = Question(name)
        found = await probe(f"dns://{server[0]}:{server[1]}/x", question=question, timeout_ms=400)
    assert found.verdict == "down"
    assert found.error in ("dns_bad_name", "dns_nxdomain")


async def test_a_name_of_one_address_is_found_at_it() -> None:
    async with serving(saying(ok())) as port:
        for name in ("shop.example", "shop.example."):
            async with name_server(records(f"{HOST} 60 A 127.0.0.1")) as server:
                found = await probe(f"http://{name}:{port}/", resolver=server)
            assert judged(found) == ("up", None)
            assert found.address == "127.0.0.1"


async def test_aliases_told_one_at_a_time_are_followed() -> None:
    async with serving(saying(ok())) as port:
        one_by_one = {f"a{n}.example.": f"a{n}.example. 60 CNAME a{n + 1}.example." for n in range(1, 4)}
        one_by_one |= {HOST: f"{HOST} 60 CNAME a1.example.", "a4.example.": "a4.example. 60 A 127.0.0.1"}

        def answering(question: dns.message.Message) -> object:
            return records(one_by_one[question.question[0].name.to_text()])(question)

        found = await looked_up(answering, port=port)  # type: ignore[arg-type]
    assert judged(found) == ("up", None)


async def test_a_dead_ipv6_address_beside_a_good_one_is_a_note() -> None:
    async with serving(saying(ok())) as port:
        both = records(f"{HOST} 60 A 127.0.0.1", f"{HOST} 60 AAAA ::1")
        found = await looked_up(both, port=port, ip_version=None)
        assert judged(found) == ("up", None)
        only_six = await looked_up(both, port=port, ip_version=6)
        assert only_six.verdict in ("down", "unknown")
        assert only_six.error in ("connect_refused", "connect_unreachable", "prober_error")
        assert judged(await looked_up(both, port=port, ip_version=4)) == ("up", None)


async def test_a_name_without_an_address_of_the_wanted_family() -> None:
    found = await looked_up(records(f"{HOST} 60 A 127.0.0.1"), ip_version=6)
    assert judged(found) == ("down", "dns_no_address")
    assert found.detail == "shop.example has no IPv6 address"


def no_route_to_documentation_addresses() -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probing:
        try:
            probing.connect(("2001:db8::1", 9))
        except OSError:
            return True
    return False


@pytest.mark.skipif(not no_route_to_documentation_addresses(), reason="this machine has an IPv6 route")
async def test_an_ipv6_address_without_a_route_of_ours_is_unknown() -> None:
    found = await looked_up(records(f"{HOST} 60 AAAA 2001:db8::1"))
    assert judged(found) == ("unknown", "connect_unreachable")


@pytest.mark.parametrize("value", ["0.0.0.0", "0.0.0.0 and ::"])
async def test_a_blocked_name_is_not_taken_for_this_machine(value: str) -> None:
    lines = [f"{HOST} 60 A 0.0.0.0", *([f"{HOST} 60 AAAA ::"] if "::" in value else [])]
    async with serving(saying(ok())) as port:
        assert judged(await looked_up(records(*lines), port=port)) == ("down", "dns_no_address")


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1"])
async def test_a_tenants_name_that_leads_to_a_private_address_is_not_followed(address: str) -> None:
    async with name_server(records(f"{HOST} 60 A {address}")) as server:
        found = await probe("tcp://shop.example:80", resolver=server, rule=AddressRule(public_only=True))
    assert judged(found) == ("unknown", "config_error")


async def test_a_tenants_name_server_at_a_private_address_is_not_asked() -> None:
    calls: list[int] = []

    def counting(question: dns.message.Message) -> None:
        calls.append(question.id)

    found = await asked(counting, rule=AddressRule(public_only=True))
    assert judged(found) == ("unknown", "config_error")
    assert judged(await looked_up(counting, rule=AddressRule(public_only=True))) == ("unknown", "config_error")
    assert calls == []


async def test_where_the_first_address_is_dead_the_next_one_is_taken_and_told() -> None:
    async with serving(saying(ok())) as port:
        found = await looked_up(records(f"{HOST} 0 A 127.0.0.2", f"{HOST} 0 A 127.0.0.1"), port=port)
    assert judged(found) == ("up", None)
    assert found.address == "127.0.0.1"


@pytest.mark.parametrize("ttl", [0, 2**31 - 1])
async def test_no_answer_is_kept_whatever_its_life_is_said_to_be(ttl: int) -> None:
    told = ["127.0.0.1", "127.0.0.3"]

    def changing(question: dns.message.Message) -> object:
        return records(f"{HOST} {ttl} A {told[0]}")(question)

    async with serving(saying(ok())) as port, name_server(changing) as server:  # type: ignore[arg-type]
        assert (await probe(f"tcp://shop.example:{port}", resolver=server)).verdict == "up"
        told.reverse()
        assert (await probe(f"tcp://shop.example:{port}", resolver=server)).verdict == "down"


async def test_a_resolver_that_answers_everything_is_caught_by_what_the_page_must_say() -> None:
    everything = records(f"{HOST} 60 A 127.0.0.1")
    async with serving(saying(ok(b"Sign in to the guest network"))) as port, name_server(everything) as server:
        found = await probe(f"http://shop.example:{port}/", resolver=server, contains=("Our shop",))
    assert judged(found) == ("down", "content_mismatch")


WANTED = {
    "no wish": ((), "up", None),
    "one of two": (("192.0.2.1",), "up", None),
    "both": (("192.0.2.2", "192.0.2.1"), "up", None),
    "another": (("192.0.2.9",), "down", "content_mismatch"),
}


@pytest.mark.parametrize("row", WANTED, ids=str)
async def test_what_is_wanted_must_be_among_the_answers(row: str) -> None:
    answers, verdict, error = WANTED[row]
    two = records(f"{HOST} 60 A 192.0.2.1", f"{HOST} 60 A 192.0.2.2")
    found = await asked(two, answers=answers)
    assert judged(found) == (verdict, error)
    assert found.answers == ("192.0.2.1", "192.0.2.2")
    assert set(found.phases_us) == {"query"}


async def test_records_are_compared_without_case_quotes_and_final_dot() -> None:
    mail = records(f"{HOST} 60 MX 10 Mail.Example.")
    assert judged(await asked(mail, record="MX", answers=("10 mail.example",))) == ("up", None)
    text = records(f'{HOST} 60 TXT "v=spf1 -all"')
    assert judged(await asked(text, record="TXT", answers=("v=spf1 -all",))) == ("up", None)


async def test_a_name_that_must_not_exist_is_up_while_it_does_not() -> None:
    assert judged(await asked(records(rcode=dns.rcode.NXDOMAIN), rcode="NXDOMAIN")) == ("up", None)
    there = records(f"{HOST} 60 A 192.0.2.1")
    assert judged(await asked(there, rcode="NXDOMAIN")) == ("down", "content_mismatch")


async def test_a_slow_name_server_is_degraded() -> None:
    assert judged(await asked(records(f"{HOST} 60 A 192.0.2.1"), max_latency_ms=-1)) == ("degraded", "slow")


def test_the_systems_name_server_is_an_address() -> None:
    host, port = system_server()
    assert (bool(host), port) == (True, 53)
