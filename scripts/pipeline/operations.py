"""Read the operations of a document: what a call takes, what leaves, what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import pascal_case

from . import naming
from .contract import ANY, NULL, Argument, Body, Operation, Response, Retry, Schema, Type, described
from .document import Document, Node

if TYPE_CHECKING:
    from .schemas import SchemaReader

_SAFE_METHODS = ("get", "head", "put", "delete")
_FORM = "application/x-www-form-urlencoded"

# How parameters are written, by where they are; the usual style first.
_STYLES: dict[str, tuple[str, ...]] = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}

# What a parameter may be called: RFC 9110, section 5.6.2, for headers, RFC 6265, section 4.1.1, for cookies.
_ANY_NAME = re.compile(r".*\S.*", re.DOTALL)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FITTING = {"header": _TOKEN, "cookie": _TOKEN}

# OpenAPI, Parameter Object: definitions of these headers are to be ignored.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


class OperationReader:
    """Turns operations of a document into what the templates need."""

    def __init__(self, document: Document, schemas: SchemaReader) -> None:
        """Read from `document`; `schemas` knows its types."""
        self.document = document
        self.schemas = schemas
        self._ids: dict[str, Node] = {}
        self._methods: set[str] = set()

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
            operation_id = re.sub(r"[^A-Za-z0-9]+", "_", f"{method}_{path}").strip("_")
            made = naming.plain_method_name(operation_id)
            self.schemas.notes.append(f"{node.pointer}: without operationId, the method is called `{made}`")
        if operation_id in self._ids:
            first = self._ids[operation_id].pointer
            raise node.refused(
                f"the operationId `{operation_id}` is used twice, first at {first}", "Give each its own."
            )
        self._ids[operation_id] = node
        return operation_id

    def _method_name(self, operation_id: str, node: Node) -> str:
        name = naming.method_name(operation_id, self._methods)
        if name != naming.plain_method_name(operation_id):
            why = "another operation or the clients use the plain name"
            self.schemas.notes.append(f"{node.pointer}: the method is called `{name}`, {why}")
        self._methods.add(name)
        return name

    def _tag(self, node: Node) -> str:
        tags = node.array("tags") or ["default"]
        return naming.module_name(str(tags[0]), ())

    def _secured(self, node: Node) -> bool:
        holder = node if node.get("security") else self.document.root
        return any(holder.array("security"))

    def _parameters(self, item: Node, node: Node, path: str, fields: list[Argument], owner: str) -> Iterator[Argument]:
        declared = {**self._declared(item), **self._declared(node)}
        self._require_path_parameters(node, path, {name for location, name in declared if location == "path"})
        taken = {field.python_name for field in fields} | self.schemas.class_names
        for (location, name), parameter in declared.items():
            if location == "header" and name.lower() in IGNORED_HEADERS:
                self.schemas.notes.append(f"{parameter.pointer}: `{name}` is no parameter, OpenAPI says to ignore it")
                continue
            argument = self._parameter(parameter, taken, owner)
            taken.add(argument.python_name)
            yield argument

    def _declared(self, holder: Node) -> dict[tuple[str, str], Node]:
        declared: dict[tuple[str, str], Node] = {}
        parameters = holder.get("parameters")
        for reference in parameters.elements() if parameters else ():
            parameter = self.document.resolve(reference)
            key = parameter.text("in"), _name(parameter)
            if key in declared:
                raise reference.refused(f"the parameter `{key[1]}` stands twice in `{key[0]}`", "Declare it once.")
            declared[key] = parameter
        return declared

    def _parameter(self, parameter: Node, taken: set[str], owner: str) -> Argument:
        name, location = _name(parameter), parameter.text("in")
        if not _FITTING.get(location, _ANY_NAME).fullmatch(name):
            raise parameter.refused(f"`{name}` is no name for a {location} parameter", "Give it another one.")
        if location not in _STYLES:
            raise parameter.refused(
                f"the parameter `{name}` is in `{location}`", "It must be in path, query, header or cookie."
            )
        schema, style = self._parameter_schema(parameter, location)
        python_name = naming.parameter_identifier(name, location, taken)
        if python_name != naming.parameter_identifier(name, location, ()):
            self.schemas.notes.append(f"{parameter.pointer}: the parameter `{name}` is the keyword `{python_name}`")
        explode = parameter.get("explode")
        return Argument(
            name=UntrustedString(name),
            python_name=python_name,
            location=location,  # type: ignore[arg-type]  # it was looked up in _STYLES
            type=self.schemas.type_of(schema, f"{owner}{pascal_case(name)}"),
            required=parameter.flag("required"),
            description=described(parameter),
            constraints=self.schemas.constraints(schema),
            deprecated=parameter.flag("deprecated"),
            style=style,
            explode=explode.value is True if explode is not None else style in ("form", "deepObject"),
        )

    def _parameter_schema(self, parameter: Node, location: str) -> tuple[Node, str]:
        """Return what a parameter's values are like, and how they are written."""
        for media, entry in parameter.children("content"):
            if is_json(media):
                return entry.get("schema") or Node({}, f"{entry.pointer}/schema", entry.document), "json"
        style = parameter.text("style") or _STYLES[location][0]
        if style not in _STYLES[location]:
            raise parameter.refused(
                f"the style `{style}` in `{location}`", f"Supported there: {', '.join(_STYLES[location])}."
            )
        schema = parameter.get("schema")
        if schema is None:
            raise parameter.refused(f"the parameter `{parameter.text('name')}` has no `schema`", "Give it one.")
        return schema, style

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
        types = self._contents(body, f"{owner}Body", raw_multipart=False)
        if not types:
            raise body.refused("a request body without content", "Declare a content type and a schema.")
        objects = {media: self.schemas.objects(found) for media, found in types.items()}
        required = body.flag("required")
        limits = {
            media: self.schemas.constraints(entry["schema"])
            for media, entry in body.children("content")
            if entry.get("schema")
        }
        if all(objects.values()):
            encodings = {media: _encodings(entry) for media, entry in body.children("content")}
            return Body(required, True, types, encodings, limits), list(self._fields(list(objects.values())))
        return Body(required, False, types, {}, limits), [self._whole(body, types, required)]

    def _contents(self, holder: Node, name: str, *, raw_multipart: bool) -> dict[str, Type]:
        """Return the type of each content type."""
        found: dict[str, Type] = {}
        for media, entry in holder.children("content"):
            schema = entry.get("schema")
            structured = is_json(media) or media == _FORM or (_is_multipart(media) and not raw_multipart)
            if schema is not None:
                read = self.schemas.type_of(schema, name)  # also where it is not used: it may need a class
                found[media] = read if structured else _raw_type(media)
            else:
                found[media] = ANY if is_json(media) else _raw_type(media)
        return found

    def _fields(self, variants: list[list[Schema]]) -> Iterator[Argument]:
        """Yield a keyword for each property of the bodies: required where every object that they may be requires it."""
        objects = [
            {p.name.get_untrusted_value(): p for p in schema.properties} for found in variants for schema in found
        ]
        names = {name: None for properties in objects for name, found in properties.items() if not found.read_only}
        for name in names:
            found = [properties[name] for properties in objects if name in properties]
            yield Argument(
                name=found[0].name,
                python_name=found[0].python_name,
                location="body",
                type=found[0].type.union(*(other.type for other in found[1:])),
                required=len(found) == len(objects) and all(other.required for other in found),
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
        types = self._contents(response, f"{owner}{status}Answer", raw_multipart=True)
        return Response(int(status) if status.isdecimal() else status.replace("x", "X"), described(response), types)


def _name(parameter: Node) -> str:
    """Return a parameter's name exactly, blanks at its ends included."""
    found = parameter.get("name")
    return found.value if found is not None and isinstance(found.value, str) else ""


def is_json(media: str) -> bool:
    """Tell whether a content type is JSON."""
    plain = media.partition(";")[0].strip().lower()
    return plain == "application/json" or plain.endswith("+json") or plain == "*/*"


def _is_multipart(media: str) -> bool:
    return media.lower().startswith("multipart/")


def _raw_type(media: str) -> Type:
    """Return the type of a body that is passed on as it is."""
    plain = media.partition(";")[0].strip().lower()
    text = plain.startswith("text/") or plain.endswith(("/xml", "+xml", "/yaml", "+yaml"))
    return Type.of("str" if text else "bytes", "str")


def _encodings(entry: Node) -> dict[str, tuple[str, bool]]:
    """Return how the properties of a form are written, where the document says so: style and explode."""
    return {
        name: (encoding.text("style") or "form", encoding.get("explode") is None or encoding.flag("explode"))
        for name, encoding in entry.children("encoding")
        if encoding.text("style") or encoding.get("explode")
    }


def _retry(method: str, parameters: list[Argument]) -> Retry:
    if any(parameter.location == "header" and _is_key(parameter) for parameter in parameters):
        return "keyed"
    return "safe" if method in _SAFE_METHODS else "unsent"


def _is_key(parameter: Argument) -> bool:
    return parameter.name.get_untrusted_value().lower() == "idempotency-key"


def _result(success: tuple[Response, ...]) -> Type:
    """Return the type of what a call gives: the union over its success answers, None where one has no body."""
    types = [found for response in success for found in (response.contents.values() or [NULL])]
    return types[0].union(*types[1:]) if types else NULL
