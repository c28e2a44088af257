"""Segments: the cost of a text by the standard, in two languages, and what to write instead of what makes it dear."""

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redcloud_core._segments import (
    GSM_DEFAULT,
    GSM_EXTENSION,
    GSM_SEVERAL,
    GSM_SINGLE,
    UCS2_SEVERAL,
    UCS2_SINGLE,
    ForcingCharacter,
    Segments,
    count_segments,
)

VECTORS = Path(str(files("redcloud_core"))) / "languages" / "vectors" / "segments.json"
PROGRAM = Path(__file__).parents[1] / "vectors" / "segments.mjs"
ALPHABET = GSM_DEFAULT.replace("\x1b", "") + "".join(GSM_EXTENSION)

gsm_texts = st.text(st.sampled_from(ALPHABET), max_size=700) | st.text(st.sampled_from("a€"), max_size=700)
wide_texts = st.text(st.sampled_from("aé€Ж漢😀👨\u200d\u0301“ﬁ½5"), max_size=400)
any_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
texts = gsm_texts | wide_texts | any_texts


def vectors() -> list[dict[str, Any]]:
    """The examples that every language must agree on."""
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return found


def forced(text: str) -> list[tuple[int, str, str | None]]:
    """What forces UCS-2, without names."""
    return [(one.index, one.character, one.instead) for one in count_segments(text).forcing]


def mended(text: str) -> str:
    """The text with every replacement made, from its end so that the indexes stay true."""
    for one in reversed(count_segments(text).forcing):
        if one.instead is not None:
            text = text[: one.index] + one.instead + text[one.index + len(one.character) :]
    return text


def slow_count(text: str) -> tuple[int, int, int]:
    """Units, segments and what is left, character by character, by a list of what each segment holds."""
    if set(text) <= set(ALPHABET):
        sizes = [2 if character in GSM_EXTENSION else 1 for character in text]
        single, several = 160, 153
    else:
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
        single, several = 70, 67
    if sum(sizes) <= single:
        return sum(sizes), 1, single - sum(sizes)
    held = [0]
    for size in sizes:
        if held[-1] + size > several:
            held.append(0)
        held[-1] += size
    return several * (len(held) - 1) + held[-1], len(held), several - held[-1]


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: str(vector["why"]))
def test_vectors(vector: dict[str, Any]) -> None:
    """A text costs what the file says, and what forces UCS-2 is named with what to write instead."""
    counted = count_segments(vector["text"])
    facts = {name: getattr(counted, name) for name in ("encoding", "units", "segments", "left")}
    assert facts == {name: vector[name] for name in facts}
    assert forced(vector["text"]) == [tuple(entry) for entry in vector["forcing"]]
    assert counted.characters == len(vector["text"])


def test_vectors_are_many_and_different() -> None:
    """There are 100 at least, each with a text of its own, and they use every extension character."""
    seen = [vector["text"] for vector in vectors()]
    assert len(seen) == len(set(seen)) >= 100
    assert set(GSM_EXTENSION) <= set("".join(seen))


def test_vectors_in_javascript() -> None:
    """A second implementation, in JavaScript, counts the same, and finds the same characters outside GSM-7."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("this machine has no Node")
    command = [node, str(PROGRAM), str(VECTORS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    expected = []
    for vector in vectors():
        covered = [range(index, index + len(there)) for index, there, _ in vector["forcing"]]
        outside = [index for span in covered for index in span if vector["text"][index] not in ALPHABET]
        facts = [vector[name] for name in ("encoding", "units", "segments", "left")]
        expected.append(" ".join(map(str, [*facts, ",".join(map(str, outside))])))
    assert done.stdout.splitlines() == expected


def test_tables_are_those_of_the_standard() -> None:
    """Characters stand at the codes of TS 23.038; at 0x09 is the capital C with cedilla."""
    assert (len(GSM_DEFAULT), len(set(GSM_DEFAULT)), len(GSM_EXTENSION)) == (128, 128, 10)
    known = {0x00: "@", 0x05: "é", 0x09: "Ç", 0x0A: "\n", 0x0D: "\r", 0x10: "Δ", 0x1A: "Ξ", 0x1B: "\x1b", 0x1F: "É"}
    known |= {0x20: " ", 0x24: "¤", 0x30: "0", 0x40: "¡", 0x41: "A", 0x5F: "§", 0x60: "¿", 0x61: "a", 0x7F: "à"}
    assert {code: GSM_DEFAULT[code] for code in known} == known
    ascii_alike = [*range(0x20, 0x24), *range(0x25, 0x40), *range(0x41, 0x5B), *range(0x61, 0x7B)]
    assert all(GSM_DEFAULT[code] == chr(code) for code in ascii_alike)
    assert not set(GSM_DEFAULT) & set(GSM_EXTENSION)
    assert sorted(GSM_EXTENSION.values()) == [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65]


def test_sizes_follow_from_the_octets() -> None:
    """A message has 140 octets, of which the header of a concatenated one takes 6."""
    assert (GSM_SINGLE, GSM_SEVERAL) == (140 * 8 // 7, 134 * 8 // 7)
    assert (UCS2_SINGLE, UCS2_SEVERAL) == (140 // 2, 134 // 2)


@pytest.mark.parametrize("character", "`çáΑα\t\x1b\xa0\u2019", ids=ascii)
def test_characters_that_only_look_like_gsm(character: str) -> None:
    """One of them makes the whole text UCS-2."""
    assert count_segments(f"a{character}").encoding == "UCS-2"


def test_names() -> None:
    """A character has its name in Unicode, several have theirs in a row, one without a name its code."""
    assert [one.name for one in count_segments("\u2019e\u0301\x07😀").forcing] == [
        "RIGHT SINGLE QUOTATION MARK",
        "LATIN SMALL LETTER E, COMBINING ACUTE ACCENT",
        "U+0007",
        "GRINNING FACE",
    ]


def test_result_is_a_value() -> None:
    """Equal texts give equal results, which do not change."""
    counted = count_segments("a\u2026")
    dots = ForcingCharacter(1, "\u2026", "HORIZONTAL ELLIPSIS", "...")
    assert counted == Segments("UCS-2", characters=2, units=2, segments=1, left=68, forcing=(dots,))
    with pytest.raises(AttributeError):
        counted.left = 0  # type: ignore[misc]


@pytest.mark.parametrize(("text", "index"), [("\ud800", 0), ("ab\udc00c", 2), ("😀\ud83d", 1), ("a\ud83d\ude00", 1)])
def test_half_of_a_surrogate_pair(text: str, index: int) -> None:
    """It is refused with its index in Python's characters, even where the other half follows."""
    with pytest.raises(ValueError, match=f"the character at index {index} is half of a surrogate pair"):
        count_segments(text)


@settings(deadline=None)
@given(texts)
@example("a" * 152 + "€")
@example("a" * 66 + "😀" + "a" * 66)
def test_count_equals_a_slow_one(text: str) -> None:
    """Counting character by character gives the same."""
    counted = count_segments(text)
    assert (counted.units, counted.segments, counted.left) == slow_count(text)


@settings(deadline=None)
@given(texts)
def test_units_and_what_is_left_fill_the_segments(text: str) -> None:
    """What is used and what is left add up to what the segments hold; a last segment is never empty."""
    counted = count_segments(text)
    single, several = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    assert counted.units + counted.left == (single if counted.segments == 1 else several * counted.segments)
    assert 0 <= counted.left < several or counted.segments == 1


@settings(deadline=None)
@given(texts, st.sampled_from(ALPHABET))
def test_a_gsm_character_never_makes_it_cheaper(text: str, character: str) -> None:
    """One more such character adds one or two units, and at an edge what the edge leaves empty."""
    before, after = count_segments(text), count_segments(text + character)
    assert after.encoding == before.encoding
    assert 1 <= after.units - before.units <= 3 or (before.segments, after.segments) == (1, 2)
    assert after.units > before.units
    assert before.segments <= after.segments <= before.segments + 1


@settings(deadline=None)
@given(texts)
def test_replacements_mend_the_text(text: str) -> None:
    """With all replacements made, what has none is all that is left; without any such, the text is GSM-7."""
    stubborn = [one.character for one in count_segments(text).forcing if one.instead is None]
    again = count_segments(mended(text))
    assert (again.encoding == "GSM-7") == (not stubborn)
    assert all(one.instead is None or one.instead != one.character for one in again.forcing)
    assert all(set(one.instead) <= set(ALPHABET) for one in count_segments(text).forcing if one.instead)


@settings(deadline=None)
@given(texts)
def test_forcing_covers_what_is_not_gsm(text: str) -> None:
    """Every character outside GSM-7 belongs to one entry, in order and without overlaps; the rest belongs to none."""
    entries = count_segments(text).forcing
    covered = [index for one in entries for index in range(one.index, one.index + len(one.character))]
    assert covered == sorted(set(covered))
    assert all(text[one.index : one.index + len(one.character)] == one.character for one in entries)
    assert {index for index, character in enumerate(text) if character not in ALPHABET} <= set(covered)
    assert all(not set(one.character[1:]) & set(ALPHABET) for one in entries)


@settings(deadline=None)
@given(st.text(st.sampled_from("aeionuACEN"), min_size=1), st.sampled_from("\u0300\u0301\u0303\u0308\u030a\u0327"))
def test_decomposed_letters_become_those_of_gsm(letters: str, mark: str) -> None:
    """A letter and its mark become the letter of GSM-7 where there is one, else the letter alone."""
    wholes = [normalize("NFC", letter + mark) for letter in letters]
    expected = [whole if whole in ALPHABET else letter for whole, letter in zip(wholes, letters, strict=True)]
    assert mended("".join(letter + mark for letter in letters)) == "".join(expected)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "€" * 300_000,
        "a" * 999_999 + "“",
        "ж" * 500_000,
        "a" + "\u0301\u0316" * 250_000,
        "½5" * 300_000,
    ],
    ids=["plain", "extension", "one quote", "Cyrillic", "marks", "fractions"],
)
def test_long_texts_end(text: str) -> None:
    """A megabyte is counted at once: what takes quadratic time would not end here."""
    counted = count_segments(text)
    assert counted.characters == len(text)
    assert counted.segments > 1000
