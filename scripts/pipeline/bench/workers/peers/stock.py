"""What openapi-python-client makes of the same document with its own templates."""

from pipeline.bench.workers.wire import CLIENT_ID, CLIENT_SECRET, MESSAGE


def load():
    """Import the package, as far as a send needs it."""
    import stock_client
    import stock_client.api.core.send_message


def _client(url):
    """Return a client that has a token; it shares its TLS context with the one that got it: making one takes long."""
    from stock_client import AuthenticatedClient, Client
    from stock_client.api.authentication import issue_token
    from stock_client.models import TokenForm

    context = True
    if url.startswith("https"):
        import httpx

        context = httpx.create_ssl_context()
    form = TokenForm(grant_type="client_credentials", client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    token = issue_token.sync(client=Client(base_url=url, verify_ssl=context), body=form).access_token
    return AuthenticatedClient(base_url=url, token=token, verify_ssl=context)


def _mocked():
    import httpx
    from no_network import transport
    from stock_client import AuthenticatedClient

    from pipeline.bench.workers.wire import TOKEN

    url = "https://api.example.com"
    settings = {"base_url": url, "transport": transport(), "headers": {"Authorization": "Bearer " + TOKEN}}
    client = AuthenticatedClient(base_url=url, token=TOKEN)
    client.set_httpx_client(httpx.Client(**settings))
    client.set_async_httpx_client(httpx.AsyncClient(**settings))
    return client


def _connected(url):
    return _mocked() if url == "mock" else _client(url)


def connect(url):
    """Give a function that sends under a key."""
    from stock_client.api.core import send_message

    client = _connected(url)
    make = _maker()
    return lambda key: send_message.sync(client=client, body=make(), idempotency_key=key)


def connect_async(url):
    """Give an async function that sends under a key."""
    from stock_client.api.core import send_message

    client = _connected(url)
    make = _maker()
    return lambda key: send_message.asyncio(client=client, body=make(), idempotency_key=key)


def _maker():
    from stock_client.models import MessageType, SendMessageRequest

    return lambda: SendMessageRequest(
        send_from=MESSAGE["sendFrom"],
        to=MESSAGE["to"],
        message_type=MessageType.SMS,
        text=MESSAGE["text"],
        external_reference=MESSAGE["externalReference"],
    )


def encoder():
    """Give a function that makes a send of its fields and encodes it."""
    import json

    make = _maker()
    return lambda: json.dumps(make().to_dict()).encode()


def number_decoder():
    """Give a function that decodes a list of numbers."""
    import json

    from stock_client.models import NumberList

    return lambda content: NumberList.from_dict(json.loads(content))


def result_decoder():
    """Give a function that decodes the answer to a send."""
    import json

    from stock_client.models import SendMessageResponse

    return lambda content: SendMessageResponse.from_dict(json.loads(content))
