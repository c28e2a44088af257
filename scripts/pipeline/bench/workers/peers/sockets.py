"""Sockets alone, with bytes that are ready: what the server can do, and nobody else."""

import asyncio
from urllib.parse import urlsplit

from pipeline.bench.workers.wire import MESSAGE, SEND_PATH


def connect_async(url):
    """Give an async function that sends; every send takes a connection that is free, or makes one."""
    import json

    body = json.dumps(MESSAGE).encode()
    request = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (SEND_PATH.encode(), len(body)) + body
    port, free = urlsplit(url).port, []

    async def send(_key):
        connection = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
        reader, writer = connection
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
        free.append(connection)

    return send
