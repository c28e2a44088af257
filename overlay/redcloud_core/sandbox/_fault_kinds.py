"""What each kind of fault does to a request of the API; which request is hit, `_faults` decides."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ._answers import Answer, Refusal
from ._faults import Fault
from ._listener import Connection
from ._wire import respond

BODILESS = frozenset({204, 304})
"""The statuses whose answers have no body."""

GARBAGE = b"<!doctype html>\n<title>Bad Gateway</title>\n<h1>The server is on a break</h1>\n"


@dataclass(frozen=True, slots=True)
class Hit:
    """A request of the API that a fault acts on."""

    fault: Fault
    connection: Connection
    perform: Callable[[], Answer]
    """Performs the operation."""
    refuse: Callable[[Refusal], Answer]
    """Writes an error in the operation's own style."""


async def act(hit: Hit) -> Response:
    """Answer a request as its fault has it."""
    return await KINDS[hit.fault["kind"]](hit)


async def _status(hit: Hit) -> Response:
    """Answer with a status, without performing the operation."""
    status = int(hit.fault["status"])
    answer = hit.refuse(Refusal(status, "The sandbox was told to answer this"))
    headers = MutableHeaders(answer.headers)
    headers.update(hit.fault.get("headers", {}))
    answer = replace(answer, headers=headers, empty=status in BODILESS)
    if "body" not in hit.fault:
        return respond(answer)
    body = hit.fault["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    # A lone surrogate becomes bytes that are not UTF-8: a client must be ready for those, too.
    return respond(replace(answer, content=content.encode("utf-8", "surrogatepass")))


async def _slow(hit: Hit) -> Response:
    """Perform the operation, and answer later."""
    response = respond(hit.perform())
    await hit.connection.hold(hit.fault["seconds"])
    return response


async def _garbage(hit: Hit) -> Response:
    """Perform the operation, and answer with a body that is not JSON."""
    return respond(replace(hit.perform(), content=GARBAGE.ljust(int(hit.fault.get("bytes", 0)))))


async def _cut_body(hit: Hit) -> Response:
    """Perform the operation, and break off in the middle of the answer."""
    return _CutResponse(respond(hit.perform()), hit.connection)


async def _expires_in(hit: Hit) -> Response:
    """Issue a token, and lie about its lifetime."""
    answer = hit.perform()
    if answer.status >= 300:
        return respond(answer)
    token = {name: value for name, value in answer.body.items() if name != "expires_in"}
    if "value" in hit.fault:
        token["expires_in"] = hit.fault["value"]
    content = json.dumps(token)
    if "literal" in hit.fault:
        content = f'{content.removesuffix("}")}, "expires_in": {hit.fault["literal"]}}}'
    return respond(replace(answer, content=content.encode("utf-8", "surrogatepass")))


KINDS: Mapping[str, Callable[[Hit], Awaitable[Response]]] = {
    "status": _status,
    "slow": _slow,
    "garbage": _garbage,
    "cut_body": _cut_body,
    "expires_in": _expires_in,
}
"""All kinds but `refuse`, which is no matter of a request."""


class _CutResponse(Response):
    """An answer of which only the first half of the body is sent."""

    def __init__(self, whole: Response, connection: Connection) -> None:
        super().__init__(whole.body, whole.status_code, whole.headers)
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await self._connection.cut()
