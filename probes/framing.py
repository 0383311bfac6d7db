"""Reads the frame of an HTTP/1 reply before aiohttp's parser does, to hold it to rules the parser leaves open.

Marks the first and the last byte. Refuses what is no sound reply (two lengths in conflict, endless interim
answers, an unasked protocol switch, an endless head), and keeps bytes behind the end of the body away from the
parser, which would take them for a second reply: those are a note, not a fault.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import Any

from aiohttp import StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError

from probes.attempt import Fault, Trace

MAX_HEAD_BYTES = 65_536
MAX_INTERIM = 100
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.[0-9] +([0-9]{3})(?:[ \r\n]|$)")
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CODING = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Framing(ResponseHandler):
    """The protocol of one fresh connection: one reply, then nothing more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trace: Trace, *, method: str) -> None:
        super().__init__(loop)
        self._trace = trace
        self._method = method
        self._head = b""
        self._in_head = True
        self._interim = 0
        self._left: int | None = None  # bytes of the body still to come; None: it is told by other means
        self._until_close = False  # the end of the connection is the end of the body
        self._refused = False

    async def ask(self, request: bytes) -> tuple[RawResponseMessage, StreamReader]:
        """Send it; the head of the final reply, and its body as it comes. Raises what the parser or the end says."""
        self.set_response_params(skip_payload=self._method == "HEAD", read_until_eof=True, auto_decompress=False)
        if self.transport is not None:  # else it is over already, and reading says how it ended
            self.transport.write(request)
        return await self.read()

    def finish(self) -> None:
        """The reply is read: say goodbye, which TLS does in words, and wait for no answer to it."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            self.transport.abort()

    async def leave(self) -> None:
        """Cut what was not finished now: a closing handshake with a broken server could outlive the attempt.

        An aborted transport closes its socket in the next turn of the loop.
        """
        if self.transport is not None and not self.transport.is_closing():
            self.transport.abort()
            await asyncio.sleep(0)

    def data_received(self, data: bytes) -> None:
        self._trace.mark_bytes(len(data))
        if self._refused:
            return
        try:
            self._take(data)
        except Fault as fault:
            self._refused = True
            self.set_exception(fault)
            if self.transport is not None:
                self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._trace.lost = exc
        if exc is None and self._until_close and not self._said_goodbye():
            self.set_exception(Fault("http_truncated", "the connection was cut before TLS said goodbye"))
        super().connection_lost(exc)

    def _said_goodbye(self) -> bool:
        """Whether TLS closed the stream. Without that anybody on the way may have cut the body, unnoticed."""
        tls = None if self.transport is None else self.transport.get_extra_info("ssl_object")
        if tls is None:
            return True
        try:
            return not tls.read(1)
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError:
            return False

    def set_exception(self, exc: Any, *cause: Any) -> None:
        """The reader of a body under way learns of it, too; aiohttp tells only who waits for the next head."""
        if self._payload is not None and not self._payload.is_eof():
            malformed = Fault("http_protocol", "the body is malformed")
            self._payload.set_exception(malformed if isinstance(exc, HttpProcessingError) else exc)
        super().set_exception(exc, *cause)

    def _take(self, data: bytes) -> None:
        while self._in_head:
            self._head += data
            end = _END_OF_HEAD.search(self._head)
            if end is None:
                if len(self._head) > MAX_HEAD_BYTES:
                    raise Fault("http_too_large", f"the headers are longer than {MAX_HEAD_BYTES} bytes")
                self._refuse_foreign(self._head)
                return
            head, data = self._head[: end.end()], self._head[end.end() :]
            self._head = b""
            self._judge_head(head)
            if self._in_head:
                if not data:
                    return
                continue
            self._pass(head, data)
            return
        self._pass(b"", data)

    def _refuse_foreign(self, start: bytes) -> None:
        """Bytes that cannot become a status line are refused without waiting for the end of a head."""
        if start[:5] != b"HTTP/"[: len(start[:5])]:
            raise Fault("http_protocol", "the answer is not HTTP/1")

    def _judge_head(self, head: bytes) -> None:
        found = _STATUS.match(head)
        if found is None or found[1] < b"100":
            raise Fault("http_protocol", "the answer does not begin with an HTTP/1 status line")
        status = int(found[1])
        if status == 101:
            raise Fault("http_protocol", "the server switched protocols without being asked")
        if status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise Fault("timeout_total", f"more than {MAX_INTERIM} interim answers (1xx) and no final one")
            return
        self._in_head = False
        self._left = self._body_length(head, status)

    def _body_length(self, head: bytes, status: int) -> int | None:
        lengths = set(_LENGTH.findall(head))
        if lengths and _CODING.search(head):
            raise Fault("http_protocol", "Content-Length and Transfer-Encoding contradict each other")
        if len(lengths) > 1 or any(not length.isdigit() for length in lengths):
            raise Fault("http_protocol", "the Content-Length is no single number")
        if self._method == "HEAD" or status in (204, 304):
            return 0
        self._until_close = not lengths and not _CODING.search(head)
        return int(lengths.pop()) if lengths else None

    def _pass(self, head: bytes, data: bytes) -> None:
        """To the parser, the head together with as much of the body as came with it."""
        if self._left is not None:
            if len(data) > self._left:
                self._trace.note("bytes after the end of the body")
                data = data[: self._left]
            self._left -= len(data)
        if head or data:
            super().data_received(head + data)
