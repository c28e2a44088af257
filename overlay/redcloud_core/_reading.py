"""Reading an answer, against a limit of bytes and a clock, and what the HTTP library's failures mean."""

import os
import ssl
import time
import zlib
from collections.abc import Iterator
from typing import Any

from ._binding import httpx

MOST_BYTES = 8 * 1024 * 1024
"""Bytes that an answer may have after decompression."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_ANY_ZLIB = 32 + zlib.MAX_WBITS  # with the head of gzip or of zlib


class Body:
    """A body as it is read, against a limit of bytes and a clock."""

    def __init__(self, ends_at: float) -> None:
        self.began = time.monotonic()
        self.problem: str | None = None
        self.unsent = False
        self.ends_at = ends_at
        self._inflater: Any = None
        self._content = bytearray()
        self.is_whole = False
        """Whether it came to its end, so that the connection is good for another."""

    @property
    def content(self) -> bytes:
        """What has been read."""
        return bytes(self._content)

    def begins(self, got: httpx.Response) -> bool:
        """Note how the body is compressed; tell whether it is whole already, as transports for tests give it.

        It is inflated here and not by the HTTP library, because a small body may hold a huge one.
        """
        if got.is_stream_consumed:
            self.takes(got.content)
            return True
        encoding = got.headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._inflater = zlib.decompressobj(_ANY_ZLIB)
        elif encoding != "identity":
            self.problem = "the body is compressed in a way that was not asked for"
        return self.problem is not None

    def takes(self, chunk: bytes) -> bool:
        """Add a chunk; tell whether to go on reading."""
        try:
            inflated = chunk if self._inflater is None else self._inflater.decompress(chunk, self._room)
        except zlib.error:
            self.problem = "the compressed body is damaged"
            return False
        self._content += inflated
        if self._room <= 0:
            self.problem = f"the body is over {MOST_BYTES // 1024 // 1024} MiB"
        elif time.monotonic() > self.ends_at:
            self.problem = "the deadline passed while the body was read"
        return self.problem is None

    def ends(self) -> None:
        """Note that nothing more comes; a compressed body may be cut all the same."""
        if self.problem is None and self._inflater is not None and not self._inflater.eof:
            self.problem = "the compressed body is cut"
        self.is_whole = self.problem is None

    def fails(self, error: httpx.RequestError, read_timeout: float) -> None:
        """Note that the HTTP library gave up, in words that hold nothing of the request."""
        self.unsent = isinstance(error, _UNSENT)
        if isinstance(error, httpx.ReadTimeout) and time.monotonic() < self.ends_at:
            self.problem = f"no byte came for {read_timeout:g} s (ReadTimeout)"
        elif isinstance(error, httpx.TimeoutException) and time.monotonic() >= self.ends_at:
            self.problem = f"the deadline passed ({type(error).__name__})"
        else:
            self.problem = " ".join([type(error).__name__, *_system_errors(error)])

    @property
    def _room(self) -> int:
        return MOST_BYTES + 1 - len(self._content)


def _system_errors(error: BaseException | None) -> Iterator[str]:
    """Yield what the system said, of the causes of an error: their texts hold nothing of the request."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            yield f"({getattr(error, 'verify_message', '') or error.reason or 'TLS failed'})"
            return
        if isinstance(error, OSError) and error.strerror:
            number = error.errno or 0
            text = os.strerror(number) if number > 0 else error.strerror  # asyncio puts addresses into its own
            yield f"(errno {number}: {text})"
            return
        error = error.__cause__ or error.__context__
