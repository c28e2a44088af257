"""A transport that answers without a network, for what is built on httpx."""

import itertools

from pipeline.bench.workers.wire import answer_of

_JSON = {"content-type": "application/json"}


def transport():
    """Return one that serves sync and async clients."""
    import httpx

    numbers = itertools.count(1)

    def answer(request):
        status, body = answer_of(request.url.path, next(numbers))
        return httpx.Response(status, headers=_JSON, content=body)

    return httpx.MockTransport(answer)
