"""The token endpoint: how a token is asked for, and what its answers mean."""

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from ._answers import is_temporary, plain_object, retry_after
from ._binding import Answer, Request, issue_token
from ._errors import InvalidClientError, TokenError, TokenUnavailableError
from ._http import Connections, Failure, Headers, Patience
from ._secrets import Secret
from ._settings import AuthMethod, checked_secret
from ._token_cache import Token

FORM: Literal["application/x-www-form-urlencoded"] = "application/x-www-form-urlencoded"

FALLBACK_LIFETIME = 300.0
"""Seconds that a token is used for when the answer does not say how long it lives."""

LONGEST_LIFETIME = 86_400.0
"""Seconds that a token is used for at the most, whatever the answer says."""

LONGEST_WORDS = 300
"""Characters of the API's own words that an error shows."""


class Credentials(msgspec.Struct, frozen=True):
    """Who asks for a token."""

    client_id: str
    secret: Secret

    def basic(self) -> str:
        """Return both as HTTP Basic has them, form-encoded first (RFC 6749, section 2.3.1)."""
        return b64encode(f"{quote(self.client_id, safe='')}:{quote(self.secret.reveal(), safe='')}".encode()).decode()

    def masked_in(self, text: str) -> str:
        """Return a text without the secret, should it hold it in any of the spellings that leave."""
        for spelling in (_spellings(self.secret.reveal()), re.escape(self.basic())):
            text = re.sub(spelling, "***", text, flags=re.IGNORECASE)
        return text


class TokenEndpoint:
    """The token operation of one API host for one API client."""

    def __init__(
        self,
        connections: Connections,
        base_url: str,
        client_id: str,
        client_secret: Secret | Callable[[], str],
        *,
        method: AuthMethod = "client_secret_basic",
        headers: Mapping[str, str],
        patience: Patience,
    ) -> None:
        """Ask for tokens of `client_id`.

        Args:
            connections: What it is asked over.
            base_url: The API host.
            client_id: Who asks.
            client_secret: Its secret, or what returns the secret of the moment.
            method: How the credentials travel.
            headers: Sent with every request.
            patience: How long a fetch may take.
        """
        self.url = base_url + issue_token.OPERATION.path
        self.patience = patience
        self._connections = connections
        self._host = base_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._method = method
        self._headers = headers

    @property
    def rotates(self) -> bool:
        """Whether the secret can change."""
        return not isinstance(self._client_secret, Secret)

    def credentials(self) -> Credentials:
        """Return the credentials of the moment.

        Raises:
            TokenUnavailableError: The caller's function failed.
            TokenError: It returned no secret.
        """
        if isinstance(self._client_secret, Secret):
            return Credentials(self._client_id, self._client_secret)
        failure: TokenError
        try:
            secret = Secret(self._client_secret())
        except Exception as error:  # its words may hold anything, the secret included
            failure = TokenUnavailableError(f"no token: client_secret() raised {type(error).__name__}.")
        else:
            try:
                return Credentials(self._client_id, checked_secret(secret))
            except ValueError as error:
                failure = TokenError(f"no token: what client_secret() returned is no secret. {error}")
        raise failure

    def fetch(self, credentials: Credentials, asked_at: float) -> Token:
        """Ask for a token, once.

        Args:
            credentials: Who asks.
            asked_at: The time, in seconds since the epoch; the token's life counts from there.

        Raises:
            InvalidClientError: The credentials are wrong.
            TokenUnavailableError: The API failed or did not answer; a later try may succeed.
            TokenError: Any other answer, or one that holds no token.
        """
        request = self._request(credentials)
        headers = self._headers_of(request, credentials)
        ends_at = time.monotonic() + self.patience.deadline
        outcome = self._connections.transmit_at_once(request, headers, self.patience, ends_at)
        if isinstance(outcome, Failure):
            raise self._no_answer(outcome)
        return read_token(outcome, credentials, asked_at)

    def _no_answer(self, failure: Failure) -> TokenUnavailableError:
        what = f"HTTP {failure.status}, but" if failure.status else f"{self._host} gave no answer:"
        error = TokenUnavailableError(f"no token: {what} {failure.reason}.")
        error.status = failure.status
        return error

    def _request(self, credentials: Credentials) -> Request[Any]:
        if self._method == "client_secret_basic":
            return issue_token.build(grant_type="client_credentials", content_type=FORM)
        return issue_token.build(
            grant_type="client_credentials",
            content_type=FORM,
            client_id=credentials.client_id,
            client_secret=credentials.secret.reveal(),
        )

    def _headers_of(self, request: Request[Any], credentials: Credentials) -> Headers:
        headers = Headers({**self._headers, **request.headers})
        if self._method == "client_secret_basic":
            headers["Authorization"] = f"Basic {credentials.basic()}"
        return headers


def read_token(answer: Answer, credentials: Credentials, asked_at: float) -> Token:
    """Return the token of an answer.

    Args:
        answer: What the token endpoint said.
        credentials: Whose secret must not be in an error, even if the answer repeats it.
        asked_at: When it was asked, in seconds since the epoch.

    Raises:
        TokenError: As `TokenEndpoint.fetch` does.
    """
    said = plain_object(answer.content)
    if not 200 <= answer.status < 300:
        raise _refused(answer, said, credentials, asked_at)
    kind = said.get("token_type")
    if kind is not None and (not isinstance(kind, str) or kind.lower() != "bearer"):
        raise _token_error(TokenError, answer, "its token_type is not bearer")
    try:
        return Token(said.get("access_token", ""), asked_at, lifetime_of(said.get("expires_in")))
    except ValueError:
        reason = "it holds no access_token that a header can carry" if said else "its body is no JSON object"
    raise _token_error(TokenError, answer, reason)


def lifetime_of(expires_in: object) -> float:
    """Return the seconds that a token is used for, a day at the most; five minutes if its answer does not tell."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return FALLBACK_LIFETIME
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return FALLBACK_LIFETIME
    return min(seconds, LONGEST_LIFETIME) if 0 < seconds < float("inf") else FALLBACK_LIFETIME


def _refused(answer: Answer, said: Mapping[str, object], credentials: Credentials, asked_at: float) -> TokenError:
    code, words = (_words(said.get(name), credentials) for name in ("error", "error_description"))
    if is_temporary(answer.status):
        kind: type[TokenError] = TokenUnavailableError
    else:
        kind = InvalidClientError if code == "invalid_client" else TokenError
    error = _token_error(kind, answer, ": ".join(filter(None, (code, words))) or _why_unreadable(answer))
    error.error, error.error_description = code, words
    if isinstance(error, TokenUnavailableError):
        error.retry_after = retry_after(answer, asked_at) or 0.0
    return error


def _why_unreadable(answer: Answer) -> str:
    return "a redirect, which is never followed" if 300 <= answer.status < 400 else "its body is no OAuth error"


def _token_error(kind: type[TokenError], answer: Answer, reason: str) -> TokenError:
    error = kind(f"no token: HTTP {answer.status}, {reason.rstrip('.')}.")
    error.status = answer.status
    return error


def _spellings(secret: str) -> str:
    """Return a pattern of a secret each of whose characters may be spelled as it is, or as HTML, URLs and forms do."""
    return "".join(f"(?:{'|'.join(_spelled(character))})" for character in secret)


def _spelled(character: str) -> Iterator[str]:
    yield re.escape(character)
    from html import escape

    yield re.escape(escape(character))
    yield "".join(f"%(?:25)*{byte:02x}" for byte in character.encode())
    if character == " ":
        yield r"\+"


def _words(said: object, credentials: Credentials) -> str | None:
    """Return the API's words in bounds, without control characters and without the secret."""
    if not isinstance(said, str):
        return None
    text = credentials.masked_in("".join(character if character.isprintable() else " " for character in said))
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}..."
