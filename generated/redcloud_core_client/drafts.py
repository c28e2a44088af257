# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""How a request is made of a caller's keywords."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from .calls import Operation, Request
from .checks import Constraints, convert, is_array, is_object
from .codec import encode
from .errors import InvalidRequest, Violation
from .types import UNSET

__all__ = ["Draft"]

T = TypeVar("T")

_FORM = "application/x-www-form-urlencoded"


class Draft(Generic[T]):
    """A request in the making. It gathers everything that is wrong before it refuses."""

    def __init__(self, operation: Operation[T]) -> None:
        """Begin a request of `operation`."""
        self._operation = operation
        self._path = operation.path
        self._query: list[tuple[str, str]] = []
        self._headers: dict[str, str] = {}
        self._content = b""
        self._violations: list[Violation] = []

    def path(self, name: str, keyword: str, value: Any, kind: Any, constraints: Constraints | None = None) -> None:
        """Put a value into the path, percent-encoded. Empty ones and dots would change which path it is."""
        text = self._joined(keyword, value, kind, constraints)
        if text in ("", ".", ".."):
            self._violations.append(Violation(keyword, "must not be empty, `.` or `..`: it is a part of the path"))
        elif text is not None:
            self._path = self._path.replace(f"{{{name}}}", quote(text, safe=""))

    def query(
        self,
        name: str,
        keyword: str,
        value: Any,
        kind: Any,
        constraints: Constraints | None = None,
        *,
        explode: bool = True,
    ) -> None:
        """Put a value into the query, an array once an element or joined by commas."""
        texts = self._texts(keyword, value, kind, constraints)
        self._query += [(name, text) for text in (texts if explode else [",".join(texts)] if texts else [])]

    def header(self, name: str, keyword: str, value: Any, kind: Any, constraints: Constraints | None = None) -> None:
        """Put a value into a header."""
        text = self._joined(keyword, value, kind, constraints)
        if text is None:
            return
        if not text.isascii() or not text.isprintable():
            self._violations.append(Violation(keyword, "must be printable ASCII: it is a header"))
        self._headers[name] = text

    def body(self, media: str, kind: Any, value: Any, *, required: bool = True) -> None:
        """Put the body in: an object's properties by their names on the wire, or any other value.

        Args:
            media: The content type.
            kind: The declared type.
            value: What the caller passed; an optional body of which nothing is set is left out.
            required: Whether the document requires a body.
        """
        given = {name: found for name, found in value.items() if found is not UNSET} if _is_fields(value) else value
        if not required and (given is UNSET or given == {}):
            return
        self._headers["Content-Type"] = media
        if isinstance(given, bytes) or (isinstance(given, str) and not _is_json(media)):
            self._content = given if isinstance(given, bytes) else given.encode()
            return
        converted, violations = convert(given, kind, "" if _is_fields(value) else "body")
        self._violations += violations
        if not violations:
            self._content = self._encoded(media, converted)

    def request(self) -> Request[T]:
        """Return the request.

        Raises:
            InvalidRequest: Something in it is not as the document says; all of it is named.
        """
        if self._violations:
            raise InvalidRequest(self._operation.id, tuple(self._violations))
        target = f"{self._path}?{urlencode(self._query)}" if self._query else self._path
        return Request(self._operation, target, self._headers, self._content)

    def _joined(self, keyword: str, value: Any, kind: Any, constraints: Constraints | None) -> str | None:
        if value is UNSET:
            return None
        before = len(self._violations)
        texts = self._texts(keyword, value, kind, constraints)
        return ",".join(texts) if len(self._violations) == before else None

    def _texts(self, keyword: str, value: Any, kind: Any, constraints: Constraints | None) -> list[str]:
        if value is UNSET:
            return []
        converted, violations = convert(value, kind, keyword, constraints)
        self._violations += violations
        return [] if violations else _as_texts(converted)

    def _encoded(self, media: str, converted: Any) -> bytes:
        try:
            if media == _FORM:
                fields: Mapping[str, Any] = msgspec.to_builtins(converted)
                return urlencode([(name, text) for name in fields for text in _as_texts(fields[name])]).encode()
            return encode(converted)
        except UnicodeEncodeError:
            self._violations += _unencodable(msgspec.to_builtins(converted), "")
            return b""


def _is_fields(value: Any) -> bool:
    return type(value) is dict


def _is_json(media: str) -> bool:
    return media.partition(";")[0].endswith(("/json", "+json"))


def _as_texts(value: Any) -> list[str]:
    plain = msgspec.to_builtins(value)
    return [_as_text(item) for item in plain] if is_array(plain) else [_as_text(plain)]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _unencodable(plain: Any, place: str) -> list[Violation]:
    """Return the places of texts with lone surrogates."""
    if isinstance(plain, str):
        index = next((index for index, character in enumerate(plain) if "\ud800" <= character <= "\udfff"), None)
        reason = f"the character at index {index} is a lone surrogate, it cannot be encoded"
        return [] if index is None else [Violation(place or "body", reason)]
    if is_array(plain):
        return [found for index, value in enumerate(plain) for found in _unencodable(value, f"{place}[{index}]")]
    if is_object(plain):
        return [found for key, value in plain.items() for found in _unencodable(value, f"{place}.{key}".lstrip("."))]
    return []
