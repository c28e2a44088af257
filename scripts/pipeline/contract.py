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
from openapi_python_client.strings import PythonIdentifier

from .document import Node

Location = Literal["path", "query", "header", "cookie", "body"]
Retry = Literal["safe", "keyed", "unsent"]


@attrs.frozen
class Type:
    """The Python type of a schema, as alternatives.

    Attributes:
        declares: The annotation in models, what a decoder gives.
        accepts: The annotation in signatures: also a member's string, also a mapping for an object.
        shapes: What the alternatives look like in JSON: `null`, `bool`, `int`, `float`, `str`, `array`, `object`; or
            `any`, or `own` for classes that the codec cannot tell apart by itself.
        classes: The names of the generated classes in both.
    """

    declares: tuple[str, ...]
    accepts: tuple[str, ...]
    shapes: tuple[str, ...]
    classes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, annotation: str, shape: str) -> "Type":
        """Return a type that is declared and accepted alike."""
        return cls((annotation,), (annotation,), (shape,))

    @property
    def declared(self) -> str:
        """The annotation in models."""
        return " | ".join(self.declares)

    @property
    def accepted(self) -> str:
        """The annotation in signatures."""
        return " | ".join(self.accepts)

    @property
    def is_native(self) -> bool:
        """Whether the codec can tell the alternatives apart by what they look like."""
        others = [shape for shape in self.shapes if shape != "null"]
        return len(set(others)) == len(others) and (len(others) < 2 or not {"any", "own"} & set(others))

    def without_null(self) -> "Type":
        """Return this type without None."""
        keep = [index for index, declared in enumerate(self.declares) if declared != "None"]
        return Type(
            tuple(self.declares[index] for index in keep),
            tuple(accepted for accepted in self.accepts if accepted != "None"),
            tuple(self.shapes[index] for index in keep),
            self.classes,
        )

    def within(self, generic: str, shape: str) -> "Type":
        """Return this type inside a generic such as `list[{}]`."""
        declared, accepted = generic.format(self.declared), generic.format(self.accepted)
        return Type((declared,), (accepted,), (shape,), self.classes)

    def union(self, *others: "Type") -> "Type":
        """Return the union of this type and others: each alternative once, None last; Any takes in all others."""
        parts = list({part.declares: part for part in (self, *others)}.values())
        if any("any" in part.shapes for part in parts):
            return ANY
        alternatives: dict[str, str] = {}
        for part in parts:
            alternatives.update(zip(part.declares, part.shapes, strict=True))
        declares = _none_last(alternatives)
        return Type(
            declares,
            _none_last(chain.from_iterable(part.accepts for part in parts)),
            tuple(alternatives[declared] for declared in declares),
            frozenset[str]().union(*(part.classes for part in parts)),
        )


ANY = Type.of("Any", "any")
NULL = Type.of("None", "null")


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
    read_only: bool
    write_only: bool
    pointers: tuple[str, ...]
    """Where the document says it; several places where `allOf` put it together."""


@attrs.frozen
class Schema:
    """A class, an enum, a union or an alias; the generator's `Project` asks for `class_info` and `value_type`.

    Attributes:
        properties: Of an object.
        extra: The type of an object's further properties, where it may have some beside its own.
        members: Of an enum: name and value.
        target: What an alias stands for, or the union as an annotation.
        variants: Of a union, each as an annotation.
        discriminator: The property that tells the variants apart.
        mapping: Its values, each with a variant.
    """

    kind: Literal["object", "enum", "union", "alias"]
    class_info: Class
    pointer: str
    description: UntrustedString
    properties: tuple[Property, ...] = ()
    extra: Type | None = None
    extra_constraints: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    members: Mapping[str, str | int] = attrs.field(factory=dict[str, str | int])
    target: Type | None = None
    variants: tuple[str, ...] = ()
    discriminator: UntrustedString | None = None
    mapping: Mapping[UntrustedString, str] = attrs.field(factory=dict[UntrustedString, str])

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
    def is_unwritable(self) -> bool:
        """Whether a name on the wire is one that a Struct cannot be told of."""
        names = [name.get_untrusted_value() for name in self.renamed.values()]
        return any(not name.isprintable() or "\\" in name or '"' in name for name in names)

    @property
    def constraints(self) -> dict[str, Mapping[str, Any]]:
        """The constraints on properties, under their names on the wire; on further properties under no name."""
        own = {found.name.get_untrusted_value(): found.constraints for found in self.properties if found.constraints}
        return own | ({"": self.extra_constraints} if self.extra_constraints else {})

    @property
    def classes(self) -> frozenset[str]:
        """The other generated classes that this one refers to."""
        used = [found.type.classes for found in self.properties]
        used += [found.classes for found in (self.target, self.extra) if found is not None]
        return frozenset[str]().union(*used) - {self.name}

    @property
    def extra_name(self) -> str:
        """The attribute that holds an object's further properties."""
        taken = {found.python_name for found in self.properties}
        return next(name for name in ("additional_properties", "additional_properties_") if name not in taken)


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
    style: str = ""
    explode: bool = True


@attrs.frozen
class Body:
    """What an operation sends: one of several content types, with a type each."""

    required: bool
    is_object: bool
    contents: Mapping[str, Type]
    encodings: Mapping[str, Mapping[str, tuple[str, bool]]]
    """How properties of forms are written, by content type and name: style and explode."""
    constraints: Mapping[str, Mapping[str, Any]]
    """What the document asks of the whole body, by content type."""


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
    def module(self) -> str:
        """The name of its module in `api`, as the generator's `Project` makes it of the method's."""
        return str(PythonIdentifier(self.name, "field_"))

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
        """The generated classes that this operation refers to, but for those of its errors."""
        types = [argument.type for argument in self.arguments]
        types += self.body.contents.values() if self.body else ()
        return frozenset[str]().union(*(found.classes for found in types), _classes_in(self.success))

    @property
    def error_classes(self) -> frozenset[str]:
        """The generated classes that the errors of this operation refer to."""
        return _classes_in(self.errors)


@attrs.frozen
class Contract:
    """A whole document."""

    title: UntrustedString
    version: UntrustedString
    schemas: tuple[Schema, ...]
    operations: tuple[Operation, ...]
    notes: tuple[str, ...]


def _classes_in(responses: tuple[Response, ...]) -> frozenset[str]:
    types = [kind for response in responses for kind in response.contents.values()]
    return frozenset[str]().union(*(found.classes for found in types))


def described(node: Node) -> UntrustedString:
    """Return what the document says of a node in words, and that it is an assumption where it is one."""
    assumed = node.text("x-unconfirmed")
    parts = [node.text("description") or node.text("title"), f"Unconfirmed: {assumed}." if assumed else ""]
    return UntrustedString("\n\n".join(part for part in parts if part))


def _none_last(alternatives: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(alternatives), key="None".__eq__))
