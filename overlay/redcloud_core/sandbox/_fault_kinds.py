"""What each kind of fault does to a request of the API; which request is hit, `_faults` decides."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ._answers import Answer, Refusal
from ._faults import Fault
from ._json import Json
from ._listener import Connection
from ._wire import respond

BODILESS = frozenset({204, 304})
"""The statuses whose answers have no body."""

GARBAGE = b"<!doctype html>\n<title>Bad Gateway</title>\n<h1>The server is on a break</h1>\n"


class Perform(Protocol):
    """Performs an operation."""

    def __call__(self, progress: Callable[[], Awaitable[None]] | None = None, /) -> Awaitable[Answer]:
        """Perform it; what `progress` waits for comes after the checks, and the key is taken meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A request of the API that a fault acts on."""

    fault: Fault
    connection: Connection
    perform: Perform
    refuse: Callable[[Refusal], Answer]
    """Writes an error in the operation's own style."""


async def act(hit: Hit) -> Response:
    """Answer a request as its fault has it."""
    return await KINDS[hit.fault["kind"]](hit)


async def _none(hit: Hit) -> Response:
    """Perform the operation, and nothing else."""
    return respond(await hit.perform())


async def _status(hit: Hit) -> Response:
    """Answer with a status, without performing the operation or in place of its success."""
    if hit.fault.get("when") == "after":
        answer = await hit.perform()
        if not answer.succeeds:
            return respond(answer)
    return respond(_planned_answer(hit))


def _planned_answer(hit: Hit) -> Answer:
    """Write the answer that a fault of the kind `status` describes."""
    status = int(hit.fault["status"])
    answer = hit.refuse(Refusal(status, "The sandbox was told to answer this"))
    headers = MutableHeaders(answer.headers)
    headers.update(hit.fault.get("headers", {}))
    answer = replace(answer, headers=headers, empty=status in BODILESS)
    if "body" not in hit.fault:
        return answer
    body = hit.fault["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    # A lone surrogate becomes bytes that are not UTF-8: a client must be ready for those, too.
    return replace(answer, content=content.encode("utf-8", "surrogatepass"))


async def _slow(hit: Hit) -> Response:
    """Perform the operation, and answer later; or perform it later."""
    if hit.fault.get("when") == "before":
        await hit.connection.delay(hit.fault["seconds"])
        return respond(await hit.perform())
    response = respond(await hit.perform())
    await hit.connection.hold(hit.fault["seconds"])
    return response


async def _in_progress(hit: Hit) -> Response:
    """Take so long for the operation that a repeat can find it unfinished."""
    return respond(await hit.perform(partial(hit.connection.delay, hit.fault["seconds"])))


async def _drop_before(hit: Hit) -> Response:
    """End the connection, without performing the operation."""
    return await hit.connection.drop()


async def _drop_after(hit: Hit) -> Response:
    """Perform the operation, and end the connection in place of its success."""
    answer = await hit.perform()
    return await hit.connection.drop() if answer.succeeds else respond(answer)


async def _garbage(hit: Hit) -> Response:
    """Perform the operation, and answer with a body that is not JSON."""
    return respond(replace(await hit.perform(), content=GARBAGE.ljust(int(hit.fault.get("bytes", 0)))))


async def _cut_body(hit: Hit) -> Response:
    """Perform the operation, and break off in the middle of the answer."""
    return _CutResponse(respond(await hit.perform()), hit.connection)


async def _drift(hit: Hit) -> Response:
    """Perform the operation, and answer its success in another shape."""
    answer = await hit.perform()
    if not answer.succeeds:
        return respond(answer)
    return respond(replace(answer, body=hit.fault.get("body", _drifted(answer.body))))


def _drifted(body: Json) -> Json:
    """Make of each string the number of its characters."""
    if isinstance(body, dict):
        return {name: _drifted(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_drifted(value) for value in body]
    return len(body) if isinstance(body, str) else body


async def _expires_in(hit: Hit) -> Response:
    """Issue a token, and lie about its lifetime."""
    answer = await hit.perform()
    if not answer.succeeds:
        return respond(answer)
    token = {name: value for name, value in answer.body.items() if name != "expires_in"}
    if "value" in hit.fault:
        token["expires_in"] = hit.fault["value"]
    content = json.dumps(token)
    if "literal" in hit.fault:
        content = f'{content.removesuffix("}")}, "expires_in": {hit.fault["literal"]}}}'
    return respond(replace(answer, content=content.encode("utf-8", "surrogatepass")))


KINDS: Mapping[str, Callable[[Hit], Awaitable[Response]]] = {
    "none": _none,
    "status": _status,
    "slow": _slow,
    "in_progress": _in_progress,
    "drop_before": _drop_before,
    "drop_after": _drop_after,
    "garbage": _garbage,
    "cut_body": _cut_body,
    "drift": _drift,
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
