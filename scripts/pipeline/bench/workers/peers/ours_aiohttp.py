"""redcloud-core on aiohttp's connections."""

from bare_aiohttp import transport

from pipeline.bench.workers.wire import CLIENT_ID, CLIENT_SECRET, MESSAGE


def connect_async(url):
    """Give an async function that sends under a key."""
    import httpx

    from redcloud_core import AsyncRedCloud

    client = AsyncRedCloud(
        url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        transport=transport(),
        token_transport=httpx.HTTPTransport(),
    )
    return lambda key: client.send_message(**MESSAGE, idempotency_key=key)
