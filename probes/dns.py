"""One dns attempt: a question to one name server, and whether its answer is the one that is wanted."""

from __future__ import annotations

import dns.resolver

from probes.attempt import Outcome, Trace, prober_fault
from probes.connect import check_server, connect_to_server
from probes.faults import config_fault
from probes.fresh import Tools
from probes.names import Answer, Server, ask, fault_of
from probes.target import DNS_PORT, Question, Target


async def check_dns(target: Target, tools: Tools, trace: Trace) -> Outcome:
    """Ask, over TCP where the datagram is cut, and compare. Raises Fault."""
    if target.question is None:
        raise config_fault("the endpoint names nothing to ask for")
    server = (target.host, target.port) if target.host else system_server()
    check_server(server, target.rule)
    trace.address = server[0]
    with trace.timing("query"):
        answer = await ask(server, target.question.name, target.question.record, connect_to_server)
    trace.answers = answer.records
    if answer.truncated_first:
        trace.note("the answer was too long for a datagram and came over TCP")
    slow = trace.judge_latency(target.max_latency_ms)
    return _judge(answer, target.question) or slow


def _judge(answer: Answer, question: Question) -> Outcome | None:
    if question.rcode != "NOERROR":
        return None if answer.rcode == question.rcode else _differs(f"{answer.rcode} instead of {question.rcode}")
    fault = fault_of(answer, question.name)
    if fault is not None:
        return fault.outcome
    if not answer.records:
        return Outcome("down", "dns_no_address", f"{question.name} has no {question.record} record")
    missing = [value for value in question.answers if _canonical(value) not in map(_canonical, answer.records)]
    return _differs(f"{missing[0]!r} is not among the answers: {', '.join(answer.records)}") if missing else None


def _differs(detail: str) -> Outcome:
    return Outcome("down", "content_mismatch", detail)


def _canonical(record: str) -> str:
    """Records as they are compared: without case, quotes and the final dot."""
    return record.strip().strip('"').removesuffix(".").lower()


def system_server() -> Server:
    """The name server that this machine asks first. Raises Fault (ours) where it has none."""
    try:
        known = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration as error:
        raise prober_fault(
            "this machine has no name server; write one into the URL, e.g. dns://9.9.9.9/name"
        ) from error
    return str(known[0]), DNS_PORT
