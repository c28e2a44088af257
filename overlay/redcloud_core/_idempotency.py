"""Idempotency keys: how they are made and what they may look like; and what a client remembers of those it used."""

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Self

from ._binding import UNSET, Request, Violation
from ._errors import InvalidCallError
from ._forks import forget_after_fork

KEY_HEADER = "Idempotency-Key"

LONGEST_KEY = 255
"""Characters that a caller's key may have, as for Stripe's; no limit of this API is documented."""

KEYS_REMEMBERED = 10_000
"""How many of its keys a client remembers, the latest ones."""

PREFIX = "rc1-"
"""What a derived key begins with; the number is that of the algorithm."""

DIGITS = 40
"""Hexadecimal digits of a derived key: 160 bits."""


class IdempotencyKey(str):
    """Names one business operation, such as one send: repeated under the same key, it happens once.

    A plain string does as well; this class makes good ones, and checks at once what a client would check when it sends:
    printable ASCII without blanks at its ends, 1 to 255 characters.

    Raises:
        InvalidCallError: It breaks one of these rules.
    """

    __slots__ = ()

    def __new__(cls, key: str) -> Self:
        """Check a key."""
        return super().__new__(cls, checked_key(key))

    @classmethod
    def derive(cls, *parts: str | int, namespace: str = "") -> Self:
        """Return the key that the same parts give everywhere, in every process and every language.

        The algorithm, version 1. Each text is written as its length in bytes of UTF-8, in decimal digits, a colon, and
        those bytes: `5:order`. An integer is the text of its decimal digits, with a minus sign if it is negative, so
        that 7 and "7" are the same part. The namespace comes first, then the parts in their order. The key is `rc1-`
        and the first 40 hexadecimal digits, in lower case, of the SHA-256 of all that. `python -m redcloud_core.export`
        writes examples: `vectors/idempotency.json`.

        Args:
            parts: What tells this operation from all others, such as `"order", 789, "shipped"`. Texts are taken as they
                are: "Zoë" in two spellings of Unicode gives two keys.
            namespace: Keeps apart what has the same parts, such as two services.

        Returns:
            A key of 44 characters.

        Raises:
            TypeError: A part is neither a text nor an integer.
            ValueError: There is no part, or a text holds half of a surrogate pair.
        """
        if not parts:
            raise ValueError("derive() needs at least one part: what tells this operation from all others")
        texts = [_text_of("namespace", namespace)]
        texts += [_text_of(f"part {number}", part) for number, part in enumerate(parts, start=1)]
        return cls(PREFIX + hashlib.sha256(b"".join(map(_delimited, texts))).hexdigest()[:DIGITS])

    @classmethod
    def random(cls) -> Self:
        """Return a key that was never used: store it before the first attempt, or a crash forgets it."""
        return cls(f"rc-{secrets.token_hex(DIGITS // 2)}")


def checked_key(key: str) -> str:
    """Return a key, as a plain string.

    Raises:
        InvalidCallError: It breaks a rule, which is named.
    """
    problem = _problem_of(key)
    if problem is not None:
        raise InvalidCallError.at("idempotency_key", problem)
    return str(key)


def with_plain_key(arguments: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Violation, ...]]:
    """Check the key among the arguments of an operation, if it takes one.

    Returns:
        The arguments with the key as a plain string, one that stands in for it if it breaks a rule; and which one.
    """
    key = arguments.get("idempotency_key", UNSET)
    if key is UNSET:
        return arguments, ()
    problem = _problem_of(key)
    if problem is not None:
        return {**arguments, "idempotency_key": "key"}, (Violation("idempotency_key", problem),)
    return {**arguments, "idempotency_key": str(key)}, ()


class Doubt:
    """Whether attempts under a key may have been received: what a client knows of one key."""

    def __init__(self, digest: bytes = b"") -> None:
        """Begin without any, for the payload with this digest."""
        self.digest = digest
        self._attempts: list[None] = []  # grows and shrinks in one step each: no lock that a fork could find held

    @property
    def exists(self) -> bool:
        """Whether an attempt is under way, or one ended without a proof that it was not received."""
        return bool(self._attempts)

    def begin(self) -> None:
        """Count an attempt before its first byte leaves; one that is cancelled is never settled."""
        self._attempts.append(None)

    def settle(self) -> None:
        """Take back an attempt that was provably not received, or refused."""
        self._attempts.pop()


class KeyMemory:
    """The keys that a client used lately, each with the payload that it stands for and what is in doubt."""

    def __init__(self, limit: int = KEYS_REMEMBERED) -> None:
        """Remember so many keys."""
        self._limit = limit
        self._doubts: OrderedDict[str, Doubt] = OrderedDict()
        self._lock = threading.Lock()
        forget_after_fork(self)

    def forget_parent(self) -> None:
        """Let go of a lock that one of the parent's threads may have held; what is known of the keys stays."""
        self._lock = threading.Lock()

    def doubt_of(self, request: Request[Any]) -> Doubt:
        """Return what is known of a request's key.

        Raises:
            InvalidCallError: The key was used with another payload: the API would answer with a conflict.
        """
        key = request.headers[KEY_HEADER]
        digest = hashlib.sha256(f"{request.operation.method} {request.target}\n".encode() + request.content).digest()
        with self._lock:
            doubt = self._doubts.setdefault(key, Doubt(digest))
            self._doubts.move_to_end(key)
            if len(self._doubts) > self._limit:
                self._doubts.popitem(last=False)
        if doubt.digest != digest:
            reason = "was used by this client with another payload; a new payload needs a new key"
            raise InvalidCallError.at("idempotency_key", reason)
        return doubt


def _problem_of(key: object) -> str | None:
    if not isinstance(key, str):
        return "must be a text"
    if not key:
        return "must not be empty"
    if len(key) > LONGEST_KEY:
        return f"must have at most {LONGEST_KEY} characters, not {len(key)}"
    if not key.isascii() or not key.isprintable():
        return "must be printable ASCII, without line breaks"
    return "must not begin or end with a blank" if key != key.strip() else None


def _text_of(name: str, part: object) -> bytes:
    if isinstance(part, bool) or not isinstance(part, str | int):
        raise TypeError(f"derive(): {name} must be a text or an integer, not {type(part).__name__}")
    try:
        return str(part).encode()
    except UnicodeEncodeError:
        raise ValueError(f"derive(): {name} holds half of a surrogate pair, which is no text") from None


def _delimited(text: bytes) -> bytes:
    return b"%d:%b" % (len(text), text)
