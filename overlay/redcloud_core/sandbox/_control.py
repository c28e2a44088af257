"""The control routes: what a test in any language asks and tells the sandbox, beside the API."""

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ._answers import Answer
from ._faults import Faults
from ._json import NotJSONError, Schema, parse_json
from ._listener import connection_of, server_of
from ._operation import BODY_LIMIT
from ._state import State
from ._wire import read_content, respond

NO_CONTENT = Answer(204, empty=True)


@cache
def schema(name: str) -> Schema:
    """Compile the JSON Schema of a control route's body.

    Args:
        name: The name of a file in `schemas/`, without its ending.
    """
    text = files("redcloud_core.sandbox").joinpath("schemas", f"{name}.json").read_text(encoding="utf-8")
    return Schema(json.loads(text))


def control_routes(state: State, faults: Faults) -> list[Route]:
    """Make the routes under `/_sandbox`."""

    async def ledger(_request: Request) -> Response:
        return respond(Answer(200, state.ledger()))

    async def reset(_request: Request) -> Response:
        state.reset()
        faults.clear()
        return respond(NO_CONTENT)

    async def tokens(request: Request) -> Response:
        return respond(_set_tokens(state, await read_content(request)))

    async def keys(request: Request) -> Response:
        return respond(_set_keys(state, await read_content(request)))

    async def plan_fault(request: Request) -> Response:
        return respond(await _plan_fault(faults, request))

    async def clear_faults(_request: Request) -> Response:
        faults.clear()
        return respond(NO_CONTENT)

    return [
        Route("/_sandbox/faults", plan_fault, methods=["POST"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/keys", keys, methods=["POST"]),
        Route("/_sandbox/ledger", ledger, methods=["GET"]),
        Route("/_sandbox/reset", reset, methods=["POST"]),
        Route("/_sandbox/tokens", tokens, methods=["POST"]),
    ]


def _set_tokens(state: State, content: bytes) -> Answer:
    try:
        wish = read_body("tokens", content)
    except ValueError as error:
        return Answer(400, {"error": str(error)})
    if "lifetime" in wish:
        state.set_token_lifetime(wish["lifetime"])
    if wish.get("revoke"):
        state.revoke_tokens()
    return NO_CONTENT


def _set_keys(state: State, content: bytes) -> Answer:
    try:
        read_body("keys", content)
    except ValueError as error:
        return Answer(400, {"error": str(error)})
    state.forget_keys()
    return NO_CONTENT


async def _plan_fault(faults: Faults, request: Request) -> Answer:
    try:
        fault = read_body("faults", await read_content(request))
        if fault.get("kind") != "refuse":
            faults.add(fault)
            return NO_CONTENT
    except ValueError as error:
        return Answer(400, {"error": str(error)})
    await server_of(request).refuse(fault["seconds"], spared=connection_of(request))
    return replace(NO_CONTENT, headers={"Connection": "close"})


def read_body(name: str, content: bytes, what: str = "request body") -> dict[str, Any]:
    """Read the body of a control route.

    Args:
        name: The name of the schema that it must fit.
        content: The body as it came.
        what: What errors call it.

    Returns:
        The body as plain data.

    Raises:
        ValueError: The body is too large, not JSON, or does not fit its schema.
    """
    if len(content) > BODY_LIMIT:
        raise ValueError(f"The {what} is larger than {BODY_LIMIT} bytes.")
    try:
        body: dict[str, Any] = parse_json(content)
    except NotJSONError as error:
        raise ValueError(f"The {what} is {error}.") from None
    problem = schema(name).problem(body)
    if problem:
        raise ValueError(f"The {what} is invalid: {problem}.")
    return body
