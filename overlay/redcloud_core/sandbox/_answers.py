"""What the API answers: bodies of success, and the two contracts of errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CORE_CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    500: "SERVER_ERROR",
    502: "UPSTREAM_ERROR",
}
UNAUTHORIZED = "Invalid or missing bearer token"
OAUTH_CODES = {400: "invalid_request", 401: "invalid_client", 500: "server_error"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it becomes HTTP.

    `body` is JSON. In its place `content` is sent where it is given, and nothing at all where `empty` says so.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    empty: bool = False
    content: bytes | None = None

    @property
    def succeeds(self) -> bool:
        """Whether the operation was performed."""
        return self.status < 300


class Refusal(Exception):
    """The request breaks a rule; `code` is given only where the status does not decide it."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


def core_error(refusal: Refusal, request_id: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer a refusal in the CORE wrapper, as every `/api/core` route does."""
    code = refusal.code or _code(CORE_CODES, refusal.status)
    error: dict[str, Any] = {"code": code, "message": refusal.message, "details": {}}
    challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    return Answer(refusal.status, {"error": error, "requestId": request_id}, {**challenge, **(headers or {})})


def oauth_error(refusal: Refusal) -> Answer:
    """Answer a refusal in OAuth style, as the token operation alone does."""
    code = refusal.code or _code(OAUTH_CODES, refusal.status)
    challenge = {"WWW-Authenticate": 'Basic realm="redcloud"'} if refusal.status == 401 else {}
    return Answer(refusal.status, {"error": code, "error_description": refusal.message}, challenge)


def _code(codes: Mapping[int, str], status: int) -> str:
    """Find the code of a status, or that of the general error on the same side."""
    return codes.get(status) or codes[500 if status >= 500 else 400]
