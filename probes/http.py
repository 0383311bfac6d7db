"""One http(s) attempt: request, redirects, body read to its end or the cap, then status, text and latency judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import Message
from importlib.metadata import version

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from probes.answer import Reply, judge_reply
from probes.attempt import Fault, Outcome, Trace, one_line
from probes.decode import Decoder, decoder
from probes.framing import Framing
from probes.fresh import Road, Tools, road_of
from probes.http_faults import http_fault
from probes.request import request_bytes
from probes.target import Target

USER_AGENT = "nines/" + version("nines")
ACCEPT_ENCODING = "gzip, deflate"
REDIRECTS = (301, 302, 303, 307, 308)
KEPT_ABROAD = ("accept", "accept-language", "user-agent")  # all else may be a credential: it stays with its host


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of the chain."""

    url: URL
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


async def check_http(target: Target, tools: Tools, trace: Trace) -> Outcome:
    """Follow the redirects to the final reply and judge it. Raises Fault."""
    road = road_of(target, tools, trace)
    jar = aiohttp.CookieJar(unsafe=True)  # fresh for every attempt; servers named by address may set cookies, too
    ask = Ask(target.url, target.request_method, target.headers, target.body)
    for _ in range(target.follow_redirects + 1):
        reply = await _fetch(ask, target, road, jar)
        if ask.method == "HEAD" and reply.status in (405, 501) and reply.status not in target.wanted.status:
            ask = Ask(ask.url, "GET", ask.headers, None)
            trace.note("HEAD is not allowed here: asked again with GET")
            reply = await _fetch(ask, target, road, jar)
        if reply.status not in REDIRECTS or reply.status in target.wanted.status or target.follow_redirects == 0:
            if tools.dates is not None:
                tools.dates.hear(trace, reply.headers)
            return judge_reply(reply, target, trace)
        ask = redirected(ask, reply, trace)
    raise Fault("http_redirect_loop", f"more than {target.follow_redirects} redirects, the last to {ask.url.host}")


async def _fetch(ask: Ask, target: Target, road: Road, jar: aiohttp.CookieJar) -> Reply:
    road.trace.begin_hop()
    if ask.url.raw_host != target.url.raw_host:
        road = replace(road, client_pem=None)  # our certificate says who we are: another host is not told
    request = request_bytes(ask.method, ask.url, _headers(ask, target, jar), ask.body)
    connection = None
    try:
        connection = await road.connect(ask.url, ask.method)
        return await _exchange(connection, request, ask, target, road.trace, jar)
    except (aiohttp.ClientError, HttpProcessingError, ConnectionError) as error:
        raise await _explained(http_fault(error, road.trace), ask, road) from error
    finally:
        road.trace.end_hop()
        if connection is not None:
            await connection.leave()


def _headers(ask: Ask, target: Target, jar: aiohttp.CookieJar) -> CIMultiDict[str]:
    headers = CIMultiDict(ask.headers)
    headers.setdefault("User-Agent", user_agent(target.contact))
    headers.setdefault("Accept-Encoding", ACCEPT_ENCODING)
    if kept := [f"{name}={cookie.coded_value}" for name, cookie in jar.filter_cookies(ask.url).items()]:
        headers["Cookie"] = "; ".join((*headers.getall("Cookie", []), *kept))
    return headers


async def _exchange(
    connection: Framing, request: bytes, ask: Ask, target: Target, trace: Trace, jar: aiohttp.CookieJar
) -> Reply:
    message, content = await connection.ask(request)
    trace.status = message.code
    trace.phase = "body"
    if told := message.headers.getall("Set-Cookie", ()):
        jar.update_cookies_from_headers(told, ask.url)
    body = await _read(message.headers, content, target.max_body_bytes, trace)
    connection.finish()
    return Reply(message.code, message.headers, _charset(message.headers), body)


async def _read(headers: Mapping[str, str], content: aiohttp.StreamReader, cap: int, trace: Trace) -> bytes | None:
    undo = decoder(headers.get("Content-Encoding", ""), cap)
    if undo is None:
        trace.note(f"Content-Encoding {headers['Content-Encoding']} was not asked for and is not understood")
    sink = undo or Decoder("", cap)
    read = 0
    async for chunk in content.iter_any():
        read += len(chunk)
        if read > cap:
            raise Fault("http_too_large", f"the body is longer than {cap} bytes")
        sink.feed(chunk)
    body = sink.finish()
    return None if undo is None else body


async def _explained(fault: Fault, ask: Ask, road: Road) -> Fault:
    """Over TLS a server that hung up without a word may have sent an alert that asyncio did not pass on."""
    if ask.url.scheme != "https" or road.trace.bytes or fault.outcome.error not in ("http_empty", "http_reset"):
        return fault
    return await road.silent_refusal((ask.url.raw_host or "").rstrip("."), ask.url.port or 443) or fault


def user_agent(contact: str | None) -> str:
    """Who asks, and whom to ask about it."""
    if contact is None or not contact.isascii():
        return f"{USER_AGENT} (availability check)"
    return f"{USER_AGENT} (availability check; contact {one_line(contact, most=100)})"


def _charset(headers: Mapping[str, str]) -> str | None:
    """What the answer says of its text; None for nothing, or nothing that can be read."""
    said = headers.get("Content-Type", "")
    if "charset" not in said.lower():
        return None
    message = Message()
    message["Content-Type"] = said
    try:
        found = message.get_param("charset")
    except (ValueError, LookupError):
        return None
    return found if isinstance(found, str) else None


def redirected(ask: Ask, reply: Reply, trace: Trace) -> Ask:
    """The next request of the chain. Credentials never follow to another origin. Raises Fault for a bad target."""
    location = reply.headers.get("Location")
    if not location:
        raise Fault("http_redirect_bad", f"status {reply.status} without a Location")
    try:
        url = ask.url.join(URL(location)).with_fragment(None)
        port = url.port
    except ValueError as error:
        raise Fault("http_redirect_bad", "redirected to something that is no URL") from error
    if url.scheme not in ("http", "https") or not url.raw_host or not port:
        raise Fault("http_redirect_bad", f"redirected to {url.scheme[:20] or 'an unknown'} scheme, not http or https")
    if ask.url.scheme == "https" and url.scheme == "http":
        trace.note("redirected from https to http")
    keeps_method = reply.status in (307, 308) or ask.method in ("GET", "HEAD")
    headers = ask.headers if url.origin() == ask.url.origin() else _without_credentials(ask.headers)
    if keeps_method and ask.body is not None and url.raw_host != ask.url.raw_host:
        raise Fault("http_redirect_bad", f"redirected to {url.host} with our body, which may hold credentials")
    if keeps_method:
        return Ask(url, ask.method, headers, ask.body)
    about_body = ("content-type", "content-length", "content-encoding")
    return Ask(url, "GET", tuple(h for h in headers if h[0].lower() not in about_body), None)


def _without_credentials(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(header for header in headers if header[0].lower() in KEPT_ABROAD)
