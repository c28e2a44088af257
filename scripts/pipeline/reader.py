"""Read what a document says, exactly or not at all.

The generator's own parser drops what it does not understand (operations, constraints, root security), so it is not
asked: these readers either represent a construct or say where it stands and stop. What nothing checks at run time, such
as `not`, they note.
"""

import attrs
from openapi_python_client.schema.untrusted_string import UntrustedString

from .contract import Contract, Operation, Property, Schema
from .document import Document, operations
from .operations import OperationReader
from .schemas import SchemaReader


def read(document: Document) -> Contract:
    """Return what a document says.

    Args:
        document: The document.

    Returns:
        Its schemas and operations, with a note on everything that was given a name or is not checked.

    Raises:
        Refused: Something in it cannot be represented exactly, or contradicts itself.
    """
    try:
        schemas = SchemaReader(document)
        found = tuple(OperationReader(document, schemas).read(operations(document)))
    except RecursionError:
        raise document.root.refused("schemas are nested too deep", "Use `$ref` instead of nesting.") from None
    return Contract(
        title=UntrustedString(document.root["info"].text("title")),
        version=UntrustedString(document.version),
        schemas=_relaxed(tuple(schemas.found.values()), found),
        operations=found,
        notes=tuple(dict.fromkeys(schemas.notes)),
    )


def _relaxed(schemas: tuple[Schema, ...], operations: tuple[Operation, ...]) -> tuple[Schema, ...]:
    """Return the schemas with one-way properties optional where the class is used the other way as well.

    A required property that is `readOnly` is required in answers only, one that is `writeOnly` in requests only.
    """
    sent, read = directions(schemas, operations)

    def relaxed(schema: Schema, found: Property) -> Property:
        one_way = (found.read_only and schema.name in sent) or (found.write_only and schema.name in read)
        return attrs.evolve(found, required=False) if one_way else found

    return tuple(
        attrs.evolve(schema, properties=tuple(relaxed(schema, found) for found in schema.properties))
        for schema in schemas
    )


def directions(schemas: tuple[Schema, ...], operations: tuple[Operation, ...]) -> tuple[set[str], set[str]]:
    """Return the names of the classes that requests hold, and of those that answers hold."""
    bodies = [found for operation in operations if operation.body for found in operation.body.contents.values()]
    bodies += [argument.type for operation in operations for argument in operation.arguments]
    answers = [
        found
        for operation in operations
        for response in (*operation.success, *operation.errors)
        for found in response.contents.values()
    ]
    sent = {name for found in bodies for name in found.classes}
    read = {name for found in answers for name in found.classes}
    return _reachable(schemas, sent), _reachable(schemas, read)


def _reachable(schemas: tuple[Schema, ...], names: set[str]) -> set[str]:
    by_name = {schema.name: schema for schema in schemas}
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += by_name[name].classes if name in by_name else ()
    return found
