"""Read the operations of a document: what a call takes, what leaves, what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, get_args

from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import pascal_case

from . import naming
from .contract import Argument, Body, Location, Operation, Response, Retry, Type, described
from .document import Document, Node

if TYPE_CHECKING:
    from .reader import SchemaReader

_SAFE_METHODS = ("get", "head", "put", "delete")
_FORM = "application/x-www-form-urlencoded"


class OperationReader:
    """Turns operations of a document into what the templates need."""

    def __init__(self, document: Document, schemas: SchemaReader) -> None:
        """Read from `document`; `schemas` knows its types."""
        self.document = document
        self.schemas = schemas
        self._ids: dict[str, Node] = {}
        self._methods: dict[str, Node] = {}

    def read(self, found: Iterable[tuple[str, str, Node, Node]]) -> Iterator[Operation]:
        """Yield an operation for each path, method, path item and node of `document.operations`."""
        for path, method, item, node in found:
            yield self._operation(path, method, item, node)

    def _operation(self, path: str, method: str, item: Node, node: Node) -> Operation:
        operation_id = self._id(node, path, method)
        name = self._method_name(operation_id, node)
        body, fields = self._body(node, pascal_case(operation_id))
        parameters = list(self._parameters(item, node, path, fields, pascal_case(operation_id)))
        success, errors = self._responses(node, pascal_case(operation_id))
        return Operation(
            id=UntrustedString(operation_id),
            name=name,
            tag=self._tag(node),
            method=method.upper(),
            path=UntrustedString(path),
            summary=UntrustedString(node.text("summary")),
            description=described(node),
            secured=self._secured(node),
            retry=_retry(method, parameters),
            deprecated=node.flag("deprecated"),
            arguments=(*parameters, *fields),
            body=body,
            success=success,
            errors=errors,
            result=_result(success),
            pointer=node.pointer,
        )

    def _id(self, node: Node, path: str, method: str) -> str:
        operation_id = node.text("operationId")
        if not operation_id:
            operation_id = f"{method}_{path}"
            made = naming.method_name(operation_id)
            self.schemas.notes.append(f"{node.pointer}: without operationId, the method is called `{made}`")
        if operation_id in self._ids:
            first = self._ids[operation_id].pointer
            raise node.refused(
                f"the operationId `{operation_id}` is used twice, first at {first}", "Give each its own."
            )
        self._ids[operation_id] = node
        return operation_id

    def _method_name(self, operation_id: str, node: Node) -> str:
        name = naming.method_name(operation_id)
        if name in self._methods:
            raise node.refused(
                f"the operationId `{operation_id}` gives the method `{name}`, as does {self._methods[name].pointer}",
                "Give one of them another operationId.",
            )
        if name.endswith("_"):
            self.schemas.notes.append(f"{node.pointer}: the method is called `{name}`, the clients use the plain name")
        self._methods[name] = node
        return name

    def _tag(self, node: Node) -> str:
        tags = node.array("tags") or ["default"]
        return naming.module_name(str(tags[0]), ())

    def _secured(self, node: Node) -> bool:
        holder = node if node.get("security") else self.document.root
        return any(holder.array("security"))

    def _parameters(self, item: Node, node: Node, path: str, fields: list[Argument], owner: str) -> Iterator[Argument]:
        declared: dict[tuple[str, str], Node] = {}
        for holder in (item, node):
            parameters = holder.get("parameters")
            for reference in parameters.elements() if parameters else ():
                parameter = self.document.resolve(reference)
                declared[parameter.text("in"), parameter.text("name")] = parameter
        self._require_path_parameters(node, path, {name for location, name in declared if location == "path"})
        taken = {field.python_name for field in fields} | self.schemas.class_names
        for parameter in declared.values():
            argument = self._parameter(parameter, taken, owner)
            taken.add(argument.python_name)
            yield argument

    def _parameter(self, parameter: Node, taken: set[str], owner: str) -> Argument:
        name, location = parameter.text("name"), parameter.text("in")
        if location not in get_args(Location) or location == "body":
            raise parameter.refused(
                f"the parameter `{name}` is in `{location}`", "Only path, query and header are supported."
            )
        schema = parameter.get("schema")
        if schema is None:
            raise parameter.refused(f"the parameter `{name}` has no `schema`", "Give it one.")
        self._require_plain_style(parameter, location)
        python_name = naming.parameter_identifier(name, location, taken)
        if python_name != naming.parameter_identifier(name, location, ()):
            self.schemas.notes.append(f"{parameter.pointer}: the parameter `{name}` is the keyword `{python_name}`")
        return Argument(
            name=UntrustedString(name),
            python_name=python_name,
            location=location,  # type: ignore[arg-type]  # it was looked up in get_args(Location)
            type=self._parameter_type(parameter, schema, f"{owner}{pascal_case(name)}"),
            required=parameter.flag("required"),
            description=described(parameter),
            constraints=self.schemas.constraints(schema),
            deprecated=parameter.flag("deprecated"),
            explode=parameter.get("explode") is None or parameter.flag("explode"),
        )

    def _parameter_type(self, parameter: Node, schema: Node, name: str) -> Type:
        found = self.schemas.type_of(schema, name)
        if self.schemas.is_object(schema):
            raise parameter.refused("an object as a parameter", "Only scalars and arrays of them are supported.")
        return found

    def _require_plain_style(self, parameter: Node, location: str) -> None:
        style, usual = parameter.text("style"), "form" if location == "query" else "simple"
        if style and style != usual:
            raise parameter["style"].refused(f"the style `{style}`", f"Only `{usual}` is supported.")

    def _require_path_parameters(self, node: Node, path: str, declared: set[str]) -> None:
        named = {part.partition("}")[0] for part in path.split("{")[1:]}
        for name in sorted(named ^ declared):
            where = "in the path but not declared" if name in named else "declared but not in the path"
            raise node.refused(f"the path parameter `{name}` is {where}", "Let the two agree.")

    def _body(self, node: Node, owner: str) -> tuple[Body | None, list[Argument]]:
        reference = node.get("requestBody")
        if reference is None:
            return None, []
        body = self.document.resolve(reference)
        contents = self._contents(body, f"{owner}Body")
        if not contents:
            raise body.refused("a request body without content", "Declare a content type and a schema.")
        objects = [self.schemas.has_properties(schema) for schema in contents.values()]
        types = {media: self._body_type(media, schema, f"{owner}Body") for media, schema in contents.items()}
        required = body.flag("required")
        if all(objects):
            return Body(required, True, types), list(self._fields(list(contents.values())))
        if any(objects):
            raise body.refused("a body that is an object in one content type only", "Use one shape.")
        return Body(required, False, types), [self._whole(body, types, required)]

    def _contents(self, holder: Node, name: str) -> dict[str, Node]:
        """Return the schema of each content type; reading it gives its class a name."""
        found: dict[str, Node] = {}
        for media, entry in holder.children("content"):
            schema = entry.get("schema")
            if schema is None:
                raise entry.refused(f"`{media}` has no schema", "Give it one; `{}` allows anything.")
            self.schemas.type_of(schema, name)
            found[media] = schema
        return found

    def _body_type(self, media: str, schema: Node, name: str) -> Type:
        if media == "multipart/form-data" or media.startswith("multipart/"):
            raise schema.refused(f"a body of `{media}`", "JSON, form and raw bodies are supported.")
        if media == _FORM and not self.schemas.has_properties(schema):
            raise schema.refused(f"a body of `{media}` that is no object", "Give it properties.")
        return self.schemas.type_of(schema, name) if is_json(media) or media == _FORM else _raw_type(media)

    def _fields(self, schemas: list[Node]) -> Iterator[Argument]:
        """Yield a keyword for each property of the bodies: required where all of them require it."""
        variants = [self.schemas.properties(schema) for schema in schemas]
        for name in dict.fromkeys(name for variant in variants for name in variant):
            found = [variant[name] for variant in variants if name in variant]
            yield Argument(
                name=found[0].name,
                python_name=found[0].python_name,
                location="body",
                type=found[0].type.union(*(other.type for other in found[1:])),
                required=len(found) == len(variants) and all(other.required for other in found),
                description=found[0].description,
                constraints={},
                deprecated=found[0].deprecated,
            )

    def _whole(self, body: Node, types: dict[str, Type], required: bool) -> Argument:
        first, *others = types.values()
        return Argument(
            name=UntrustedString("body"),
            python_name="body",
            location="body",
            type=first.union(*others),
            required=required,
            description=described(body),
            constraints={},
            deprecated=False,
        )

    def _responses(self, node: Node, owner: str) -> tuple[tuple[Response, ...], tuple[Response, ...]]:
        found = [self._response(status, entry, owner) for status, entry in node.children("responses")]
        success = tuple(response for response in found if str(response.status).startswith("2"))
        if not success:  # `default` alone is the answer
            success = tuple(response for response in found if response.status == "default")
        return success, tuple(response for response in found if response not in success)

    def _response(self, status: str, reference: Node, owner: str) -> Response:
        response = self.document.resolve(reference)
        if not re.fullmatch(r"[1-5](\d\d|[Xx]{2})|default", status):
            raise reference.refused(f"`{status}` is no status", "Use 200, 2XX or default.")
        schemas = self._contents(response, f"{owner}{status}Answer")
        types = {media: self._answer_type(media, schema, f"{owner}{status}Answer") for media, schema in schemas.items()}
        return Response(int(status) if status.isdecimal() else status.replace("x", "X"), described(response), types)

    def _answer_type(self, media: str, schema: Node, name: str) -> Type:
        return self.schemas.type_of(schema, name) if is_json(media) else _raw_type(media)


def is_json(media: str) -> bool:
    """Tell whether a content type is JSON."""
    plain = media.partition(";")[0].strip().lower()
    return plain == "application/json" or plain.endswith("+json") or plain == "*/*"


def _raw_type(media: str) -> Type:
    return Type.of("str" if media.lower().startswith("text/") else "bytes")


def _retry(method: str, parameters: list[Argument]) -> Retry:
    if any(parameter.location == "header" and _is_key(parameter) for parameter in parameters):
        return "keyed"
    return "safe" if method in _SAFE_METHODS else "unsent"


def _is_key(parameter: Argument) -> bool:
    return parameter.name.get_untrusted_value().lower() == "idempotency-key"


def _result(success: tuple[Response, ...]) -> Type:
    """Return the type of what a call gives: the union over its success answers, None where one has no body."""
    types = [found for response in success for found in (response.contents.values() or [Type.of("None")])]
    return types[0].union(*types[1:]) if types else Type.of("None")
