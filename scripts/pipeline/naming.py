"""What the document's names are called in Python: exactly so wherever Python allows it."""

import builtins
import keyword
import re
from collections.abc import Container

from openapi_python_client.strings import pascal_case, snake_case

# What annotations and defaults of models refer to: a property of such a name would shadow it for the lines below.
ANNOTATION_NAMES = frozenset(
    {"str", "int", "float", "bool", "bytes", "list", "dict", "Any", "ClassVar", "Literal", "Unset", "UNSET"}
    | {"datetime", "Decimal", "UUID", "Mapping", "attrs", "msgspec", "OPERATION"}
)

# What else generated modules define or import beside classes. All other helpers begin with an underscore there.
MODULE_NAMES = (
    ANNOTATION_NAMES
    | {"TypeAlias", "TYPE_CHECKING", "NotRequired", "Required", "TypedDict", "build", "parse", "annotations"}
    | {"Methods", "AsyncMethods", "OwnMethods", "AsyncOwnMethods"}
)

_LONGEST = 120  # characters of a name that is a file's as well

# What the clients have besides operations; an operation of such a name gets an underscore.
CLIENT_NAMES = frozenset({"aclose", "close", "from_env", "with_options"})


def is_exact(name: str) -> bool:
    """Tell whether a property can bear its own name in a class of models, as far as the name alone can tell."""
    return is_plain(name) and name not in ANNOTATION_NAMES and name != "self"


def is_plain(name: str) -> bool:
    """Tell whether a name can stand in Python as it is: an identifier, no keyword, no leading underscore."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


def identifier(name: str, taken: Container[str] = ()) -> str:
    """Return an identifier for any text, one that is not taken.

    Args:
        name: The document's name.
        taken: The identifiers that others have.

    Returns:
        The name itself where `is_exact` allows it, else the nearest identifier.
    """
    return _untaken(name if is_exact(name) else _mended(name), taken)


def parameter_identifier(name: str, location: str, taken: Container[str]) -> str:
    """Return the keyword for a parameter: exact in paths and queries, `x_trace` for the header X-Trace.

    A name that a body property has already gets the parameter's location behind it.
    """
    plain = identifier(name) if location != "header" else identifier(snake_case(name))
    return plain if plain not in taken else _untaken(f"{plain}_{location}", taken)


def class_name(name: str, taken: Container[str] = ()) -> str:
    """Return the class name for a schema: its own where that is an identifier, else in PascalCase."""
    if name.startswith("ClassVar"):  # attrs takes every annotation that begins so for a class variable
        return class_name(f"Schema{name}", taken)
    exact = is_exact(name) and name not in MODULE_NAMES and not hasattr(builtins, name)
    return _untaken(name if exact else _mended(pascal_case(name) or "Schema"), taken)


def member_name(value: object, taken: Container[str]) -> str:
    """Return the name of an enum's member: its value where that is an identifier that `str` does not use."""
    name = str(value)
    plain = name if is_plain(name) else _mended(re.sub(r"^-(?=\d)", "minus_", name))
    inherited = hasattr(str, plain) or hasattr(int, plain) or plain in {"name", "value", "mro"}
    return _untaken(f"{plain}_" if inherited else plain, taken)


def module_name(name: str, taken: Container[str]) -> str:
    """Return the file name, without ending, for a class or an operation."""
    return _untaken(_short(_mended(snake_case(name))), taken)


def plain_method_name(operation_id: str) -> str:
    """Return what the method for an operation is called if nothing else is: `sendMessage` gives `send_message`."""
    return _short(_mended(snake_case(operation_id)))


def method_name(operation_id: str, taken: Container[str]) -> str:
    """Return the method for an operation, one that neither the clients nor other operations have."""
    name = plain_method_name(operation_id)
    return _untaken(f"{name}_" if name in CLIENT_NAMES else name, taken)


def _mended(name: str) -> str:
    mended = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    if not mended or mended[0].isdigit():
        mended = f"value_{mended}".rstrip("_")
    reserved = keyword.iskeyword(mended) or mended in MODULE_NAMES or mended == "self" or hasattr(builtins, mended)
    return f"{mended}_" if reserved else mended


def _short(name: str) -> str:
    """Return a name that can be a file's on every file system."""
    return name if len(name) <= _LONGEST else name[:_LONGEST].rstrip("_")


def _untaken(name: str, taken: Container[str]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found
