"""Places in a document: what a JSON pointer is about, and whether it is about words only."""

from ..document import METHODS, escape

# What holds children by names of their maker's choice.
_NAMING = {
    *("properties", "patternProperties", "$defs", "schemas", "parameters", "responses", "content", "headers"),
    *("securitySchemes", "requestBodies", "paths", "pathItems", "webhooks", "callbacks", "links", "encoding"),
}

# Keywords that no client and no server acts upon.
_WORDS = {
    *("description", "summary", "title", "example", "examples", "externalDocs", "$comment"),
    *("contact", "license", "termsOfService", "bearerFormat"),
}


def subject(pointer: str) -> str:
    """Return the pointer of what a place is about: the property, parameter, answer, operation or schema around it."""
    parts = pointer.split("/")
    return "/".join(parts[: max([2, *_named(parts)])])


def is_words(pointer: str) -> bool:
    """Tell whether a place is about words only: a description, an example, an extension, a tag's or a server's text."""
    parts = pointer.split("/")
    if parts[1:2] in (["openapi"], ["info"], ["tags"]) or (parts[1:2] == ["servers"] and "variables" in parts):
        return True
    names = {end - 1 for end in _named(parts) if parts[end - 1] not in METHODS and parts[end - 1] != "requestBody"}
    keywords = [part for number, part in enumerate(parts) if number not in names]
    return any(part in _WORDS or part.startswith("x-") for part in keywords)


def parent(pointer: str) -> str:
    """Return the pointer of what holds a place."""
    return pointer.rpartition("/")[0]


def is_within(pointer: str, around: str) -> bool:
    """Tell whether a place is another one or stands inside it."""
    return pointer == around or pointer.startswith(f"{around}/")


def last_name(pointer: str) -> str:
    """Return the last part of a pointer as it is written in the document."""
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def child(pointer: str, *names: str) -> str:
    """Return the pointer of what stands under names inside a place."""
    return "/".join([pointer, *map(escape, names)])


def _named(parts: list[str]) -> list[int]:
    """Return the lengths of all beginnings of a pointer that end in something with a name of its own."""
    found: list[int] = []
    number = 1
    while number < len(parts):
        in_path = number > 2 and parts[number - 2] in ("paths", "pathItems")
        if parts[number] in _NAMING and number + 1 < len(parts):
            number += 1
            found.append(number + 1)
        elif parts[number] == "requestBody" or (in_path and parts[number] in METHODS):
            found.append(number + 1)
        number += 1
    return found
