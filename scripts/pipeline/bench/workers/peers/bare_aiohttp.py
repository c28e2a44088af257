"""httpx on aiohttp's connections."""

import bare


def connect_async(url):
    """Give an async function that sends under a key."""
    return bare._sender(bare._client("AsyncClient", url, transport=transport()))


def transport():
    """Return aiohttp behind httpx's interface, with as many connections as the others have."""
    from httpx import Limits
    from httpx_aiohttp import AiohttpTransport

    return AiohttpTransport(limits=Limits(max_connections=bare.MOST_AT_ONCE, max_keepalive_connections=100))
