"""What the API document demands of a request, compiled once: operations, parameters, bodies, and their answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

from ._answers import Answer, Refusal
from ._json import NotJSONError, Schema, parse_json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
FORM = "application/x-www-form-urlencoded"
BODY_LIMIT = 1024 * 1024
"""The largest request body, in bytes."""

# OpenAPI 3.1, "Parameter Object": header parameters of these names mean nothing.
_IGNORED_HEADERS = frozenset({"accept", "authorization", "content-type"})


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


class Document:
    """An API document, its references followed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def operations(self) -> list[Operation]:
        """Compile all operations, in the document's order."""
        return [
            self._operation(path, method, item)
            for path, reference in self._document["paths"].items()
            for item in [self._follow(reference)]
            for method in METHODS
            if method in item
        ]

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        operation = item[method]
        security = operation.get("security", self._document.get("security", []))
        return Operation(
            id=operation.get("operationId", f"{method} {path}"),
            method=method.upper(),
            path=path,
            secured=bool(security) and {} not in security,
            parameters=tuple(self._parameters(item, operation)),
            body=self._body(operation),
            success=self._success(operation["responses"]),
        )

    def _parameters(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Parameter]:
        """Yield what can be checked: objects spread over a query have no single value to look at."""
        declared = [self._follow(node) for node in [*item.get("parameters", []), *operation.get("parameters", [])]]
        for node in {(node["in"], node["name"]): node for node in declared}.values():
            schema = node.get("schema", True)
            ignored = node["in"] == "header" and node["name"].lower() in _IGNORED_HEADERS
            if not ignored and not self._is_object(schema):
                yield Parameter(node["in"], node["name"], node.get("required", False), self._schema(schema))

    def _body(self, operation: Mapping[str, Any]) -> Body | None:
        if "requestBody" not in operation:
            return None
        body = self._follow(operation["requestBody"])
        schemas = {name.lower(): self._schema(media.get("schema", True)) for name, media in body["content"].items()}
        return Body(body.get("required", False), schemas)

    def _success(self, responses: Mapping[str, Any]) -> Answer:
        status = next((status for status in responses if status.startswith("2")), "default")
        content = self._follow(responses.get(status, {})).get("content", {})
        code = int(status) if status.isdigit() else 200
        if not content:
            return Answer(code, empty=True)
        media_type, media = next(iter(content.items()))
        default: Any = {} if is_json(media_type) else ""
        return Answer(code, self._example(media, default), {"Content-Type": media_type})

    def _example(self, media: Mapping[str, Any], default: Any) -> Any:
        for example in media.get("examples", {}).values():
            return self._follow(example).get("value", default)
        return media.get("example", default)

    def _schema(self, schema: dict[str, Any] | bool) -> Schema:
        """Compile a schema inside the whole document, where the pointers of its references lead somewhere."""
        return Schema({**self._document, "allOf": [schema]})

    def _is_object(self, schema: dict[str, Any] | bool) -> bool:
        return not isinstance(schema, bool) and self._follow(schema).get("type") == "object"

    def _follow(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a node refers to, itself if it is no reference."""
        while "$ref" in node:
            target: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


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
