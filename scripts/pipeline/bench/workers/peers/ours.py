"""redcloud-core: this SDK, with everything on."""

from pipeline.bench.workers.wire import CLIENT_ID, CLIENT_SECRET, MESSAGE


def load():
    """Import the package."""
    import redcloud_core


def _client(name, url):
    import redcloud_core

    settings = {}
    if url == "mock":
        from no_network import transport

        url, settings = "https://api.example.com", {"transport": transport()}
    make = getattr(redcloud_core, name)
    return make(url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, **settings)


def connect(url):
    """Give a function that sends under a key."""
    send = _client("RedCloud", url).send_message
    return lambda key: send(**MESSAGE, idempotency_key=key)


def connect_async(url):
    """Give an async function that sends under a key."""
    send = _client("AsyncRedCloud", url).send_message
    return lambda key: send(**MESSAGE, idempotency_key=key)


def encoder():
    """Give a function that makes a send of its fields and encodes it."""
    from redcloud_core.models import MessageType, SendMessageRequest, encode

    fields = {**MESSAGE, "messageType": MessageType.SMS}
    return lambda: encode(SendMessageRequest(**fields))


def number_decoder():
    """Give a function that decodes a list of numbers."""
    from redcloud_core.models import NumberList, decode

    return lambda content: decode(content, NumberList)


def result_decoder():
    """Give a function that decodes the answer to a send."""
    from redcloud_core.models import SendMessageResponse, decode

    return lambda content: decode(content, SendMessageResponse)


def header_source(url):
    """Give a function that returns the Authorization header; the seam that every call goes through."""
    tokens = _client("RedCloud", url)._tokens
    return lambda: tokens.authorization(30.0).header


def header_source_async(url):
    """Give an async function that returns the Authorization header."""
    tokens = _client("AsyncRedCloud", url)._tokens

    async def header():
        return (await tokens.authorization_async(30.0)).header

    return header


def _outbox(path):
    from redcloud_core.outbox import Outbox

    return Outbox(path)


def _batches_into(outbox):
    return lambda references: outbox.add_many({**MESSAGE, "reference": reference} for reference in references)


def adder(path):
    """Give a function that stores a message under a reference."""
    add = _outbox(path).add
    return lambda reference: add(**MESSAGE, reference=reference)


def batch_adder(path):
    """Give a function that stores a message under each of some references."""
    return _batches_into(_outbox(path))


def drainer(url, path):
    """Give a function that stores messages, and one that sends so many at once until all is sent."""
    outbox, client = _outbox(path), _client("RedCloud", url)
    return _batches_into(outbox), lambda at_once: outbox.drain(client, concurrency=at_once).accepted


def drainer_async(url, path):
    """Give a function that stores messages, and an async one that sends so many at once until all is sent."""
    outbox, client = _outbox(path), _client("AsyncRedCloud", url)

    async def drain(at_once):
        return (await outbox.drain_async(client, concurrency=at_once)).accepted

    return _batches_into(outbox), drain


def keeper(url, path):
    """Give functions that store messages, read all that are stored, and send about so many of them."""
    import threading

    outbox, client = _outbox(path), _client("RedCloud", url)

    def send(count):
        stop = threading.Event()
        outbox.run(client, stop, progress=lambda done: stop.set() if done.accepted >= count else None)

    return _batches_into(outbox), lambda: sum(1 for _ in outbox.entries()), send
