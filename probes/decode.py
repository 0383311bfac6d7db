"""Bodies as text came over the wire to bytes as meant, within a cap that holds memory whatever was sent."""

from __future__ import annotations

import zlib

from probes.attempt import Fault

STEP = 65_536
GZIP_MAGIC = b"\x1f\x8b"


class Decoder:
    """Undoes one Content-Encoding; `whole` tells whether the stream was complete."""

    def __init__(self, encoding: str, cap: int) -> None:
        self._cap = cap
        self._plain = encoding in ("", "identity")
        self._gzip = encoding in ("gzip", "x-gzip")
        self._inflater = None if self._plain else zlib.decompressobj(31 if self._gzip else 15)
        self._fed = b""
        self._behind = b""
        self.body = bytearray()

    def feed(self, data: bytes) -> None:
        """Raises Fault: http_too_large beyond the cap, http_decode where the bytes are not what was said."""
        if self._inflater is None:
            self._keep(data)
            return
        try:
            self._inflate(data)
        except zlib.error as error:
            raise Fault("http_decode", f"the body is not what its Content-Encoding says: {error}") from error

    def _inflate(self, data: bytes) -> None:
        if not self._fed and not self._gzip and data[:1] and data[0] & 0x0F != 8:
            self._inflater = zlib.decompressobj(-15)  # some servers send raw deflate
        self._fed = self._fed or data[:1]
        while data and self._inflater is not None:
            if self._inflater.eof:
                self._behind += data
                if not self._gzip or self._behind[:2] != GZIP_MAGIC:
                    self._behind = self._behind[:2]  # no further member of the gzip file: read over
                    return
                data, self._behind, self._inflater = self._behind, b"", zlib.decompressobj(31)
            data = self._drain(self._inflater, data)

    def _drain(self, inflater: zlib._Decompress, data: bytes) -> bytes:
        """Inflate all of it step by step; what follows the end of the stream."""
        while True:
            step = inflater.decompress(data, STEP)
            self._keep(step)
            data = inflater.unconsumed_tail
            if inflater.eof:
                return inflater.unused_data
            if not data and len(step) < STEP:
                return b""

    def _keep(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > self._cap:
            raise Fault("http_too_large", f"the body is longer than {self._cap} bytes")

    def finish(self) -> bytes:
        """The whole body. Raises Fault where the compressed stream breaks off."""
        if self._inflater is not None and self._fed and not self._inflater.eof:
            raise Fault("http_decode", "the compressed body breaks off")
        return bytes(self.body)


def decoder(encoding: str, cap: int) -> Decoder | None:
    """The decoder of a Content-Encoding; None for one that was not asked for and is not understood."""
    name = encoding.strip().lower()
    return Decoder(name, cap) if name in ("", "identity", "gzip", "x-gzip", "deflate") else None
