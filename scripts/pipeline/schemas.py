"""Read the schemas of a document: each becomes a type, and where the type needs one, a class.

A schema is one of a few kinds: a scalar, an enum, an array, an object (with properties, with further ones, or a map),
a union, or a name for one of these. What is put together by `allOf` is put together first (`merging`).
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from openapi_python_client.parser.properties import Class
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import ClassName, PythonIdentifier, pascal_case

from . import naming
from .contract import ANY, NULL, Property, Schema, Type, described
from .document import Document, Node
from .loading import is_object
from .merging import made, merged

_SCALARS = {
    "string": Type.of("str", "str"),
    "integer": Type.of("int", "int"),
    "number": Type.of("float", "float"),
    "boolean": Type.of("bool", "bool"),
    "null": NULL,
}

_FORMATS = {
    ("string", "date-time"): Type.of("datetime.datetime", "str"),
    ("string", "date"): Type.of("datetime.date", "str"),
    ("string", "uuid"): Type.of("UUID", "str"),
    ("string", "byte"): Type.of("bytes", "str"),
    ("string", "decimal"): Type.of("Decimal", "str"),
    ("string", "binary"): Type(("_types.File",), ("_types.File", "bytes"), ("own",)),
}

# Keywords that are checked when a request is built.
CONSTRAINTS = frozenset(
    {"minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)

# Keywords that only narrow what is allowed; nothing checks them, and a note says so.
UNCHECKED = frozenset(
    {"not", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames", "prefixItems"}
    | {"dependentRequired", "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties"}
    | {"patternProperties"}
)

# Keywords that say what a value looks like.
_SHAPE = ("$ref", "type", "properties", "additionalProperties", "items", "enum", "const", "allOf", "oneOf", "anyOf")

# Keywords of a base that every variant of a union shares.
_SHARED = ("properties", "required", "additionalProperties", "items", "allOf")

_KIND_OF_VALUE: dict[type[Any], str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}

_SECRET_WORDS = ("secret", "password", "access_token", "refresh_token", "api_key", "apikey", "accesstoken")

_COMPONENTS = "#/components/schemas/"


class SchemaReader:
    """Turns schemas into types; the classes that they need are collected in `found`, by pointer."""

    def __init__(self, document: Document) -> None:
        """Name and read every named schema of the document."""
        self.document = document
        self.found: dict[str, Schema] = {}
        self.notes: list[str] = []
        self.class_names: set[str] = set()
        self._modules: set[str] = set()
        self._classes: dict[str, Class] = {}
        self._types: dict[str, Type] = {}
        self._merged: dict[str, Node] = {}
        self._defining: set[str] = set()
        self._reading: set[str] = set()
        self._recursive: set[str] = set()
        components = document.root.get("components")
        self._components = dict(components.children("schemas")) if components else {}
        self.class_names.update(name for name in self._components if naming.is_plain(name))
        for name, schema in self._components.items():
            self._name_class(schema, name)
        for schema in self._components.values():
            self._define(schema)

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
        target = self._resolved(schema)
        if target.pointer != schema.pointer:
            return self._referenced(target, name)
        return self._in_place(target, name)

    def constraints(self, schema: Node) -> dict[str, Any]:
        """Return the constraints that a value of a schema must meet, down to where a class takes over."""
        target = self._whole(self._resolved(schema))
        if any(target.children("properties")):
            return {}
        found = self._limits(target)
        found |= {key: target[key].value for key in ("enum", "const") if target.get(key) and not _is_literal(target)}
        items = target.get("items")
        inner = self.constraints(items) if items and items.pointer not in self._reading else {}
        return found | ({"items": inner} if inner else {})

    def _limits(self, target: Node) -> dict[str, Any]:
        """Return the constraints of one schema, those of 3.0 in the words of 3.1, patterns in Python's dialect."""
        found = {key: target[key].value for key in target.names if key in CONSTRAINTS}
        for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and limit in found:
                found[exclusive] = found.pop(limit)
        if "pattern" in found:
            pattern = python_pattern(str(found.pop("pattern")))
            if pattern is None:
                self.notes.append(f"{target.pointer}/pattern: is not checked, Python has no such pattern")
            else:
                found["pattern"] = pattern, target.text("pattern")
        return found

    def objects(self, found: Type) -> list[Schema]:
        """Return the objects that a type stands for: a class, or the variants of a union; none if there are others."""
        by_name = {schema.name: schema for schema in self.found.values()}
        objects: list[Schema] = []
        for declared in found.declares:
            schema = by_name.get(declared)
            if schema is None or schema.kind not in ("object", "union"):
                return []
            inner = [schema] if schema.kind == "object" else self._objects_of(schema)
            if not inner:
                return []
            objects += inner
        return objects

    def kinds(self, schema: Node) -> set[str]:
        """Return the JSON types that a schema names."""
        return _kinds(self._whole(self._resolved(schema)))

    def _objects_of(self, union: Schema) -> list[Schema]:
        found: list[Schema] = []
        for variant in union.variants:
            objects = self.objects(Type.of(variant, "own"))
            if not objects:
                return []
            found += objects
        return found

    # -- where a schema stands ---------------------------------------------------------------------------------------

    def _resolved(self, schema: Node) -> Node:
        """Return what a schema refers to; in 3.1 a reference may have keywords beside it, which hold as well."""
        beside = [key for key in schema.names if key in CONSTRAINTS or key in _SHAPE or key == "required"]
        if "$ref" not in beside or len(beside) == 1 or self.document.root.text("openapi").startswith("3.0"):
            return self.document.resolve(schema)
        reference = made(schema, {"$ref": schema["$ref"]})
        rest = made(schema, {key: schema[key] for key in schema.names if key != "$ref"})
        pair = Node([reference.value, rest.value], schema.pointer, schema.document, {0: reference, 1: rest})
        return made(schema, {"allOf": pair})

    def _whole(self, schema: Node) -> Node:
        """Return a schema without `allOf`."""
        if not schema.get("allOf"):
            return schema
        if schema.pointer not in self._merged:
            self._merged[schema.pointer] = merged(self.document, schema)
        return self._merged[schema.pointer]

    def _referenced(self, target: Node, name: str) -> Type:
        if target.pointer in self._defining:
            return self._class_type(target)
        if target.pointer in self._reading:
            self._recursive.add(target.pointer)
            return self._own_type(self._named(target, name))
        if target.pointer.startswith(_COMPONENTS) and target.pointer.count("/") == 3:
            self._define(target)
            heirs = self._heirs(target)
            return self._polymorphic(target, heirs) if heirs else self._types[target.pointer]
        return self._in_place(target, name)

    def _define(self, schema: Node) -> None:
        """Read a named schema: a class of its own, or a name for something else."""
        if schema.pointer in self._types or schema.pointer in self._defining | self._reading:
            return
        if self._is_class(self._whole(schema)):
            self._types[schema.pointer] = self._own_class(schema, self._named(schema, ""))
            return
        found = self.type_of(schema, self._named(schema, ""))
        if schema.pointer not in self.found:
            self._add(schema, "alias", target=found)
            found = self._alias_type(schema, found)
        self._types[schema.pointer] = found

    def _alias_type(self, schema: Node, target: Type) -> Type:
        """Return an alias by its name, unless importing it could run in a circle."""
        if target.classes or len(target.shapes) > 1:
            return target
        name = self._named(schema, "")
        return Type((name,), (name,), target.shapes, frozenset({name}))

    def _in_place(self, schema: Node, name: str) -> Type:
        if schema.value is True or schema.value == {}:
            return ANY
        if not schema.names:
            raise schema.refused("this is no schema", "Write an object of JSON Schema keywords.")
        self._reading.add(schema.pointer)
        found = self._of_keywords(schema, name)
        self._reading.discard(schema.pointer)
        if schema.pointer in self._recursive and schema.pointer not in self.found:
            return self._own_union(schema, name, [found], {})
        return found

    # -- kinds of schemas --------------------------------------------------------------------------------------------

    def _of_keywords(self, schema: Node, name: str) -> Type:
        self._note_unchecked(schema)
        elements = list(schema["allOf"].elements()) if schema.get("allOf") else []
        if len(elements) == 1 and not any(schema.get(key) for key in _SHAPE if key not in ("allOf", "type")):
            return _optional(schema, self.type_of(elements[0], name))
        whole = self._whole(schema)
        if whole.get("oneOf") or whole.get("anyOf"):
            return self._union(whole, name)
        if not any(whole.get(key) for key in _SHAPE):
            return ANY
        if _is_literal(whole):
            return self._own_class(schema, name) if _is_enum(whole) else _literal(whole)
        return self._of_types(schema, whole, name)

    def _of_types(self, schema: Node, whole: Node, name: str) -> Type:
        kinds = _kinds(whole) or _kinds_of_values(whole)
        if not kinds:
            return ANY
        first, *others = [self._of_kind(schema, whole, kind, name) for kind in sorted(kinds, key=_null_last)]
        return first.union(*others)

    def _of_kind(self, schema: Node, whole: Node, kind: str, name: str) -> Type:
        if kind == "object":
            return self._object(schema, whole, name)
        if kind == "array":
            items = whole.get("items")
            inner = self.type_of(items, f"{name}Item") if items else ANY
            return inner.within("list[{}]", "array")
        if kind not in _SCALARS:
            raise schema.refused(f"`{kind}` is no type", "Use a type of JSON Schema.")
        return _FORMATS.get((kind, whole.text("format")), _SCALARS[kind])

    def _object(self, schema: Node, whole: Node, name: str) -> Type:
        if _has_properties(whole):
            return self._own_class(schema, name)
        values = whole.get("additionalProperties")
        inner = self.type_of(values, f"{name}Value") if values is not None and is_object(values.value) else ANY
        return inner.within("dict[str, {}]", "object")

    # -- classes -----------------------------------------------------------------------------------------------------

    def _is_class(self, whole: Node) -> bool:
        if _is_literal(whole):
            return _is_enum(whole)
        return _has_properties(whole) and not _has_alternatives(whole) and _kinds(whole) - {"null"} == {"object"}

    def _own_class(self, schema: Node, name: str) -> Type:
        """Return the type of a class that stands in place, giving it a name if it has none yet."""
        self._named(schema, name)
        if schema.pointer not in self.found and schema.pointer not in self._defining:
            self._defining.add(schema.pointer)
            whole = self._whole(schema)
            if _is_literal(whole):
                self._add(schema, "enum", members=_members(whole))
            else:
                self._add(schema, "object", properties=tuple(self._properties(whole)), extra=self._extra(whole))
            self._defining.discard(schema.pointer)
        return self._class_type(schema)

    def _class_type(self, schema: Node) -> Type:
        name, whole = self._named(schema, ""), self._whole(schema)
        if _is_literal(whole):
            also = f"Literal[{', '.join(ascii(value) for value in whole.array('enum') if value is not None)}]"
            shape = "int" if isinstance(whole.array("enum")[0], int) else "str"
        else:
            extra = whole.get("additionalProperties")
            also, shape = "Mapping[str, Any]", "own" if extra is not None and extra.value is not False else "object"
        return _optional(whole, Type((name,), (name, also), (shape,), frozenset({name})))

    def _properties(self, whole: Node) -> Iterator[Property]:
        owner, required = self._named(whole, ""), whole.array("required")
        declared = dict(whole.children("properties"))
        names = [*declared, *(name for name in required if isinstance(name, str) and name not in declared)]
        exact = {name for name in names if naming.is_exact(name)} - self.class_names
        taken = exact | self.class_names
        for name in names:
            python_name = name if name in exact else naming.identifier(name, taken)
            taken.add(python_name)
            node = declared.get(name) or Node({}, f"{whole.pointer}/required/{required.index(name)}", whole.document)
            yield self._property(name, python_name, node, name in required, owner)

    def _property(self, name: str, python_name: str, node: Node, required: bool, owner: str) -> Property:
        target = self._resolved(node)
        return Property(
            name=UntrustedString(name),
            python_name=python_name,
            type=self.type_of(node, f"{owner}{pascal_case(name)}"),
            required=required,
            description=_described_property(node if node.text("description") else target, target),
            secret=target.text("format") == "password" or name.lower() in _SECRET_WORDS,
            deprecated=node.flag("deprecated") or target.flag("deprecated"),
            constraints=self.constraints(node),
            read_only=node.flag("readOnly") or target.flag("readOnly"),
            write_only=node.flag("writeOnly") or target.flag("writeOnly"),
            pointers=(node.pointer, *node.also),
        )

    def _extra(self, whole: Node) -> Type | None:
        values = whole.get("additionalProperties")
        if values is None or values.value is False:
            return None
        return self.type_of(values, f"{self._named(whole, '')}Value")

    # -- unions ------------------------------------------------------------------------------------------------------

    def _union(self, schema: Node, name: str) -> Type:
        key = "oneOf" if schema.get("oneOf") else "anyOf"
        if schema.get("oneOf") and schema.get("anyOf"):
            raise schema["anyOf"].refused("`anyOf` beside `oneOf`", "Write one of the two.")
        alternatives = list(schema[key].elements())
        if not any(self._has_shape(alternative) for alternative in alternatives):
            self.notes.append(f"{schema[key].pointer}: `{key}` only narrows what is allowed; it is not checked")
            return self._of_keywords(made(schema, {k: schema[k] for k in schema.names if k != key}), name)
        arms = {place.pointer: self._arm(schema, place, name, index) for index, place in enumerate(alternatives)}
        found = next(iter(arms.values())).union(*list(arms.values())[1:])
        if "null" in _kinds(schema):
            found = found.union(NULL)
        if found.is_native:
            return found
        variants = {arm.without_null().declares: arm.without_null() for arm in arms.values() if arm != NULL}
        own = self._own_union(schema, name, list(variants.values()), arms)
        return own.union(NULL) if "None" in found.declares else own

    def _arm(self, schema: Node, place: Node, name: str, index: int) -> Type:
        """Return the type of an alternative, which has what the schema says beside its alternatives as well."""
        shared = made(place, {key: schema[key] for key in _SHARED if schema.get(key)})
        arm = place
        if any(shared.get(key) for key in _SHARED if key != "required") or (
            shared.names and self._is_objectlike(place)
        ):
            pair = Node([shared.value, place.value], f"{place.pointer}/allOf", place.document, {0: shared, 1: place})
            arm = made(place, {"allOf": pair})
        return self.type_of(arm, f"{name}{pascal_case(place.text('title')) or index + 1}")

    def _is_objectlike(self, place: Node) -> bool:
        return _has_properties(self._whole(self._resolved(place)))

    def _has_shape(self, schema: Node) -> bool:
        return schema.value in (True, {}) or any(schema.get(key) for key in _SHAPE)

    def _own_union(self, schema: Node, name: str, variants: list[Type], arms: Mapping[str, Type]) -> Type:
        named = self._named(schema, name)
        self._add(
            schema,
            "union",
            target=variants[0].union(*variants[1:]),
            variants=tuple(variant.declared for variant in variants),
            **self._discriminator(schema, arms),
        )
        also = {found for variant in variants for found in variant.accepts if found not in variant.declares}
        return Type((named,), (named, *sorted(also)), ("own",), frozenset({named}))

    def _discriminator(self, schema: Node, arms: Mapping[str, Type]) -> dict[str, Any]:
        """Return the property that tells variants apart, and its values: the mapping's, and names of components."""
        discriminator = schema.get("discriminator")
        if discriminator is None or not discriminator.text("propertyName"):
            return {}
        by_pointer: dict[str, str] = {}
        mapping: dict[UntrustedString, str] = {}
        for place, arm in arms.items():
            node = self.document.at(place)
            reference = node.text("$ref") if node is not None else ""
            if reference and arm.shapes in (("object",), ("own",), ("object", "null"), ("own", "null")):
                by_pointer[reference] = arm.without_null().declared
                mapping[UntrustedString(reference.rpartition("/")[2])] = by_pointer[reference]
        for value, reference_node in discriminator.children("mapping"):
            reference = str(reference_node.value)
            pointer = reference if reference.startswith("#") else f"{_COMPONENTS}{reference}"
            if pointer in by_pointer:
                mapping[UntrustedString(value)] = by_pointer[pointer]
        return {"discriminator": UntrustedString(discriminator.text("propertyName")), "mapping": mapping}

    def _heirs(self, base: Node) -> list[Node]:
        """Return the components that are made of a base with a discriminator, by `allOf`."""
        if not base.get("discriminator") or _has_alternatives(base):
            return []
        return [schema for schema in self._components.values() if self._is_heir(schema, base.pointer, ())]

    def _is_heir(self, schema: Node, base: str, above: tuple[str, ...]) -> bool:
        if not schema.get("allOf") or schema.pointer in above:
            return False
        elements = [self.document.resolve(element) for element in schema["allOf"].elements()]
        return any(found.pointer == base or self._is_heir(found, base, (*above, schema.pointer)) for found in elements)

    def _polymorphic(self, base: Node, heirs: list[Node]) -> Type:
        """Return the union of a base and its heirs, which is what a reference to the base stands for."""
        place = base["discriminator"]
        if place.pointer not in self._types:
            self._types[place.pointer] = self._own_type(self._named(place, f"Any{self._named(base, '')}"))
            kinds = {schema.pointer: schema for schema in [*heirs, base]}
            for schema in kinds.values():
                self._define(schema)
            arms = {pointer: self._class_type(schema).without_null() for pointer, schema in kinds.items()}
            mapping = {UntrustedString(pointer.rpartition("/")[2]): arm.declared for pointer, arm in arms.items()}
            for value, reference in place.children("mapping"):
                pointer = str(reference.value)
                pointer = pointer if pointer.startswith("#") else f"{_COMPONENTS}{pointer}"
                if pointer in arms:
                    mapping[UntrustedString(value)] = arms[pointer].declared
            self._add(
                place,
                "union",
                target=next(iter(arms.values())).union(*arms.values()),
                variants=tuple(arm.declared for arm in arms.values()),
                discriminator=UntrustedString(place.text("propertyName")),
                mapping=mapping,
            )
        return self._types[place.pointer]

    # -- names and notes ---------------------------------------------------------------------------------------------

    def _own_type(self, name: str) -> Type:
        return Type((name,), (name, "Mapping[str, Any]"), ("own",), frozenset({name}))

    def _add(self, schema: Node, kind: Literal["object", "enum", "union", "alias"], **facts: Any) -> None:
        self.found[schema.pointer] = Schema(
            kind=kind,
            class_info=self._classes[schema.pointer],
            pointer=schema.pointer,
            description=described(schema),
            **facts,
        )

    def _named(self, schema: Node, name: str) -> str:
        """Return the name of a schema's class, giving it one if it has none yet."""
        if schema.pointer not in self._classes:
            self._name_class(schema, name)
        return str(self._classes[schema.pointer].name)

    def _name_class(self, schema: Node, name: str) -> None:
        component = schema.pointer.startswith(_COMPONENTS) and schema.pointer.count("/") == 3
        found = naming.class_name(name, self.class_names - {name} if component else self.class_names)
        if found != name and component:
            self.notes.append(f"{schema.pointer}: the schema is called `{found}`")
        # A module that bears a class's name would be found in its place.
        module = naming.module_name(found, self._modules | self.class_names | {found})
        self.class_names.add(found)
        self._modules.add(module)
        self._classes[schema.pointer] = Class(
            name=str.__new__(ClassName, found), module_name=str.__new__(PythonIdentifier, module)
        )

    def _note_unchecked(self, schema: Node) -> None:
        for key in schema.names:
            if key in UNCHECKED:
                self.notes.append(f"{schema[key].pointer}: `{key}` is not checked")


def python_pattern(pattern: str) -> str | None:
    """Return a pattern of JSON Schema's dialect (ECMA-262) as Python writes it; None where Python has no such one."""
    parts = re.split(r"(\\.|\[(?:\\.|[^\]\\])*\])", pattern)
    written = "".join(part if index % 2 else part.replace("$", r"\Z") for index, part in enumerate(parts))
    written = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", written)
    try:
        with warnings.catch_warnings(action="error"):  # what Python will read otherwise one day is none of its patterns
            re.compile(written, re.ASCII)
    except (re.error, RecursionError, OverflowError, Warning):
        return None
    return written


def _described_property(node: Node, target: Node) -> UntrustedString:
    """Return a property's description and the API's default, which is never sent by itself."""
    default = target.get("default")
    words = described(node)
    if default is None:
        return words
    return UntrustedString(f"{words.get_untrusted_value()}\n\nThe API's default: `{default.value!r}`.".strip())


def _kinds(schema: Node) -> set[str]:
    """Return the JSON types that a schema names or implies, `null` for 3.0's `nullable` too."""
    named = schema.get("type")
    one = named is not None and isinstance(named.value, str)
    kinds = {schema.text("type")} if one else {str(kind) for kind in schema.array("type")}
    if not kinds and (schema.get("properties") or schema.get("additionalProperties") or schema.get("required")):
        kinds.add("object")
    if not kinds and schema.get("items"):
        kinds.add("array")
    return kinds | {"null"} if kinds and schema.flag("nullable") else kinds


def _kinds_of_values(schema: Node) -> set[str]:
    """Return the JSON types of the values that an enum or a constant allows."""
    return {_KIND_OF_VALUE[type(value)] for value in _values(schema)}


def _null_last(kind: str) -> tuple[bool, str]:
    return kind == "null", kind


def _values(schema: Node) -> list[Any]:
    constant = schema.get("const")
    return [constant.value] if constant is not None else schema.array("enum")


def _is_literal(schema: Node) -> bool:
    """Tell whether a schema lists its values, all of them texts, integers or null: what Python's Literal can say."""
    values = _values(schema)
    kinds = _kinds(schema) - {"null"}
    plain = all(value is None or (isinstance(value, str | int) and not isinstance(value, bool)) for value in values)
    return bool(values) and plain and kinds <= {"string", "integer"} and not schema.get("items")


def _is_enum(schema: Node) -> bool:
    """Tell whether a schema is an enum of texts or one of integers."""
    kinds: set[type[Any]] = {type(value) for value in schema.array("enum") if value is not None}
    return len(kinds) == 1 and not schema.get("const")


def _literal(schema: Node) -> Type:
    """Return the type of a constant or of an enum of mixed values."""
    found: list[Type] = []
    for kind, shape in ((str, "str"), (int, "int")):
        values = [value for value in _values(schema) if isinstance(value, kind)]
        if values:
            found.append(Type.of(f"Literal[{', '.join(ascii(value) for value in values)}]", shape))
    if None in _values(schema) or schema.flag("nullable") or "null" in _kinds(schema):
        found.append(NULL)
    return found[0].union(*found[1:])


def _members(schema: Node) -> dict[str, str | int]:
    members: dict[str, str | int] = {}
    for value in schema.array("enum"):
        if value is not None and value not in members.values():
            members[naming.member_name(value, members)] = value
    return members


def _has_properties(schema: Node) -> bool:
    return any(schema.children("properties")) or (any(schema.array("required")) and "object" in _kinds(schema))


def _has_alternatives(schema: Node) -> bool:
    return bool(schema.get("oneOf") or schema.get("anyOf"))


def _optional(schema: Node, found: Type) -> Type:
    nullable = None in schema.array("enum") or schema.flag("nullable") or "null" in _kinds(schema)
    return found.union(NULL) if nullable else found
