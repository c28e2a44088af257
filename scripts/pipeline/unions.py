"""Read unions: alternatives of a schema, and a base with its heirs.

Where the codec can tell the alternatives apart by what they look like, a union is a union of Python; otherwise it gets
a class that stands for it at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import pascal_case

from .contract import NULL, Type
from .document import COMPONENTS, Node
from .kinds import SHAPE, has_alternatives, has_properties, kinds_of
from .merging import made

if TYPE_CHECKING:
    from .schemas import SchemaReader

# Keywords of a base that every variant of a union shares.
_SHARED = ("properties", "required", "additionalProperties", "items", "allOf")


class UnionReader:
    """Reads the unions of a document for a `SchemaReader`."""

    def __init__(self, reader: SchemaReader) -> None:
        """Read for `reader`, which knows all other schemas."""
        self._reader = reader

    def read(self, schema: Node, name: str) -> Type:
        """Return the type of a schema with alternatives.

        Args:
            schema: The schema, without `allOf`.
            name: What a class is called if it needs one.

        Raises:
            Refused: It cannot be represented exactly.
        """
        key = "oneOf" if schema.get("oneOf") else "anyOf"
        if schema.get("oneOf") and schema.get("anyOf"):
            raise schema["anyOf"].refused("`anyOf` beside `oneOf`", "Write one of the two.")
        alternatives = list(schema[key].elements())
        if not any(self._has_shape(alternative) for alternative in alternatives):
            self._reader.notes.append(f"{schema[key].pointer}: `{key}` only narrows what is allowed; it is not checked")
            return self._reader.of_keywords(made(schema, {k: schema[k] for k in schema.names if k != key}), name)
        arms = {place.pointer: self._arm(schema, place, name, index) for index, place in enumerate(alternatives)}
        found = next(iter(arms.values())).union(*list(arms.values())[1:])
        if "null" in kinds_of(schema) or schema.flag("nullable"):
            found = found.union(NULL)
        if found.is_native:
            return found
        variants = {arm.without_null().declares: arm.without_null() for arm in arms.values() if arm != NULL}
        own = self.mark(schema, name, list(variants.values()), arms)
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
        return self._reader.type_of(arm, f"{name}{pascal_case(place.text('title')) or index + 1}")

    def _is_objectlike(self, place: Node) -> bool:
        return has_properties(self._reader.whole(self._reader.resolved(place)))

    def _has_shape(self, schema: Node) -> bool:
        return schema.value in (True, {}) or any(schema.get(key) for key in SHAPE)

    def mark(self, schema: Node, name: str, variants: list[Type], arms: Mapping[str, Type]) -> Type:
        """Return the type of a union that gets a class of its own.

        Args:
            schema: Where it stands.
            name: What the class is called.
            variants: The types that a value may have.
            arms: The types of the alternatives, by their places.
        """
        named = self._reader.named(schema, name)
        if all(variant.declares == (named,) for variant in variants):
            raise schema.refused("this schema is nothing but itself", "Add an alternative that is something else.")
        self._reader.add(
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
            node = self._reader.document.at(place)
            reference = node.text("$ref") if node is not None else ""
            if reference and arm.shapes in (("object",), ("own",), ("object", "null"), ("own", "null")):
                by_pointer[reference] = arm.without_null().declared
                mapping[UntrustedString(reference.rpartition("/")[2])] = by_pointer[reference]
        for value, reference_node in discriminator.children("mapping"):
            reference = str(reference_node.value)
            pointer = reference if reference.startswith("#") else f"{COMPONENTS}{reference}"
            if pointer in by_pointer:
                mapping[UntrustedString(value)] = by_pointer[pointer]
        return {"discriminator": UntrustedString(discriminator.text("propertyName")), "mapping": mapping}

    def heirs(self, base: Node) -> list[Node]:
        """Return the components that are made of a base with a discriminator, by `allOf`."""
        if not base.get("discriminator") or has_alternatives(base):
            return []
        return [schema for schema in self._reader.components.values() if self._is_heir(schema, base.pointer, ())]

    def _is_heir(self, schema: Node, base: str, above: tuple[str, ...]) -> bool:
        if not schema.get("allOf") or schema.pointer in above:
            return False
        elements = [self._reader.document.resolve(element) for element in schema["allOf"].elements()]
        return any(found.pointer == base or self._is_heir(found, base, (*above, schema.pointer)) for found in elements)

    def of_heirs(self, base: Node, heirs: list[Node]) -> Type:
        """Return the union of a base and its heirs, which is what a reference to the base stands for."""
        place = base["discriminator"]
        if place.pointer not in self._reader.types:
            self._reader.types[place.pointer] = self._reader.own_type(
                self._reader.named(place, f"Any{self._reader.named(base, '')}")
            )
            kinds = {schema.pointer: schema for schema in [*heirs, base]}
            for schema in kinds.values():
                self._reader.define(schema)
            arms = {pointer: self._reader.class_type(schema).without_null() for pointer, schema in kinds.items()}
            mapping = {UntrustedString(pointer.rpartition("/")[2]): arm.declared for pointer, arm in arms.items()}
            for value, reference in place.children("mapping"):
                pointer = str(reference.value)
                pointer = pointer if pointer.startswith("#") else f"{COMPONENTS}{pointer}"
                if pointer in arms:
                    mapping[UntrustedString(value)] = arms[pointer].declared
            self._reader.add(
                place,
                "union",
                target=next(iter(arms.values())).union(*arms.values()),
                variants=tuple(arm.declared for arm in arms.values()),
                discriminator=UntrustedString(place.text("propertyName")),
                mapping=mapping,
            )
        return self._reader.types[place.pointer]
