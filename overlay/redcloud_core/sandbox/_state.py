"""The state of the sandbox: tokens, numbers, accepted sends. Thread-safe, and without HTTP."""

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic
from typing import Any

from . import _seed
from ._answers import UNAUTHORIZED, Refusal
from ._json import equal_as_json
from ._rules import UNREACHABLE, changes, check_send, find_available, number_item


@dataclass(slots=True)
class Send:
    """An accepted send: what was asked under its key, and what was answered."""

    key: str
    message: dict[str, Any]
    answer: dict[str, Any]
    attempts: int = 1
    conflicts: int = 0

    def repeat(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer another request with the same key: the stored answer, or a conflict."""
        if not equal_as_json(message, self.message):
            self.conflicts += 1
            raise Refusal(409, "Idempotency-Key was already used with a different payload")
        self.attempts += 1
        return self.answer

    def entry(self) -> dict[str, Any]:
        """Write the send as the ledger lists it."""
        results = self.answer["results"]
        return {
            "key": self.key,
            "send_from": self.message["sendFrom"],
            "message_type": self.message["messageType"],
            "external_reference": self.message["externalReference"],
            "recipients": [result["to"] for result in results],
            "rejected": [error["to"] for error in self.answer["errors"]],
            "message_ids": [result["messageId"] for result in results],
            "attempts": self.attempts,
            "conflicts": self.conflicts,
        }


class State:
    """All that the sandbox remembers."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Begin with what `_seed` knows.

        Args:
            clock: Tells the time in seconds; it must never go back.
        """
        self._clock = clock
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened, tokens included."""
        with self._lock:
            self._tokens: dict[str, float] = {}
            self._lifetime = _seed.TOKEN_LIFETIME
            self._token_requests = 0
            self._numbers = {number.numberId: number for number in _seed.NUMBERS}
            self._sends: list[Send] = []
            self._by_key: dict[str, Send] = {}
            self._processed: set[tuple[str, str | None]] = set()
            self._message_count = 0
            self._request_count = 0

    def next_request_id(self) -> str:
        """Return an id that no other answer carries."""
        with self._lock:
            self._request_count += 1
            return f"req_{self._request_count:06}"

    def count_token_request(self) -> None:
        """Remember that a token was asked for, whatever becomes of it."""
        with self._lock:
            self._token_requests += 1

    def issue_token(self, client_id: str, client_secret: str) -> dict[str, Any]:
        """Issue a token.

        Raises:
            Refusal: The credentials are wrong.
        """
        if not (_same(client_id, _seed.CLIENT_ID) & _same(client_secret, _seed.CLIENT_SECRET)):
            raise Refusal(401, "Client authentication failed")
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = self._clock() + self._lifetime
            return {"access_token": token, "token_type": "bearer", "expires_in": int(self._lifetime)}

    def accepts_token(self, token: str) -> bool:
        """Tell whether a token was issued, is not revoked, and has not expired."""
        with self._lock:
            return self._clock() < self._tokens.get(token, float("-inf"))

    def set_token_lifetime(self, seconds: float) -> None:
        """Set how many seconds the tokens live that are issued from now on."""
        with self._lock:
            self._lifetime = seconds

    def revoke_tokens(self) -> None:
        """Refuse all tokens issued so far."""
        with self._lock:
            self._tokens.clear()

    def forget_keys(self) -> None:
        """Take each key as new from now on, as an API does whose retention is over; the ledger forgets nothing."""
        with self._lock:
            self._by_key.clear()

    def whoami(self) -> dict[str, Any]:
        """Describe the API client."""
        numbers = self._owned()
        return {
            "apiClientId": _seed.CLIENT_ID,
            "apiClientName": _seed.CLIENT_NAME,
            "apiClientStatus": "ACTIVE",
            "capabilities": list(_seed.CAPABILITIES),
            "assignedNumbers": {
                "total": len(numbers),
                "smsEnabledCount": sum(number.smsEnabled for number in numbers),
                "mmsEnabledCount": sum(number.mmsEnabled for number in numbers),
            },
            "inboundWebhookConfigured": True,
            "deliveryWebhookConfigured": True,
        }

    def list_numbers(self) -> dict[str, Any]:
        """List the numbers of the API client."""
        return {"numbers": [number_item(number) for number in self._owned()]}

    def search_numbers(self, filters: dict[str, str]) -> dict[str, Any]:
        """Search the inventory; what is found comes as one group."""
        found = find_available(filters)
        groups = [{"numbers": found}] if found else []
        return {
            "groups": groups,
            "providerResultCount": len(found),
            "requestedQuantity": _seed.REQUESTED_QUANTITY,
        }

    def update_number(self, number_id: str, update: dict[str, Any]) -> dict[str, Any]:
        """Change the settings of a number.

        Returns:
            The number as it is now.

        Raises:
            Refusal: There is no such number, or it belongs to another client.
        """
        with self._lock:
            number = self._numbers.get(number_id)
            if number is None:
                raise Refusal(404, "Number not found")
            if number.owner != _seed.CLIENT_ID:
                raise Refusal(403, "Number is not owned by this API client")
            self._numbers[number_id] = replace(number, **changes(update))
            return number_item(self._numbers[number_id])

    def send(self, key: str, message: dict[str, Any]) -> dict[str, Any]:
        """Accept a message once for each key; a repeat gets the stored answer, whatever the rules say by then.

        Raises:
            Refusal: A rule is broken, or the key belongs to another message.
        """
        with self._lock:
            earlier = self._by_key.get(key)
            if earlier:
                return earlier.repeat(message)
            check_send(message, self._numbers.get(message["sendFrom"]))
            accepted = self._by_key[key] = Send(key, message, self._queue(message["to"]))
            self._sends.append(accepted)
            return accepted.answer

    def check_key(self, operation: str, key: str | None) -> None:
        """Refuse a request while another one of the operation is processed under its key."""
        with self._lock:
            if key is not None and (operation, key) in self._processed:
                raise Refusal(409, "A request with this Idempotency-Key is still in progress")

    @contextmanager
    def processing(self, operation: str, key: str | None) -> Generator[None]:
        """Process a request that was checked: until it ends, no other one passes `check_key`.

        Raises:
            Refusal: All was forgotten meanwhile, and the token of the request with it.
        """
        with self._lock:
            processed = self._processed
            processed.add((operation, key))
        try:
            yield
        finally:
            with self._lock:
                processed.discard((operation, key))
        if processed is not self._processed:
            raise Refusal(401, UNAUTHORIZED)

    def ledger(self) -> dict[str, Any]:
        """Tell what happened, as `schemas/ledger.json` describes it."""
        with self._lock:
            sends = [send.entry() for send in self._sends]
            return {"token_requests": self._token_requests, "sends": sends}

    def _owned(self) -> list[_seed.Number]:
        with self._lock:
            return [number for number in self._numbers.values() if number.owner == _seed.CLIENT_ID]

    def _queue(self, recipients: list[str]) -> dict[str, Any]:
        """Sort the recipients into accepted and not accepted ones."""
        unreachable = [recipient for recipient in recipients if UNREACHABLE.fullmatch(recipient)]
        error = {"code": "INVALID_REQUEST", "message": "Recipient cannot be reached"}
        return {
            "results": [
                {"to": recipient, "messageId": self._next_message_id(), "status": "QUEUED"}
                for recipient in recipients
                if recipient not in unreachable
            ],
            "errors": [{"to": recipient, "error": error} for recipient in unreachable],
        }

    def _next_message_id(self) -> str:
        self._message_count += 1
        return f"msg_{self._message_count:06}"


def _same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return secrets.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
