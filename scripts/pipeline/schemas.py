"""Read the schemas of a document: each becomes a type, and where the type needs one, a class.

A schema is one of a few kinds: a scalar, an enum, an array, an object (with properties, with further ones, or a map),
a union, or a name for one of these. What is put together by `allOf` is put together first (`merging`).
"""

from collections.abc import Iterator
from typing import Any, Literal

from openapi_python_client.parser.properties import Class
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import ClassName, PythonIdentifier, pascal_case

from . import naming
from .contract import ANY, Property, Schema, Type, described
from .document import COMPONENTS, Document, Node
from .kinds import (
    CONSTRAINTS,
    FORMATS,
    SCALARS,
    SHAPE,
    UNCHECKED,
    has_alternatives,
    has_properties,
    is_enum,
    is_literal,
    kinds_of,
    kinds_of_values,
    literal,
    members_of,
    null_last,
    optional,
    python_pattern,
)
from .loading import is_object
from .merging import made, merged
from .unions import UnionReader

_SECRET_WORDS = ("secret", "password", "access_token", "refresh_token", "api_key", "apikey", "accesstoken")


class SchemaReader:
    """Turns schemas into types; the classes that they need are collected in `found`, by pointer."""

    def __init__(self, document: Document) -> None:
        """Name and read every named schema of the document."""
        self.document = document
        self.found: dict[str, Schema] = {}
        self._unions = UnionReader(self)
        self.notes: list[str] = []
        self.class_names: set[str] = set()
        self._given: set[str] = set()
        self._modules: set[str] = set()
        self._classes: dict[str, Class] = {}
        self.types: dict[str, Type] = {}
        self._merged: dict[str, Node] = {}
        self._defining: set[str] = set()
        self._reading: set[str] = set()
        self._constraining: set[str] = set()
        self._recursive: set[str] = set()
        components = document.root.get("components")
        self.components = dict(components.children("schemas")) if components else {}
        self.class_names.update(name for name in self.components if naming.is_plain(name))
        self._modules.update(self.class_names)
        for name, schema in self.components.items():
            self._name_class(schema, name)
        for schema in self.components.values():
            self.define(schema)

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
        target = self.resolved(schema)
        if target.pointer != schema.pointer:
            return self._referenced(target, name)
        return self._in_place(target, name)

    def constraints(self, schema: Node) -> dict[str, Any]:
        """Return the constraints that a value of a schema must meet, down to where a class takes over."""
        target = self.whole(self.resolved(schema))
        if any(target.children("properties")):  # a class takes over, all but how many properties there may be
            return {key: target[key].value for key in ("minProperties", "maxProperties") if target.get(key)}
        found = self._limits(target)
        found |= {key: target[key].value for key in ("enum", "const") if target.get(key) and not is_literal(target)}
        found |= self._limits_of_alternatives(target)
        for key in ("items", "additionalProperties"):
            inside = target.get(key)
            if inside is not None and inside.names and inside.pointer not in self._constraining:
                self._constraining.add(inside.pointer)
                inner = self.constraints(inside)
                self._constraining.discard(inside.pointer)
                found |= {key: inner} if inner else {}
        return found

    def _limits_of_alternatives(self, target: Node) -> dict[str, Any]:
        """Return the constraints of alternatives: a keyword says something of one kind of value only."""
        alternatives = target.get("oneOf") or target.get("anyOf")
        found: dict[str, Any] = {}
        for alternative in alternatives.elements() if alternatives else ():
            one = self.resolved(alternative)
            if any(one.children("properties")) or kinds_of(one) & {"object", "array"}:
                continue
            for key, limit in self._limits(one).items():
                if found.setdefault(key, limit) != limit:
                    self.notes.append(f"{one.pointer}/{key}: is not checked, another alternative says otherwise")
                    found[key] = None
        return {key: limit for key, limit in found.items() if limit is not None}

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
        return kinds_of(self.whole(self.resolved(schema)))

    def _objects_of(self, union: Schema) -> list[Schema]:
        found: list[Schema] = []
        for variant in union.variants:
            objects = self.objects(Type.of(variant, "own"))
            if not objects:
                return []
            found += objects
        return found

    # -- where a schema stands ---------------------------------------------------------------------------------------

    def resolved(self, schema: Node) -> Node:
        """Return what a schema refers to; in 3.1 a reference may have keywords beside it, which hold as well."""
        beside = [key for key in schema.names if key in CONSTRAINTS or key in SHAPE or key == "required"]
        if "$ref" not in beside:
            return schema
        if len(beside) == 1 or self.document.root.text("openapi").startswith("3.0"):
            self.document.resolve(schema)  # it may lead nowhere or in a circle
            return self.resolved(self.document.follow(schema["$ref"]))
        reference = made(schema, {"$ref": schema["$ref"]})
        rest = made(schema, {key: schema[key] for key in schema.names if key != "$ref"})
        pair = Node([reference.value, rest.value], schema.pointer, schema.document, {0: reference, 1: rest})
        return made(schema, {"allOf": pair})

    def whole(self, schema: Node) -> Node:
        """Return a schema without `allOf`."""
        if not schema.get("allOf"):
            return schema
        if schema.pointer not in self._merged:
            self._merged[schema.pointer] = merged(self.document, schema)
        return self._merged[schema.pointer]

    def _referenced(self, target: Node, name: str) -> Type:
        if target.pointer in self._defining:
            return self.class_type(target)
        if target.pointer in self._reading:
            self._recursive.add(target.pointer)
            return self.own_type(self.named(target, name))
        if target.pointer.startswith(COMPONENTS) and target.pointer.count("/") == 3:
            heirs = self._unions.heirs(target)
            if heirs:
                return self._unions.of_heirs(target, heirs)
            if self._is_class(self.whole(target)):
                return self.class_type(target)  # not read here: a chain of references may be long
            self.define(target)
            return self.types[target.pointer]
        return self._in_place(target, name)

    def define(self, schema: Node) -> None:
        """Read a named schema: a class of its own, or a name for something else."""
        if schema.pointer in self.types or schema.pointer in self._defining | self._reading:
            return
        if self._is_class(self.whole(schema)):
            self.types[schema.pointer] = self._own_class(schema, self.named(schema, ""))
            return
        found = self.type_of(schema, self.named(schema, ""))
        if schema.pointer not in self.found:
            self.add(schema, "alias", target=found)
            found = self._alias_type(schema, found)
        self.types[schema.pointer] = found

    def _alias_type(self, schema: Node, target: Type) -> Type:
        """Return an alias by its name, unless importing it could run in a circle."""
        if target.classes or len(target.shapes) > 1:
            return target
        name = self.named(schema, "")
        return Type((name,), (name,), target.shapes, frozenset({name}))

    def _in_place(self, schema: Node, name: str) -> Type:
        if schema.value is True or schema.value == {}:
            return ANY
        if not schema.names:
            raise schema.refused("this is no schema", "Write an object of JSON Schema keywords.")
        self._reading.add(schema.pointer)
        found = self.of_keywords(schema, name)
        self._reading.discard(schema.pointer)
        if schema.pointer in self._recursive and schema.pointer not in self.found:
            return self._unions.mark(schema, name, [found], {})
        return found

    # -- kinds of schemas --------------------------------------------------------------------------------------------

    def of_keywords(self, schema: Node, name: str) -> Type:
        """Return the type of a schema that stands in place, by its keywords."""
        self._note_unchecked(schema)
        elements = list(schema["allOf"].elements()) if schema.get("allOf") else []
        if len(elements) == 1 and not any(schema.get(key) for key in SHAPE if key not in ("allOf", "type")):
            return optional(schema, self.type_of(elements[0], name))
        whole = self.whole(schema)
        if whole.get("oneOf") or whole.get("anyOf"):
            return self._unions.read(whole, name)
        if not any(whole.get(key) for key in SHAPE):
            return ANY
        if is_literal(whole):
            return self._own_class(schema, name) if is_enum(whole) else literal(whole)
        return self._of_types(schema, whole, name)

    def _of_types(self, schema: Node, whole: Node, name: str) -> Type:
        kinds = kinds_of(whole) or kinds_of_values(whole)
        if not kinds:
            return ANY
        first, *others = [self._of_kind(schema, whole, kind, name) for kind in sorted(kinds, key=null_last)]
        return first.union(*others)

    def _of_kind(self, schema: Node, whole: Node, kind: str, name: str) -> Type:
        if kind == "object":
            return self._object(schema, whole, name)
        if kind == "array":
            items = whole.get("items")
            inner = self.type_of(items, f"{name}Item") if items else ANY
            return inner.within("list[{}]", "array")
        if kind not in SCALARS:
            raise schema.refused(f"`{kind}` is no type", "Use a type of JSON Schema.")
        return FORMATS.get((kind, whole.text("format")), SCALARS[kind])

    def _object(self, schema: Node, whole: Node, name: str) -> Type:
        if has_properties(whole):
            return self._own_class(schema, name)
        values = whole.get("additionalProperties")
        inner = self.type_of(values, f"{name}Value") if values is not None and is_object(values.value) else ANY
        return inner.within("dict[str, {}]", "object")

    # -- classes -----------------------------------------------------------------------------------------------------

    def _is_class(self, whole: Node) -> bool:
        if is_literal(whole):
            return is_enum(whole)
        return has_properties(whole) and not has_alternatives(whole) and kinds_of(whole) - {"null"} == {"object"}

    def _own_class(self, schema: Node, name: str) -> Type:
        """Return the type of a class that stands in place, giving it a name if it has none yet."""
        self.named(schema, name)
        if schema.pointer not in self.found and schema.pointer not in self._defining:
            self._defining.add(schema.pointer)
            whole = self.whole(schema)
            if is_literal(whole):
                self.add(schema, "enum", members=members_of(whole))
            else:
                self.add(schema, "object", properties=tuple(self._properties(whole)), **self._extra(whole))
            self._defining.discard(schema.pointer)
        return self.class_type(schema)

    def class_type(self, schema: Node) -> Type:
        """Return the type of a schema that has a class: the class, and what may be passed in its place."""
        name, whole = self.named(schema, ""), self.whole(schema)
        if is_literal(whole):
            also = f"Literal[{', '.join(ascii(value) for value in whole.array('enum') if value is not None)}]"
            shape = "int" if isinstance(whole.array("enum")[0], int) else "str"
        else:
            extra = whole.get("additionalProperties")
            also, shape = "Mapping[str, Any]", "own" if extra is not None and extra.value is not False else "object"
        return optional(whole, Type((name,), (name, also), (shape,), frozenset({name})))

    def _properties(self, whole: Node) -> Iterator[Property]:
        owner, required = self.named(whole, ""), whole.array("required")
        declared = dict(whole.children("properties"))
        names = [*declared, *(name for name in required if isinstance(name, str) and name not in declared)]
        exact = {name for name in names if naming.is_exact(name)} - self.class_names
        taken = exact | self.class_names if len(exact) < len(names) else exact
        for name in names:
            python_name = name if name in exact else naming.identifier(name, taken)
            taken.add(python_name)
            node = declared.get(name) or Node({}, f"{whole.pointer}/required/{required.index(name)}", whole.document)
            yield self._property(name, python_name, node, name in required, owner)

    def _property(self, name: str, python_name: str, node: Node, required: bool, owner: str) -> Property:
        target = self.resolved(node)
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

    def _extra(self, whole: Node) -> dict[str, Any]:
        """Return the type and the constraints of further properties, if there may be some."""
        values = whole.get("additionalProperties")
        if values is None or values.value is False:
            return {}
        found = self.type_of(values, f"{self.named(whole, '')}Value")
        return {"extra": found, "extra_constraints": self.constraints(values)}

    # -- names and notes ---------------------------------------------------------------------------------------------

    def own_type(self, name: str) -> Type:
        """Return the type of a union that has a class of this name."""
        return Type((name,), (name, "Mapping[str, Any]"), ("own",), frozenset({name}))

    def add(self, schema: Node, kind: Literal["object", "enum", "union", "alias"], **facts: Any) -> None:
        """Add what is to be generated for a schema."""
        self.found[schema.pointer] = Schema(
            kind=kind,
            class_info=self._classes[schema.pointer],
            pointer=schema.pointer,
            description=described(schema),
            **facts,
        )

    def named(self, schema: Node, name: str) -> str:
        """Return the name of a schema's class, giving it one if it has none yet."""
        if schema.pointer not in self._classes:
            self._name_class(schema, name)
        return str(self._classes[schema.pointer].name)

    def _name_class(self, schema: Node, name: str) -> None:
        component = schema.pointer.startswith(COMPONENTS) and schema.pointer.count("/") == 3
        found = naming.class_name(name, self._given if component else self.class_names)
        if found != name:  # one that is made up must not be a module's name either
            found = naming.class_name(name, self.class_names | self._modules)
        if found != name and component:
            self.notes.append(f"{schema.pointer}: the schema is called `{found}`")
        self._given.add(found)
        self.class_names.add(found)
        self._modules.add(found)  # a module that bears a class's name would be found in its place
        module = naming.module_name(found, self._modules)
        self._modules.add(module)
        self._classes[schema.pointer] = Class(
            name=str.__new__(ClassName, found), module_name=str.__new__(PythonIdentifier, module)
        )

    def _note_unchecked(self, schema: Node) -> None:
        for key in schema.names:
            if key in UNCHECKED:
                self.notes.append(f"{schema[key].pointer}: `{key}` is not checked")


def _described_property(node: Node, target: Node) -> UntrustedString:
    """Return a property's description and the API's default, which is never sent by itself."""
    default = target.get("default")
    words = described(node)
    if default is None:
        return words
    return UntrustedString(f"{words.get_untrusted_value()}\n\nThe API's default: `{default.value!r}`.".strip())
