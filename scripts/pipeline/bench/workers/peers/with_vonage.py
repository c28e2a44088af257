"""vonage: its own sms.send. It has no idempotency keys, and speaks https alone."""

from pipeline.bench.workers.wire import MESSAGE


def load():
    """Import the package."""
    import vonage


def connect(url):
    """Give a function that sends."""
    from vonage import Auth, HttpClientOptions, Vonage
    from vonage_sms import SmsMessage

    options = HttpClientOptions(rest_host=url.removeprefix("https://"))
    send = Vonage(Auth(api_key="key", api_secret="secret"), options).sms.send  # noqa: S106 - for loopback
    return lambda _key: send(SmsMessage(to=MESSAGE["to"][0], from_="15550001111", text=MESSAGE["text"]))
