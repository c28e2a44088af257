# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Values as texts: parameters, forms, multipart bodies."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from .codec import encode
from .errors import Violation
from .shapes import is_array, is_object
from .types import File

__all__ = ["form", "is_json", "joined", "multipart", "pairs", "unencodable"]

_BETWEEN = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


def is_json(media: str) -> bool:
    """Tell whether a content type is JSON."""
    return media.partition(";")[0].strip().lower().endswith(("/json", "+json")) or media == "*/*"


def joined(plain: Any, style: str) -> str:
    """Return a value as one text: an array's elements, or an object's names and values, behind each other."""
    if style == "json":
        return encode(plain).decode()
    if is_object(plain):
        return ",".join(text for name, value in plain.items() for text in (name, _text(value)))
    return _BETWEEN.get(style, ",").join(_text(item) for item in plain) if is_array(plain) else _text(plain)


def pairs(name: str, plain: Any, style: str, *, explode: bool) -> list[tuple[str, str]]:
    """Return a value as names and texts, as the OpenAPI styles of the query say."""
    if style == "deepObject":
        return list(_deep(name, plain))
    if explode and style != "json":
        if is_array(plain):
            return [(name, _text(item)) for item in plain]
        if is_object(plain):
            return [(key, _text(value)) for key, value in plain.items()]
    return [(name, joined(plain, style))]


def form(plain: Mapping[str, Any], encodings: Mapping[str, tuple[str, bool]]) -> bytes:
    """Return an object as a form-encoded body; objects in it are JSON unless the document says otherwise."""
    found: list[tuple[str, str]] = []
    for name, value in plain.items():
        if name not in encodings and is_object(value):
            found.append((name, encode(value).decode()))
        else:
            style, explode = encodings.get(name, ("form", True))
            found += pairs(name, value, style, explode=explode)
    return urlencode(found).encode()


def multipart(texts: Mapping[str, Any], files: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the content type and the bytes of a multipart body.

    The boundary is made of what is sent, so that the same fields give the same bytes.
    """
    parts = [_part(name, value) for name, found in {**texts, **files}.items() for value in _each(found)]
    boundary = sha256(b"".join(parts)).hexdigest()[:32]
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    return f"multipart/form-data; boundary={boundary}", lines + b"--%b--\r\n" % boundary.encode()


def unencodable(plain: Any, place: str) -> list[Violation]:
    """Return the places of texts and names with lone surrogates."""
    if isinstance(plain, str):
        index = next((index for index, character in enumerate(plain) if "\ud800" <= character <= "\udfff"), None)
        reason = f"the character at index {index} is a lone surrogate, it cannot be encoded"
        return [] if index is None else [Violation(place or "body", reason)]
    if is_array(plain):
        return [found for index, value in enumerate(plain) for found in unencodable(value, f"{place}[{index}]")]
    if is_object(plain):
        names = [found for key in plain for found in unencodable(key, place)]
        return names + [
            found for key, value in plain.items() for found in unencodable(value, f"{place}.{key}".lstrip("."))
        ]
    return []


def _deep(name: str, plain: Any) -> Iterator[tuple[str, str]]:
    children = plain.items() if is_object(plain) else enumerate(plain) if is_array(plain) else None
    if children is None:
        yield name, _text(plain)
        return
    for key, value in children:
        yield from _deep(f"{name}[{key}]", value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _each(found: Any) -> list[Any]:
    return found if is_array(found) else [found]


def _part(name: str, value: Any) -> bytes:
    file = File(value) if isinstance(value, bytes) else value
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if isinstance(file, File):
        head += f'; filename="{_quoted(file.filename or name)}"\r\nContent-Type: {_plain_line(file.content_type)}'
        return head.encode() + b"\r\n\r\n" + file.content
    return head.encode() + b"\r\n\r\n" + _text(value).encode()


def _quoted(text: str) -> str:
    """Return a name for a header of a part, as HTML forms write it."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _plain_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
