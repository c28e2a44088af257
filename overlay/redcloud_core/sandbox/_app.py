"""The API over HTTP: a route for each path of the document, a handler for each operation that the sandbox knows."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ._answers import UNAUTHORIZED, Answer, Refusal, core_error, oauth_error
from ._control import control_routes
from ._credentials import check_grant, find_credentials
from ._fault_kinds import Hit, act
from ._faults import Faults
from ._listener import connection_of
from ._operation import Call, Operation
from ._state import State
from ._wire import positional_template, read_call, respond

TOKEN_OPERATION = "issueToken"  # noqa: S105  the name of an operation

_log = logging.getLogger("redcloud_core.sandbox")

Handler = Callable[[State, Call, Any], Any]


def _whoami(state: State, _call: Call, _body: Any) -> Any:
    return state.whoami()


def _list_numbers(state: State, _call: Call, _body: Any) -> Any:
    return state.list_numbers()


def _search_numbers(state: State, _call: Call, body: Any) -> Any:
    return state.search_numbers(body)


def _update_number(state: State, call: Call, body: Any) -> Any:
    return state.update_number(call.parameters["path", "numberId"][0], body)


def _send_message(state: State, call: Call, body: Any) -> Any:
    return state.send(call.key or "", body)


HANDLERS: Mapping[str, Handler] = {
    "whoami": _whoami,
    "listNumbers": _list_numbers,
    "searchNumbers": _search_numbers,
    "updateNumber": _update_number,
    "sendMessage": _send_message,
}


def create_app(state: State, faults: Faults, operations: list[Operation]) -> Starlette:
    """Make the ASGI application.

    Args:
        state: What the sandbox remembers.
        faults: How it misbehaves.
        operations: The operations of the API document.

    Returns:
        The application, the control routes included.
    """
    api = _Api(state, faults)
    app = Starlette(
        routes=[*control_routes(state, faults), *api.routes(operations)],
        exception_handlers={HTTPException: api.answer_unrouted, ClientDisconnect: _answer_nobody},
    )
    app.router.redirect_slashes = False
    return app


class _Api:
    """The operations of the document, over one state and one plan of faults."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults

    def routes(self, operations: list[Operation]) -> list[Route]:
        """Make a route for each path; fixed paths come before templates that would take them."""
        paths = sorted(dict.fromkeys(operation.path for operation in operations), key=_template_order)
        return [self._route(path, [operation for operation in operations if operation.path == path]) for path in paths]

    def _route(self, path: str, operations: list[Operation]) -> Route:
        by_method = {operation.method: operation for operation in operations}

        async def endpoint(request: Request) -> Response:
            # Starlette answers HEAD wherever there is GET.
            return await self._answer(by_method.get(request.method) or by_method["GET"], request)

        return Route(positional_template(path), endpoint, methods=list(by_method))

    async def _answer(self, operation: Operation, request: Request) -> Response:
        """Answer a request of the API; every answer of an operation passes here."""
        call = await read_call(request, operation.path)
        if operation.id == TOKEN_OPERATION:
            self._state.count_token_request()
        perform = partial(self._outcome, operation, call)
        fault = self._faults.take(operation.id, call.key)
        if fault is None:
            return respond(await perform())
        return await act(Hit(fault, connection_of(request), perform, partial(self._refuse, operation)))

    async def _outcome(
        self, operation: Operation, call: Call, progress: Callable[[], Awaitable[None]] | None = None
    ) -> Answer:
        """Perform an operation, or say in its own style of errors why not.

        Args:
            operation: What to perform.
            call: The request for it.
            progress: What is awaited between the checks and the act, while the key is taken.
        """
        try:
            finish = self._admit(operation, call)
            if progress:
                with self._state.processing(operation.id, call.key):
                    await progress()
            return finish()
        except Refusal as refusal:
            return self._refuse(operation, refusal)
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("%s failed", operation.id)
            return self._refuse(operation, Refusal(500, "Internal server error"))

    def _refuse(self, operation: Operation, refusal: Refusal) -> Answer:
        """Write an error in an operation's own style."""
        if operation.id == TOKEN_OPERATION:
            return oauth_error(refusal)
        return core_error(refusal, self._state.next_request_id())

    def _admit(self, operation: Operation, call: Call) -> Callable[[], Answer]:
        """Check a call in the API's order (token, parameters, body, key).

        Returns:
            What performs it; the rules that the document cannot say are checked there.
        """
        if operation.id == TOKEN_OPERATION:
            return partial(self._issue_token, operation, call)
        if operation.secured and not self._is_authorized(call):
            raise Refusal(401, UNAUTHORIZED)
        operation.check_parameters(call)
        body = operation.parse(call)
        operation.check_body(call, body)
        if operation.keyed:
            self._state.check_key(operation.id, call.key)
        return partial(self._perform, operation, call, body)

    def _perform(self, operation: Operation, call: Call, body: Any) -> Answer:
        handler = HANDLERS.get(operation.id)
        return replace(operation.success, body=handler(self._state, call, body)) if handler else operation.success

    def _is_authorized(self, call: Call) -> bool:
        scheme, _, token = (call.header("Authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and self._state.accepts_token(token.strip())

    def _issue_token(self, operation: Operation, call: Call) -> Answer:
        """Issue a token; grant and credentials have documented errors of their own, so the document comes after."""
        operation.check_parameters(call)
        body = operation.parse(call)
        check_grant(body)
        credentials = find_credentials(body, call.header("Authorization"))
        operation.check_body(call, body)
        token = self._state.issue_token(*credentials)
        return replace(operation.success, body=token, headers={"Cache-Control": "no-store"})

    async def answer_unrouted(self, _request: Request, error: Exception) -> Response:
        """Answer what matches no operation: an unknown path, or a method that its path lacks."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        message = "Route not found" if status == 404 else "Method not allowed"
        return respond(core_error(Refusal(status, message), self._state.next_request_id(), headers))


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    """End a request whose client has gone, or was cut off."""
    return Response(status_code=400)


def _template_order(path: str) -> list[bool]:
    return ["{" in segment for segment in path.split("/")]
