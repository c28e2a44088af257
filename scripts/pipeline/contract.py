"""What a document says, as the templates need it.

Texts of the document are `UntrustedString`: a template that forgets to escape one renders nothing dangerous. Plain
strings are identifiers, annotations and literals that this package made.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Literal

import attrs
from openapi_python_client.parser.properties import Class
from openapi_python_client.schema.untrusted_string import UntrustedString

from .document import Node

Location = Literal["path", "query", "header", "body"]
Retry = Literal["safe", "keyed", "unsent"]


@attrs.frozen
class Type:
    """The Python type of a schema, as alternatives.

    Attributes:
        declares: The annotation in models, what a decoder gives.
        accepts: The annotation in signatures: also a member's string, also a mapping for an object.
        classes: The names of the generated classes in both.
    """

    declares: tuple[str, ...]
    accepts: tuple[str, ...]
    classes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, annotation: str) -> "Type":
        """Return a type that is declared and accepted alike."""
        return cls((annotation,), (annotation,))

    @property
    def declared(self) -> str:
        """The annotation in models."""
        return " | ".join(self.declares)

    @property
    def accepted(self) -> str:
        """The annotation in signatures."""
        return " | ".join(self.accepts)

    def within(self, generic: str) -> "Type":
        """Return this type inside a generic such as `list`."""
        return Type((f"{generic}[{self.declared}]",), (f"{generic}[{self.accepted}]",), self.classes)

    def union(self, *others: "Type") -> "Type":
        """Return the union of this type and others: each alternative once, None last."""
        parts = (self, *others)
        return Type(
            _once(chain.from_iterable(part.declares for part in parts)),
            _once(chain.from_iterable(part.accepts for part in parts)),
            frozenset[str]().union(*(part.classes for part in parts)),
        )


@attrs.frozen
class Property:
    """A property of an object."""

    name: UntrustedString
    python_name: str
    type: Type
    required: bool
    description: UntrustedString
    secret: bool
    deprecated: bool
    constraints: Mapping[str, Any]
    pointer: str


@attrs.frozen
class Schema:
    """A class, an enum or an alias to generate; the generator's `Project` asks for `class_info` and `value_type`."""

    kind: Literal["object", "enum", "alias"]
    class_info: Class
    pointer: str
    description: UntrustedString
    properties: tuple[Property, ...] = ()
    members: Mapping[str, str | int] = attrs.field(factory=dict[str, str | int])
    target: Type | None = None

    @property
    def name(self) -> str:
        """The name of the class."""
        return str(self.class_info.name)

    @property
    def module(self) -> str:
        """The name of its module in `models`."""
        return str(self.class_info.module_name)

    @property
    def value_type(self) -> type[str] | type[int]:
        """What the values of an enum are."""
        return int if all(isinstance(value, int) for value in self.members.values()) else str

    @property
    def renamed(self) -> dict[str, UntrustedString]:
        """The properties whose names Python cannot bear: python name to the document's name."""
        return {found.python_name: found.name for found in self.properties if found.name != found.python_name}

    @property
    def constraints(self) -> dict[str, Mapping[str, Any]]:
        """The constraints on properties, under their names on the wire."""
        return {found.name.get_untrusted_value(): found.constraints for found in self.properties if found.constraints}

    @property
    def classes(self) -> frozenset[str]:
        """The other generated classes that this one refers to."""
        used = [found.type.classes for found in self.properties]
        return frozenset[str]().union(*used, self.target.classes if self.target else ()) - {self.name}


@attrs.frozen
class Argument:
    """A keyword of an operation: a parameter, a property of an object body, or a body that is no object."""

    name: UntrustedString
    python_name: str
    location: Location
    type: Type
    required: bool
    description: UntrustedString
    constraints: Mapping[str, Any]
    deprecated: bool
    explode: bool = True


@attrs.frozen
class Body:
    """What an operation sends: one of several content types, with a type each."""

    required: bool
    is_object: bool
    contents: Mapping[str, Type]


@attrs.frozen
class Response:
    """What an operation answers with a status, `2XX` or `default`: content types and their types."""

    status: int | str
    description: UntrustedString
    contents: Mapping[str, Type]


@attrs.frozen
class Operation:
    """An operation; the generator's `Project` asks for `name`."""

    id: UntrustedString
    name: str
    tag: str
    method: str
    path: UntrustedString
    summary: UntrustedString
    description: UntrustedString
    secured: bool
    retry: Retry
    deprecated: bool
    arguments: tuple[Argument, ...]
    body: Body | None
    success: tuple[Response, ...]
    errors: tuple[Response, ...]
    result: Type
    pointer: str

    @property
    def fields(self) -> tuple[Argument, ...]:
        """The keywords that make the body."""
        return tuple(argument for argument in self.arguments if argument.location == "body")

    @property
    def parameters(self) -> tuple[Argument, ...]:
        """The keywords that are parameters."""
        return tuple(argument for argument in self.arguments if argument.location != "body")

    @property
    def selector(self) -> str | None:
        """The keyword that chooses a content type, where there are several."""
        if self.body is None or len(self.body.contents) < 2:
            return None
        taken = {argument.python_name for argument in self.arguments}
        return next(name for name in ("content_type", "content_type_", "content_type_body") if name not in taken)

    @property
    def classes(self) -> frozenset[str]:
        """The generated classes that this operation refers to."""
        types = [argument.type for argument in self.arguments]
        types += self.body.contents.values() if self.body else ()
        for response in (*self.success, *self.errors):
            types += response.contents.values()
        return frozenset[str]().union(*(found.classes for found in types))


@attrs.frozen
class Contract:
    """A whole document."""

    title: UntrustedString
    version: UntrustedString
    schemas: tuple[Schema, ...]
    operations: tuple[Operation, ...]
    notes: tuple[str, ...]


def described(node: Node) -> UntrustedString:
    """Return what the document says of a node in words, and that it is an assumption where it is one."""
    assumed = node.text("x-unconfirmed")
    parts = [node.text("description") or node.text("title"), f"Unconfirmed: {assumed}." if assumed else ""]
    return UntrustedString("\n\n".join(part for part in parts if part))


def _once(alternatives: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(alternatives)
    return tuple(sorted(found, key="None".__eq__))
