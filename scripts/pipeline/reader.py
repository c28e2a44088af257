"""Read what a document says: its schemas and its operations, exactly or not at all.

The generator's own parser drops what it does not understand (operations, constraints, root security), so it is not
asked: this reader either represents a construct or says where it stands and stops. What it cannot check at run time,
such as `not`, it notes.
"""

from collections.abc import Iterator
from typing import Any

from openapi_python_client.parser.properties import Class
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import ClassName, PythonIdentifier, pascal_case

from . import naming
from .contract import Contract, Property, Schema, Type, described
from .document import Document, Node, operations
from .operations import OperationReader

_SCALARS: dict[tuple[str, str | None], str] = {
    ("string", "date-time"): "datetime.datetime",
    ("string", "date"): "datetime.date",
    ("string", "uuid"): "UUID",
    ("string", "byte"): "bytes",
    ("string", "decimal"): "Decimal",
    ("string", None): "str",
    ("integer", None): "int",
    ("number", None): "float",
    ("boolean", None): "bool",
    ("null", None): "None",
}

# Keywords that are checked when a request is built.
CONSTRAINTS = frozenset(
    {"minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)

# Keywords that change what a value looks like, in a way that no type here can say.
_UNSUPPORTED = ("allOf", "oneOf", "anyOf", "patternProperties", "prefixItems", "discriminator")

# Keywords that only narrow what is allowed; nothing checks them.
_UNCHECKED = ("not", "if", "dependentRequired", "dependentSchemas", "contains", "propertyNames", "unevaluatedItems")

_SECRET_WORDS = ("secret", "password", "access_token", "refresh_token", "api_key", "apikey", "accesstoken")


def read(document: Document) -> Contract:
    """Return what a document says.

    Args:
        document: The document.

    Returns:
        Its schemas and operations, with a note on everything that was given a name or is not checked.

    Raises:
        Refused: Something in it cannot be represented exactly, or contradicts itself.
    """
    schemas = SchemaReader(document)
    found = OperationReader(document, schemas).read(operations(document))
    return Contract(
        title=UntrustedString(document.root["info"].text("title")),
        version=UntrustedString(document.version),
        schemas=tuple(schemas.found.values()),
        operations=tuple(found),
        notes=tuple(schemas.notes),
    )


class SchemaReader:
    """Turns schemas into types; the classes that they need are collected in `found`, by pointer."""

    def __init__(self, document: Document) -> None:
        """Name and read every named schema of the document."""
        self.document = document
        self.found: dict[str, Schema] = {}
        self.notes: list[str] = []
        self._classes: dict[str, Class] = {}
        self._reading: set[str] = set()
        components = document.root.get("components")
        named = list(components.children("schemas")) if components else []
        for name, schema in named:
            self._name_class(schema, name)
        for _, schema in named:
            self._define(schema)

    @property
    def class_names(self) -> set[str]:
        """The names of all classes so far: a property or a keyword of such a name would hide the class."""
        return {str(known.name) for known in self._classes.values()}

    def type_of(self, schema: Node, name: str) -> Type:
        """Return the type of a schema.

        Args:
            schema: The schema, or a reference to one.
            name: What a class is called if the schema needs one and is not a component.

        Returns:
            The type; the classes that it names are in `found` by then, or will be.

        Raises:
            Refused: It cannot be represented exactly.
        """
        target = self.document.resolve(schema)
        if target.pointer != schema.pointer:
            return self._referenced(target, name)
        if target.value is True or target.value == {}:
            return Type.of("Any")
        if not target.names:
            raise target.refused("this is no schema", "Write an object of JSON Schema keywords.")
        self._note_unchecked(target)
        return self._of_keywords(target, name)

    def constraints(self, schema: Node) -> dict[str, Any]:
        """Return the constraints that a value of a schema must meet, down to where a class takes over."""
        target = self.document.resolve(schema)
        if target.get("properties"):
            return {}
        found = {key: target[key].value for key in target.names if key in CONSTRAINTS}
        items = target.get("items")
        inner = self.constraints(items) if items else {}
        return found | ({"items": inner} if inner else {})

    def properties(self, schema: Node) -> dict[str, Property]:
        """Return the properties of an object schema, by their names on the wire."""
        target = self.document.resolve(schema)
        return {found.name.get_untrusted_value(): found for found in self.found[target.pointer].properties}

    def has_properties(self, schema: Node) -> bool:
        """Tell whether a schema is an object with properties of its own."""
        target = self.document.resolve(schema)
        return target.pointer in self.found and self.found[target.pointer].kind == "object"

    def is_object(self, schema: Node) -> bool:
        """Tell whether the values of a schema may be objects of any kind."""
        target = self.document.resolve(schema)
        return "object" in _kinds(target)

    def _referenced(self, target: Node, name: str) -> Type:
        if target.pointer in self._reading:
            if self._is_class(target):
                return self._class_type(target)
            raise target.refused(
                "this schema refers to itself without an object between", "Put the recursion into a property."
            )
        if target.pointer.startswith("#/components/schemas/"):
            self._define(target)
            return self._component_type(target)
        return self.type_of(target, name)

    def _component_type(self, target: Node) -> Type:
        """Return a class, or an alias: by its name unless importing that could run in a circle."""
        schema = self.found[target.pointer]
        if schema.target is None:
            return self._class_type(target)
        named = Type((schema.name,), (schema.name,), frozenset({schema.name}))
        return schema.target if schema.target.classes else named

    def _define(self, schema: Node) -> None:
        """Read a named schema: a class of its own, or an alias."""
        if schema.pointer in self.found or schema.pointer in self._reading:
            return
        self._reading.add(schema.pointer)
        if self._is_class(schema):
            self._define_class(schema)
        else:
            target = self.type_of(schema, self._classes[schema.pointer].name)
            self._add(schema, "alias", target=target)
        self._reading.discard(schema.pointer)

    def _define_class(self, schema: Node) -> None:
        self._note_unchecked(schema)
        self._refuse_unsupported(schema)
        if self._is_enum(schema):
            self._add(schema, "enum", members=self._members(schema))
        else:
            self._add(schema, "object", properties=tuple(self._read_properties(schema)))

    def _add(self, schema: Node, kind: Any, **facts: Any) -> None:
        self.found[schema.pointer] = Schema(
            kind=kind,
            class_info=self._classes[schema.pointer],
            pointer=schema.pointer,
            description=described(schema),
            **facts,
        )

    def _class_type(self, schema: Node) -> Type:
        name, also = str(self._classes[schema.pointer].name), "Mapping[str, Any]"
        if self._is_enum(schema):
            also = f"Literal[{', '.join(ascii(value) for value in schema.array('enum') if value is not None)}]"
        return _optional(schema, Type((name,), (name, also), frozenset({name})))

    def _own_class(self, schema: Node, name: str) -> Type:
        """Return the type of a class that stands in place, giving it a name if it has none yet."""
        if schema.pointer not in self._classes:
            self._name_class(schema, name)
        self._define(schema)
        return self._class_type(schema)

    def _of_keywords(self, schema: Node, name: str) -> Type:
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if alternatives is not None and not schema.get("discriminator"):
            return self._nullable_alternative(schema, alternatives, name)
        if len(schema.array("allOf")) == 1 and not schema.get("properties"):
            return _optional(schema, self.type_of(next(schema["allOf"].elements()), name))
        self._refuse_unsupported(schema)
        if schema.get("const"):
            return self._constant(schema)
        if schema.get("enum"):
            return self._own_class(schema, name) if self._is_enum(schema) else self._mixed(schema)
        return self._of_types(schema, name)

    def _nullable_alternative(self, schema: Node, alternatives: Node, name: str) -> Type:
        """Return the type of `oneOf: [X, {type: null}]`; other unions are not supported."""
        found = list(alternatives.elements())
        inner = [alternative for alternative in found if alternative.value != {"type": "null"}]
        if len(inner) != 1 or any(schema.get(key) for key in ("properties", "type", "enum", "allOf")):
            self._refuse_unsupported(schema)
        type_ = self.type_of(inner[0], name)
        return type_ if len(inner) == len(found) else type_.union(Type.of("None"))

    def _of_types(self, schema: Node, name: str) -> Type:
        kinds = _kinds(schema)
        if len(kinds - {"null"}) > 1 and kinds & {"array", "object"}:
            raise schema["type"].refused("a union with an array or an object", "Only unions of scalars are supported.")
        parts = [self._of_kind(schema, kind, name) for kind in sorted(kinds - {"null"})]
        found = parts[0].union(*parts[1:]) if parts else Type.of("None" if kinds else "Any")
        return found.union(Type.of("None")) if "null" in kinds and found.declared != "Any" else found

    def _of_kind(self, schema: Node, kind: str, name: str) -> Type:
        if kind == "object":
            return self._object(schema, name)
        if kind == "array":
            items = schema.get("items")
            inner = self.type_of(items, f"{name}Item") if items else Type.of("Any")
            return inner.within("list")
        form = schema.text("format") or None
        annotation = _SCALARS.get((kind, form)) or _SCALARS.get((kind, None))
        if annotation is None:
            raise schema["type"].refused(f"`{kind}` is no type", "Use a type of JSON Schema.")
        return Type.of(annotation)

    def _object(self, schema: Node, name: str) -> Type:
        if any(schema.children("properties")):
            return self._own_class(schema, name)
        values = schema.get("additionalProperties")
        if values is None or isinstance(values.value, bool):
            return Type.of("dict[str, Any]")
        inner = self.type_of(values, f"{name}Value")
        return Type((f"dict[str, {inner.declared}]",), (f"dict[str, {inner.accepted}]",), inner.classes)

    def _constant(self, schema: Node) -> Type:
        value = schema["const"].value
        if not isinstance(value, str | int | None):
            raise schema["const"].refused("a constant of this type", "Use a text, integer or boolean.")
        return Type.of("None" if value is None else f"Literal[{value!a}]")

    def _mixed(self, schema: Node) -> Type:
        values = schema.array("enum")
        if not values or not all(isinstance(value, str | int | None) for value in values):
            raise schema["enum"].refused("an enum of other values", "Use texts, integers and booleans.")
        return Type.of(f"Literal[{', '.join(ascii(value) for value in values)}]")

    def _read_properties(self, schema: Node) -> Iterator[Property]:
        required = schema.array("required")
        owner = str(self._classes[schema.pointer].name)
        exact = {name for name, _ in schema.children("properties") if naming.is_exact(name)} - self.class_names
        taken = exact | self.class_names
        for name, node in schema.children("properties"):
            python_name = name if name in exact else naming.identifier(name, taken)
            taken.add(python_name)
            yield self._property(name, python_name, node, name in required, owner)
        self._require_declared(schema, required)

    def _property(self, name: str, python_name: str, node: Node, required: bool, owner: str) -> Property:
        target = self.document.resolve(node)
        return Property(
            name=UntrustedString(name),
            python_name=python_name,
            type=self.type_of(node, f"{owner}{pascal_case(name)}"),
            required=required,
            description=described(node if node.text("description") else target),
            secret=target.text("format") == "password" or name.lower() in _SECRET_WORDS,
            deprecated=node.flag("deprecated") or target.flag("deprecated"),
            constraints=self.constraints(node),
            pointer=node.pointer,
        )

    def _require_declared(self, schema: Node, required: list[Any]) -> None:
        for name in required:
            if name not in schema["properties"].names:
                raise schema["required"].refused(
                    f"`{name}` is required but is no property", "Declare it, or do not require it."
                )

    def _members(self, schema: Node) -> dict[str, str | int]:
        members: dict[str, str | int] = {}
        for value in schema.array("enum"):
            if value is not None and value not in members.values():
                members[naming.member_name(value, members)] = value
        return members

    def _is_class(self, schema: Node) -> bool:
        if self._is_enum(schema):
            return True
        composed = any(schema.get(key) for key in ("allOf", "oneOf", "anyOf"))
        return any(schema.children("properties")) and not composed and _kinds(schema) - {"null"} == {"object"}

    def _is_enum(self, schema: Node) -> bool:
        kinds: set[type[Any]] = {type(value) for value in schema.array("enum") if value is not None}
        return len(kinds) == 1 and kinds <= {str, int} and not schema.get("const")

    def _name_class(self, schema: Node, name: str) -> None:
        modules = {str(known.module_name) for known in self._classes.values()}
        found = naming.class_name(name, self.class_names)
        if found != name and schema.pointer.startswith("#/components/schemas/"):
            self.notes.append(f"{schema.pointer}: the schema is called `{found}`")
        module = naming.module_name(found, modules)
        self._classes[schema.pointer] = Class(
            name=str.__new__(ClassName, found), module_name=str.__new__(PythonIdentifier, module)
        )

    def _refuse_unsupported(self, schema: Node) -> None:
        for key in _UNSUPPORTED:
            if schema.get(key):
                raise schema[key].refused(
                    f"`{key}` cannot be represented here", "Only an alternative with null is supported."
                )
        values = schema.get("additionalProperties")
        if values is not None and values.value is not False and any(schema.children("properties")):
            raise values.refused(
                "`additionalProperties` beside `properties` cannot be represented", "Use one of the two."
            )

    def _note_unchecked(self, schema: Node) -> None:
        for key in _UNCHECKED:
            if schema.get(key):
                self.notes.append(f"{schema[key].pointer}: `{key}` is not checked")


def _kinds(schema: Node) -> set[str]:
    """Return the JSON types that a schema names, `null` for 3.0's `nullable` too."""
    named = schema.get("type")
    one = named is not None and isinstance(named.value, str)
    kinds = {schema.text("type")} if one else {str(kind) for kind in schema.array("type")}
    if not kinds and (schema.get("properties") or schema.get("additionalProperties")):
        kinds.add("object")
    if not kinds and schema.get("items"):
        kinds.add("array")
    return kinds | {"null"} if kinds and schema.flag("nullable") else kinds


def _optional(schema: Node, found: Type) -> Type:
    return found.union(Type.of("None")) if None in schema.array("enum") or "null" in _kinds(schema) else found
