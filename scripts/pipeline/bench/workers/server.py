"""A server on loopback that answers sends as fast as Python can, so that the clients are what is measured.

It speaks just the HTTP/1.1 that the clients need: keep-alive, Content-Length, fixed answers. The first line that it
prints is its port. `GET /_counts` tells how often each path was asked for.
"""

import argparse
import asyncio
import itertools
import json
import ssl
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from pipeline.bench.workers.wire import TOKEN_PATH, answer_of

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"

_counts: Counter[str] = Counter()
_numbers = itertools.count(1)


class Conversation(asyncio.Protocol):
    """One connection: requests as they come, answers in their order."""

    token_seconds = 0.0
    """How long a token takes, as it does from a server that checks a secret."""

    _transport: asyncio.Transport
    _received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer on."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while (end := self._end_of_request()) > 0:
            head, self._received = self._received[:end], self._received[end:]
            self._answer(head.split(b" ", 2)[1].decode())

    def _end_of_request(self) -> int:
        """Return where the first request ends, 0 if it is not whole."""
        head = self._received.find(_END)
        if head < 0:
            return 0
        lower = self._received[:head].lower()
        at = lower.find(_LENGTH)
        length = int(lower[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        end = head + len(_END) + length
        return end if len(self._received) >= end else 0

    def _answer(self, path: str) -> None:
        if path == "/_counts":
            return self._write(200, json.dumps(_counts).encode())
        _counts[path] += 1
        status, body = answer_of(path, next(_numbers))
        if path == TOKEN_PATH and self.token_seconds:
            asyncio.get_running_loop().call_later(self.token_seconds, self._write, status, body)
            return None
        return self._write(status, body)

    def _write(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, len(body)) + body)


async def serve(certificate: str | None, key: str | None) -> None:
    """Serve on a free port of loopback until the process ends."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    server = await asyncio.get_running_loop().create_server(Conversation, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--token-seconds", type=float, default=0.0)
    options = parser.parse_args()
    Conversation.token_seconds = options.token_seconds
    asyncio.run(serve(options.certificate, options.key))


if __name__ == "__main__":
    main()
