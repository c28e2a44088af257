"""What the API document says, compiled once: its operations, each with what it demands and what it answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from ._answers import Answer
from ._json import Schema
from ._operation import Body, Operation, Parameter, is_json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# OpenAPI 3.1, "Parameter Object": header parameters of these names mean nothing.
_IGNORED_HEADERS = frozenset({"accept", "authorization", "content-type"})


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
