"""Segments: how many SMS a text is sent and paid as, and which characters make it dearer than it has to be."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal
from unicodedata import category, combining, name, normalize

import msgspec

GSM_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The GSM 7 bit default alphabet in the order of its codes, 0x00 to 0x7F (3GPP TS 23.038, 6.2.1). At 0x1B is no
character but the escape to the extension table; at 0x09 is the capital Ç, there is no small one."""

GSM_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
"""The extension table with its codes (3GPP TS 23.038, 6.2.1.1): each character is the escape and its code, two septets.
The form feed is its page break."""

GSM_SINGLE, GSM_SEVERAL = 160, 153
"""Septets in 140 octets, and in what is left of them beside the header of a concatenated message (3GPP TS 23.040,
9.2.3.24.1)."""

UCS2_SINGLE, UCS2_SEVERAL = 70, 67
"""UTF-16 code units in the same octets."""

_ESCAPE = "\x1b"
_GSM = frozenset(GSM_DEFAULT) - {_ESCAPE} | frozenset(GSM_EXTENSION)


def _each(characters: str, instead: str) -> dict[str, str]:
    return dict.fromkeys(characters, instead)


_INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"
)
"""What has no width and says nothing in a plain text: soft hyphen, zero-width space, directions, byte-order mark."""

_GREEK = "\u0388\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
"""The Greek capitals that the default alphabet leaves to the Latin ones of the same shape; and the accented epsilon,
which is to become E as the others lose their accents, though GSM-7 has É."""

_PLAIN = {
    **_each(_INVISIBLE, ""),
    **_each("\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02ca\u02cb`\u00b4", "'"),
    **_each("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036\u02ba\u02dd\u00a8\u301d\u301e\u301f", '"'),
    **_each("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u00af", "-"),
    **_each("\u2022\u2023\u2219\u25aa\u25ab\u25cf\u25cb\u25e6\u25a0\u25a1\u25b8", "-"),
    **_each("\t\u1680\u2800", " "),
    **_each("\v\u0085\u2028\u2029", "\n"),
    **_each("\u2044\u2215\u00f7", "/"),
    **{"\u00b7": ".", "\u00b8": ",", "\u02c6": "^", "\u02dc": "~", "\u223c": "~", "\u2017": "_"},
    **{"\u00d7": "x", "\u00b1": "+/-", "\u2260": "!=", "\u2264": "<=", "\u2265": ">=", "\u2248": "~", "\u00a6": "|"},
    **{"\u2190": "<-", "\u2192": "->", "\u2194": "<->", "\u21d2": "=>", "\u2217": "*"},
    **{"\u00a9": "(c)", "\u00ae": "(R)", "\u00a2": "c", "\u00b5": "u"},
    **{"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "\u0131": "i", "ȷ": "j", "ł": "l", "Ł": "L"},
    **{"œ": "oe", "Œ": "OE", "ŋ": "ng", "Ŋ": "NG", "þ": "th", "Þ": "Th", "ŧ": "t", "Ŧ": "T", "ĸ": "k", "ẞ": "SS"},
    **dict(zip(_GREEK, "EABEZHIKMNOPTYX", strict=True)),
}
"""What to write instead of characters that Unicode does not decompose, or not usefully."""

_RAISED = frozenset("\u207a\u207b\u207c\u208a\u208b\u208c")
"""Signs of exponents and indices, which on the line would belong to the number before them."""

_JOINERS = frozenset("\u200c\u200d") | frozenset(map(chr, range(0xE0020, 0xE0080)))
"""What belongs to the character before it, as marks do: the two joiners, and the tags that end some flags."""

_MARKS = frozenset({"Mn", "Me"})
_KEYCAP = "\u20e3"


class ForcingCharacter(msgspec.Struct, frozen=True):
    """A place in a text that GSM-7 cannot write.

    `text[:index] + instead + text[index + len(character):]` mends it, if there is something to write instead.
    """

    index: int
    """Where it begins, in Python's characters (code points), from 0."""
    character: str
    """What is there: one character, with the combining marks, joiners and variation selectors that belong to it."""
    name: str
    """Its name in Unicode, `U+0007` where it has none; several are separated by commas."""
    instead: str | None
    """What to write instead, in GSM-7: nothing, for what cannot be seen; None where there is no replacement."""


class Segments(msgspec.Struct, frozen=True):
    """What an SMS text costs: `units + left` are the units that all its segments hold."""

    encoding: Literal["GSM-7", "UCS-2"]
    """UCS-2 as soon as one character is not in GSM-7: for the whole text."""
    characters: int
    """Python's characters, `len(text)`: code points, so that an emoji of several counts as several."""
    units: int
    """What is used up, in septets for GSM-7 and in UTF-16 code units for UCS-2, with the one that stays empty at the
    end of a segment where a character of two units did not fit."""
    segments: int
    """How many SMS are sent and paid."""
    left: int
    """Units that the last segment still has room for; when they are used up in a single one, the next character begins
    the second, and both get smaller."""
    forcing: tuple[ForcingCharacter, ...]
    """Why it is UCS-2, in the order of the text; empty for GSM-7."""


def count_segments(text: str) -> Segments:
    r"""Count the segments of an SMS text, and name the characters that force the dear encoding.

    The rules are those of 3GPP TS 23.038 (alphabets) and 23.040 (concatenation): a text in the GSM 7 bit default
    alphabet with its extension table has 160 septets in one SMS and 153 in each of several, where `^ { } \ [ ~ ] |`,
    the euro and the form feed take two; any other text has 70 UTF-16 code units or 67. No character is split over two
    segments: neither an escape and its code nor a surrogate pair; sequences of several characters, such as a flag, may
    be. National shift tables are left out. The header numbers 255 segments at most; more are counted all the same.
    What the API does with a text before it leaves is not documented: this is the cost of the text as it is given.

    Args:
        text: As it is sent, placeholders filled in. CR LF counts as two characters. An empty text is one segment of no
            units, since an SMS may be empty and is paid all the same.

    Returns:
        The encoding, the units and segments, and what to write instead of what forced UCS-2. One emoji or letter of
        another script that must stay makes all other replacements useless.

    Raises:
        ValueError: The text holds half of a surrogate pair, which nothing can encode.
    """
    try:
        utf16 = text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"count_segments(): the character at index {error.start} is half of a surrogate pair, which is no text"
        ) from None
    foreign = set(text) - _GSM
    if foreign:
        highs = utf16[::2]
        units, segments, left = _fill(len(highs), UCS2_SINGLE, UCS2_SEVERAL, lambda unit: 0xD8 <= highs[unit] <= 0xDB)
        return Segments("UCS-2", len(text), units, segments, left, tuple(_forcing(text, foreign)))
    septets = text
    for character in GSM_EXTENSION:
        septets = septets.replace(character, _ESCAPE + character)
    filled = _fill(len(septets), GSM_SINGLE, GSM_SEVERAL, lambda septet: septets[septet] == _ESCAPE)
    return Segments("GSM-7", len(text), *filled, ())


def _fill(length: int, single: int, several: int, begins_pair: Callable[[int], bool]) -> tuple[int, int, int]:
    """Return the units used up, the segments, and the units left in the last one."""
    if length <= single:
        return length, 1, single - length
    start, segments = 0, 1
    while length - start > several:
        start += several - begins_pair(start + several - 1)
        segments += 1
    used = length - start
    return (segments - 1) * several + used, segments, several - used


def _forcing(text: str, foreign: set[str]) -> Iterator[ForcingCharacter]:
    """Find what is not in GSM-7; what needs no look at its neighbours is looked up once for the whole text."""
    marks = set(filter(_is_mark, foreign))
    alone = {one: (_name_of(one), _plain(one)) for one in foreign - marks if category(one) != "No"}
    start = end = -1
    for index, character in enumerate(text):
        if character not in foreign:
            continue
        if index == end and character in marks:
            end += 1
            continue
        if end > start:
            yield _forcing_at(text, start, end, alone)
        start, end = index, index + 1
    yield _forcing_at(text, start, end, alone)


def _forcing_at(text: str, start: int, end: int, alone: dict[str, tuple[str, str | None]]) -> ForcingCharacter:
    character = text[start:end]
    if character in alone:
        return ForcingCharacter(start, character, *alone[character])
    before, after = text[start - 1 : start], text[end : end + 1]
    if _is_mark(character[0]):
        instead = _with_marks(before, character)
        if instead == before:
            instead = ""
        elif instead is not None:  # another letter
            start, character = start - 1, before + character
    else:
        plain = _plain_between(before, character[0], after)
        instead = None if plain is None else _with_marks(plain, character[1:])
    return ForcingCharacter(start, character, _name_of(character), instead)


def _plain_between(before: str, character: str, after: str) -> str | None:
    """Return what stands for a character; for a number such as ½ or ², nothing that would run into digits beside it."""
    plain = _plain(character)
    if plain is None or category(character) != "No":
        return plain
    if after.isdecimal():
        return None
    if before.isdecimal():
        return f" {plain}" if "/" in plain else None
    return plain


@lru_cache(maxsize=4096)
def _plain(character: str) -> str | None:
    """Return what stands for a character in GSM-7: itself, a replacement, or None."""
    if character in _GSM:
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    if category(character) == "Cc":
        return ""
    parts = normalize("NFKD", character)
    mark_on_blank = parts[0] == " " and len(parts) > 1
    if parts == character or mark_on_blank or character in _RAISED:
        return None
    plain = ""
    for part in parts:
        longer = _with_marks(plain, part) if _is_mark(part) else _joined(plain, _plain(part))
        if longer is None:
            return None
        plain = longer
    return plain


def _joined(plain: str, more: str | None) -> str | None:
    return None if more is None else plain + more


def _with_marks(plain: str, marks: str) -> str | None:
    """Add to a character the marks that GSM-7 can write on it, one by one; leave the others out."""
    for mark in marks:
        whole = normalize("NFC", plain + mark) if len(plain) == 1 else ""  # all at once would take quadratic time
        if whole in _GSM or whole in _PLAIN:
            plain = _PLAIN.get(whole, whole)
        elif combining(mark) == 1 or (category(mark) == "Me" and mark != _KEYCAP):
            return None  # it strikes out or encloses: without it, the text says something else
    return plain


def _is_mark(character: str) -> bool:
    return character in _JOINERS or category(character) in _MARKS


def _name_of(character: str) -> str:
    if len(character) == 1:
        return name(character, None) or f"U+{ord(character):04X}"
    return ", ".join(map(_name_of, character))
