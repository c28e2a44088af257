"""twilio: its own messages.create. It has no idempotency keys, and no option for another host but an HTTP client."""

from pipeline.bench.workers.wire import MESSAGE


def load():
    """Import the package, and the name that every program of it begins with."""
    from twilio.rest import Client


def connect(url):
    """Give a function that sends."""
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class ToLoopback(TwilioHttpClient):
        def request(self, method, uri, *args, **kwargs):
            return super().request(method, uri.replace("https://api.twilio.com", url), *args, **kwargs)

    create = Client("AC" + "0" * 32, "secret", http_client=ToLoopback()).messages.create
    return lambda _key: create(to=MESSAGE["to"][0], from_="+15550001111", body=MESSAGE["text"])
