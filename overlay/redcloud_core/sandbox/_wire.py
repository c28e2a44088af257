"""Between Starlette's requests and responses and the plain records that everything else works on."""

import json
import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from ._answers import Answer
from ._operation import BODY_LIMIT, Call, is_json


def positional_template(path: str) -> str:
    """Name the parameters of a path by position, since Starlette refuses names such as `a-b`."""
    for position, name in enumerate(_template_names(path)):
        path = path.replace(f"{{{name}}}", f"{{p{position}}}")
    return path


async def read_call(request: Request, path: str) -> Call:
    """Read a request whole.

    Args:
        request: A request that was routed by `positional_template(path)`.
        path: The path as the document writes it.

    Returns:
        The request as a plain record.
    """
    parameters: dict[tuple[str, str], list[str]] = {}
    for position, name in enumerate(_template_names(path)):
        parameters["path", name] = [request.path_params[f"p{position}"]]
    pairs = {
        "query": request.query_params.multi_items(),
        "header": request.headers.items(),
        "cookie": list(request.cookies.items()),
    }
    for place, items in pairs.items():
        for name, value in items:
            parameters.setdefault((place, name), []).append(value)
    return Call(parameters, await read_content(request))


async def read_content(request: Request) -> bytes:
    """Read a body to its end, but keep no more of it than shows that it is larger than `BODY_LIMIT`."""
    content = bytearray()
    # What is too large is read on all the same: a client that is still writing would not see the answer.
    async for chunk in request.stream():
        content += chunk[: BODY_LIMIT + 1 - len(content)]
    return bytes(content)


def respond(answer: Answer) -> Response:
    """Write an answer as HTTP."""
    if answer.empty:
        return Response(status_code=answer.status, headers=answer.headers)
    headers = MutableHeaders(answer.headers)
    media_type = headers.setdefault("Content-Type", "application/json")
    if answer.content is not None:
        return Response(answer.content, answer.status, headers)
    return Response(json.dumps(answer.body) if is_json(media_type) else str(answer.body), answer.status, headers)


def _template_names(path: str) -> list[str]:
    return re.findall(r"\{([^}]+)\}", path)
