# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""How a request is made of a caller's keywords."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from . import writing
from .calls import Operation, Request
from .checks import Constraints, convert
from .codec import encode, to_builtins
from .errors import InvalidRequest, Violation
from .shapes import is_array, is_object
from .types import UNSET, File

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
        self._cookies: list[tuple[str, str]] = []
        self._headers: dict[str, str] = {}
        self._content = b""
        self._violations: list[Violation] = []

    def path(
        self, name: str, keyword: str, value: Any, kind: Any, constraints: Constraints | None = None, **written: Any
    ) -> None:
        """Put a value into the path, percent-encoded. Empty ones and dots would change which path it is."""
        text = self._joined(keyword, value, kind, constraints, **written)
        if text in ("", ".", ".."):
            self._refuse(keyword, "must not be empty, `.` or `..`: it is a part of the path")
        elif text is not None:
            self._path = self._path.replace(f"{{{name}}}", quote(text, safe=""))

    def query(
        self, name: str, keyword: str, value: Any, kind: Any, constraints: Constraints | None = None, **written: Any
    ) -> None:
        """Put a value into the query."""
        self._query += self._pairs(name, keyword, value, kind, constraints, **written)

    def cookie(
        self, name: str, keyword: str, value: Any, kind: Any, constraints: Constraints | None = None, **written: Any
    ) -> None:
        """Put a value into the header Cookie."""
        self._cookies += self._pairs(name, keyword, value, kind, constraints, **written)

    def header(
        self, name: str, keyword: str, value: Any, kind: Any, constraints: Constraints | None = None, **written: Any
    ) -> None:
        """Put a value into a header."""
        text = self._joined(keyword, value, kind, constraints, **written)
        if text is None:
            return
        if not text.isascii() or not text.isprintable():
            self._refuse(keyword, "must be printable ASCII: it is a header")
        self._headers[name] = text

    def choice(self, keyword: str, media: str, bodies: Mapping[str, Any]) -> Any:
        """Return the type of the body in a content type, which must be one that the document names."""
        if media not in bodies:
            self._refuse(keyword, "must be one of " + ", ".join(f"`{known}`" for known in bodies))
        return bodies.get(media, Any)

    def body(
        self,
        media: str,
        kind: Any,
        value: Any,
        *,
        required: bool = True,
        encodings: Mapping[str, tuple[str, bool]] | None = None,
        constraints: Constraints | None = None,
    ) -> None:
        """Put the body in: an object's properties by their names on the wire, or any other value.

        Args:
            media: The content type.
            kind: The declared type.
            value: What the caller passed; an optional body of which nothing is set is left out.
            required: Whether the document requires a body.
            encodings: How properties of a form are written: style and explode.
            constraints: What the document asks of the whole body.
        """
        given = _without_unset(value)
        if not required and (given is UNSET or given == {}):
            return
        self._headers["Content-Type"] = media
        if isinstance(given, bytes):
            self._content = given
        elif isinstance(given, str) and not writing.is_json(media):
            self._violations += writing.unencodable(given, "body")
            self._content = given.encode("utf-8", "replace")
        elif media.lower().startswith("multipart/"):
            self._multipart(kind, given)
        else:
            converted, violations = convert(given, kind, "" if is_object(given) else "body", constraints)
            self._violations += violations
            if not violations:
                self._content = self._encoded(media, converted, encodings or {})

    def request(self) -> Request[T]:
        """Return the request.

        Raises:
            InvalidRequest: Something in it is not as the document says; all of it is named.
        """
        if any("\n" in value or ";" in value for _, value in self._cookies):
            self._refuse("cookie", "must hold no `;` and no line break")
        if self._violations:
            raise InvalidRequest(self._operation.id, tuple(self._violations))
        if self._cookies:
            self._headers["Cookie"] = "; ".join(f"{name}={quote(value)}" for name, value in self._cookies)
        target = f"{self._path}?{urlencode(self._query)}" if self._query else self._path
        return Request(self._operation, target, self._headers, self._content)

    def _refuse(self, keyword: str, reason: str) -> None:
        self._violations.append(Violation(keyword, reason))

    def _checked(self, keyword: str, value: Any, kind: Any, constraints: Constraints | None) -> Any:
        """Return a parameter as JSON would hold it, UNSET where it is not set or wrong."""
        if value is UNSET:
            return UNSET
        converted, violations = convert(value, kind, keyword, constraints)
        plain = UNSET if violations else to_builtins(converted)
        violations += writing.unencodable(plain, keyword)
        self._violations += violations
        return UNSET if violations else plain

    def _joined(
        self, keyword: str, value: Any, kind: Any, constraints: Constraints | None, *, style: str = "simple"
    ) -> str | None:
        plain = self._checked(keyword, value, kind, constraints)
        return None if plain is UNSET else writing.joined(plain, style)

    def _pairs(
        self,
        name: str,
        keyword: str,
        value: Any,
        kind: Any,
        constraints: Constraints | None,
        *,
        style: str = "form",
        explode: bool = True,
    ) -> list[tuple[str, str]]:
        plain = self._checked(keyword, value, kind, constraints)
        return [] if plain is UNSET else writing.pairs(name, plain, style, explode=explode)

    def _encoded(self, media: str, converted: Any, encodings: Mapping[str, tuple[str, bool]]) -> bytes:
        try:
            return writing.form(to_builtins(converted), encodings) if media == _FORM else encode(converted)
        except UnicodeEncodeError:
            self._violations += writing.unencodable(to_builtins(converted), "")
            return b""

    def _multipart(self, kind: Any, given: Any) -> None:
        fields: dict[str, Any] = given if is_object(given) else to_builtins(given)
        files = {name: found for name, found in fields.items() if _is_file(found)}
        plain = {name: _stand_in(found) if name in files else found for name, found in fields.items()}
        converted, violations = convert(plain, kind, "")
        self._violations += violations
        if not violations:
            texts = {name: found for name, found in to_builtins(converted).items() if name not in files}
            self._headers["Content-Type"], self._content = writing.multipart(texts, files)


def _without_unset(value: Any) -> Any:
    if not is_object(value):
        return value
    return {name: found for name, found in value.items() if found is not UNSET}


def _is_file(value: Any) -> bool:
    if is_array(value):
        return any(_is_file(item) for item in value)
    return isinstance(value, bytes | File)


def _stand_in(value: Any) -> Any:
    """Return what stands for a file while the other fields are checked."""
    return [""] * len(value) if is_array(value) else ""
