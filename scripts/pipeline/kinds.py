"""What a schema's keywords say by themselves: kinds of values, literals, constraints. Pure functions on nodes."""

import re
import warnings
from typing import Any

from . import naming
from .contract import NULL, Type
from .document import Node

SCALARS = {
    "string": Type.of("str", "str"),
    "integer": Type.of("int", "int"),
    "number": Type.of("float", "float"),
    "boolean": Type.of("bool", "bool"),
    "null": NULL,
}

FORMATS = {
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
SHAPE = ("$ref", "type", "properties", "additionalProperties", "items", "enum", "const", "allOf", "oneOf", "anyOf")

_KIND_OF_VALUE: dict[type[Any], str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


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


def kinds_of(schema: Node) -> set[str]:
    """Return the JSON types that a schema names or implies, `null` for 3.0's `nullable` too."""
    named = schema.get("type")
    one = named is not None and isinstance(named.value, str)
    kinds = {schema.text("type")} if one else {str(kind) for kind in schema.array("type")}
    if not kinds and (schema.get("properties") or schema.get("additionalProperties") or schema.get("required")):
        kinds.add("object")
    if not kinds and schema.get("items"):
        kinds.add("array")
    return kinds | {"null"} if kinds and schema.flag("nullable") else kinds


def kinds_of_values(schema: Node) -> set[str]:
    """Return the JSON types of the values that an enum or a constant allows."""
    return {_KIND_OF_VALUE[type(value)] for value in values_of(schema)}


def null_last(kind: str) -> tuple[bool, str]:
    """Return what sorts kinds by their names, `null` behind all others."""
    return kind == "null", kind


def values_of(schema: Node) -> list[Any]:
    """Return the values that an enum or a constant allows; none where there is neither."""
    constant = schema.get("const")
    return [constant.value] if constant is not None else schema.array("enum")


def is_literal(schema: Node) -> bool:
    """Tell whether a schema lists its values, all of them texts, integers or null: what Python's Literal can say."""
    values = values_of(schema)
    kinds = kinds_of(schema) - {"null"}
    return bool(values) and all(map(_is_plain, values)) and kinds <= {"string", "integer"} and not schema.get("items")


def _is_plain(value: object) -> bool:
    """Tell whether Python's Literal, and the codec, can hold a value."""
    if isinstance(value, int):
        return not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value is None or isinstance(value, str)


def is_enum(schema: Node) -> bool:
    """Tell whether a schema is an enum of texts or one of integers."""
    kinds: set[type[Any]] = {type(value) for value in schema.array("enum") if value is not None}
    return len(kinds) == 1 and not schema.get("const")


def literal(schema: Node) -> Type:
    """Return the type of a constant or of an enum of mixed values."""
    found: list[Type] = []
    for kind, shape in ((str, "str"), (int, "int")):
        values = [value for value in values_of(schema) if isinstance(value, kind)]
        if values:
            found.append(Type.of(f"Literal[{', '.join(ascii(value) for value in values)}]", shape))
    if None in values_of(schema) or schema.flag("nullable") or "null" in kinds_of(schema):
        found.append(NULL)
    return found[0].union(*found[1:])


def members_of(schema: Node) -> dict[str, str | int]:
    """Return the members of an enum: names and values, each value once."""
    members: dict[str, str | int] = {}
    for value in dict.fromkeys(schema.array("enum")):
        if value is not None:
            members[naming.member_name(value, members)] = value
    return members


def has_properties(schema: Node) -> bool:
    """Tell whether a schema is an object with properties of its own, declared or only required."""
    return any(schema.children("properties")) or (any(schema.array("required")) and "object" in kinds_of(schema))


def has_alternatives(schema: Node) -> bool:
    """Tell whether a schema is a union."""
    return bool(schema.get("oneOf") or schema.get("anyOf"))


def optional(schema: Node, found: Type) -> Type:
    """Return a schema's type with None, if the schema allows null."""
    nullable = None in schema.array("enum") or schema.flag("nullable") or "null" in kinds_of(schema)
    return found.union(NULL) if nullable else found
