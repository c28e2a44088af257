"""httpx alone: the same requests with the same headers, and the JSON of the answer; no retries, no checks."""

import threading

from pipeline.bench.workers.wire import CLIENT_ID, CLIENT_SECRET, MESSAGE, SEND_PATH, TOKEN, TOKEN_PATH

MOST_AT_ONCE = 100  # as many connections as redcloud-core has


def load():
    """Import the package."""
    import httpx


def _client(kind, url, **settings):
    import httpx

    if url == "mock":
        from no_network import transport

        url, settings = "https://api.example.com", {"transport": transport()}
    limits = httpx.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=MOST_AT_ONCE)
    return getattr(httpx, kind)(base_url=url, limits=limits, **settings)


def _headers(key):
    return {"Authorization": "Bearer " + TOKEN, "Idempotency-Key": key}


def _token_of(client):
    form = {"grant_type": "client_credentials"}
    return client.post(TOKEN_PATH, auth=(CLIENT_ID, CLIENT_SECRET), data=form).json()["access_token"]


def connect(url):
    """Give a function that sends under a key; a token is asked for before, as redcloud-core must."""
    client = _client("Client", url)
    _token_of(client)
    return lambda key: client.post(SEND_PATH, json=MESSAGE, headers=_headers(key)).json()


def connect_async(url):
    """Give an async function that sends under a key."""
    return _sender(_client("AsyncClient", url))


def _sender(client):
    async def send(key):
        return (await client.post(SEND_PATH, json=MESSAGE, headers=_headers(key))).json()

    return send


def header_source(url):
    """Give a function that returns the Authorization header, as people write it: a lock, and a token that is kept."""
    client, lock, kept = _client("Client", url), threading.Lock(), []

    def header():
        with lock:
            if not kept:
                kept.append("Bearer " + _token_of(client))
            return kept[0]

    return header


def header_source_async(url):
    """Give an async function that returns the Authorization header."""
    import asyncio

    client, lock, kept = _client("AsyncClient", url), asyncio.Lock(), []

    async def header():
        async with lock:
            if not kept:
                form = {"grant_type": "client_credentials"}
                answer = await client.post(TOKEN_PATH, auth=(CLIENT_ID, CLIENT_SECRET), data=form)
                kept.append("Bearer " + answer.json()["access_token"])
            return kept[0]

    return header
