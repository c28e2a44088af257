"""telnyx: its own messages.send."""

from pipeline.bench.workers.wire import MESSAGE


def load():
    """Import the package."""
    import telnyx


def connect(url):
    """Give a function that sends under a key."""
    from telnyx import Telnyx

    send = Telnyx(api_key="KEY0", base_url=url + "/v2").messages.send
    return lambda key: send(
        to=MESSAGE["to"][0], from_="+15550001111", text=MESSAGE["text"], type="SMS", idempotency_key=key
    )


def connect_async(url):
    """Give an async function that sends under a key."""
    from telnyx import AsyncTelnyx

    send = AsyncTelnyx(api_key="KEY0", base_url=url + "/v2").messages.send
    return lambda key: send(
        to=MESSAGE["to"][0], from_="+15550001111", text=MESSAGE["text"], type="SMS", idempotency_key=key
    )
