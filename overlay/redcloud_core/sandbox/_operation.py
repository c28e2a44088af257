"""What an operation demands of a request: its parameters and its body, read and checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

from ._answers import Answer, Refusal
from ._json import NotJSONError, Schema, parse_json

FORM = "application/x-www-form-urlencoded"
BODY_LIMIT = 1024 * 1024
"""The largest request body, in bytes."""
KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read whole.

    `parameters` holds all values under their place (`path`, `query`, `header`, `cookie`) and name; names of headers
    are in lower case. `content` is at most one byte longer than `BODY_LIMIT`.
    """

    parameters: Mapping[tuple[str, str], list[str]]
    content: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header, None if there is none."""
        return next(iter(self.parameters.get(("header", name.lower()), [])), None)

    @property
    def key(self) -> str | None:
        """The idempotency key, None if there is none."""
        return self.header(KEY_HEADER)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    place: str
    name: str
    required: bool
    schema: Schema

    def check(self, call: Call) -> None:
        """Refuse a call whose parameter is missing or breaks the document."""
        values = [value for value in call.parameters.get(self._key, []) if value.strip() or self.place != "header"]
        if not values:
            return self._check_absence()
        if not any(map(self.schema.accepts, _readings(values))):
            raise Refusal(400, f"Invalid {self.place} parameter {self.name}: {self.schema.problem(values[0])}")
        return None

    @property
    def _key(self) -> tuple[str, str]:
        return self.place, self.name.lower() if self.place == "header" else self.name

    def _check_absence(self) -> None:
        if self.required:
            kind = "header" if self.place == "header" else f"{self.place} parameter"
            raise Refusal(400, f"{self.name} {kind} is required")


@dataclass(frozen=True, slots=True)
class Body:
    """The request body of an operation: a schema for each content type, or a range of them."""

    required: bool
    schemas: Mapping[str, Schema]

    def parse(self, call: Call) -> Any:
        """Read a body into JSON values.

        Returns:
            What the body says; None for no body, or for a content type that does not say JSON values.
        """
        if len(call.content) > BODY_LIMIT:
            raise Refusal(413, f"The request body is larger than {BODY_LIMIT} bytes")
        if call.content:
            self._schema(call)
            return _parse(_media_type(call), call.content)
        if self.required:
            raise Refusal(400, "A request body is required")
        return None

    def check(self, call: Call, value: Any) -> None:
        """Refuse a body that breaks the document."""
        if call.content and _is_parsed(_media_type(call)):
            problem = self._schema(call).problem(value)
            if problem:
                raise Refusal(400, f"Invalid request body: {problem}")

    def _schema(self, call: Call) -> Schema:
        media_type = _media_type(call)
        for name, schema in self.schemas.items():
            if fnmatchcase(media_type, name):
                return schema
        raise Refusal(400, f"Content-Type must be {' or '.join(self.schemas)}")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the document."""

    id: str
    method: str
    path: str
    secured: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    success: Answer
    """The document's own example of the first 2xx answer."""

    @property
    def keyed(self) -> bool:
        """Whether requests can carry an idempotency key."""
        return any((each.place, each.name.lower()) == ("header", KEY_HEADER.lower()) for each in self.parameters)

    def check_parameters(self, call: Call) -> None:
        """Refuse a call whose parameters break the document."""
        for parameter in self.parameters:
            parameter.check(call)

    def parse(self, call: Call) -> Any:
        """Read the body of a call, not yet checked against its schema; None where there is none."""
        return self.body.parse(call) if self.body else None

    def check_body(self, call: Call, value: Any) -> None:
        """Refuse a call whose body breaks the document."""
        if self.body:
            self.body.check(call, value)


def _readings(values: list[str]) -> Iterator[Any]:
    """Yield all that the text of a parameter can mean: a text, a number or boolean, a list of either."""
    for value in (values[0], values, values[0].split(",")):
        yield value
        yield [_scalar(item) for item in value] if isinstance(value, list) else _scalar(value)


def _scalar(text: str) -> Any:
    try:
        value = parse_json(text.encode())
    except NotJSONError:
        return text
    return value if isinstance(value, int | float) else text


def _media_type(call: Call) -> str:
    """Return the content type of a body, without its parameters."""
    return (call.header("content-type") or "").partition(";")[0].strip().lower()


def _is_parsed(media_type: str) -> bool:
    return media_type == FORM or is_json(media_type)


def is_json(media_type: str) -> bool:
    """Tell whether bodies of a content type are JSON."""
    return media_type == "application/json" or media_type.endswith("+json")


def _parse(media_type: str, content: bytes) -> Any:
    if is_json(media_type):
        try:
            return parse_json(content)
        except NotJSONError as error:
            raise Refusal(400, f"Invalid request body: {error}") from None
    return _parse_form(content) if media_type == FORM else None


def _parse_form(content: bytes) -> dict[str, str]:
    """Read form fields; those without a value count as left out (RFC 6749, section 3.2)."""
    try:
        fields = parse_qsl(content.decode("ascii"), errors="strict")
    except ValueError:
        raise Refusal(400, "Invalid request body: not form-encoded UTF-8") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise Refusal(400, "Invalid request body: a field occurs more than once")
    return form
