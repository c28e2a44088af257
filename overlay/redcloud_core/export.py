"""`python -m redcloud_core.export --out DIR`: the contract as files, for teams that write in other languages.

It needs no extra and loads none of the client. README.md among the files says what each of them is for.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ._version import __version__

__all__ = ["ExportError", "export"]

_SUMS = "SHA256SUMS"
_DOCUMENTS = ("openapi.d.ts", "openapi.json", "openapi.yaml")


class ExportError(Exception):
    """Nothing was written; the message says why, and what to do."""


def export(folder: Path) -> tuple[str, ...]:
    """Write the contract into a folder: all of it, or nothing.

    Whoever looks at the folder sees the old files or the new ones; between two renames there is none. What stands in it
    at that moment, and what a killed run had written, is in a folder beside it whose name begins with a dot.

    Args:
        folder: It may be absent, empty, or an earlier export, which is replaced as a whole.

    Returns:
        The names of the files, sorted, `/` between their parts.

    Raises:
        ExportError: The folder holds something else, or cannot be written.
    """
    contents = _contents()
    contents[_SUMS] = _sums(contents)
    place = Path(os.path.realpath(folder))
    try:
        _check_replaceable(place)
        _put(place, contents)
    except OSError as error:
        raise ExportError(f"{error.filename or place}: cannot be written: {error.strerror}\n{_ADVICE}") from None
    return tuple(sorted(contents))


_ADVICE = "Name a folder that does not exist, in one that you may write to."


def _contents() -> dict[str, bytes]:
    """Return the files of the contract, by name."""
    own, client = files("redcloud_core"), files("redcloud_core_client")
    languages = own / "languages"
    found = {name: (client / name).read_bytes() for name in _DOCUMENTS}
    found["README.md"] = (languages / "README.md").read_bytes()
    folders = {
        "schemas": client / "schemas",
        "vectors": languages / "vectors",
        "examples": languages / "examples",
        "sandbox": own / "sandbox" / "schemas",
    }
    for name, source in folders.items():
        found |= {f"{name}/{file.name}": file.read_bytes() for file in _files(source)}
    return found


def _files(folder: Traversable) -> Iterator[Traversable]:
    return (found for found in folder.iterdir() if found.is_file())


def _sums(contents: Mapping[str, bytes]) -> bytes:
    """Return what `sha256sum --check` reads."""
    return "".join(f"{sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents)).encode()


def _check_replaceable(place: Path) -> None:
    if not os.path.lexists(place):
        return
    if not place.is_dir():
        raise ExportError(f"{place}: is no folder\n{_ADVICE}")
    known = _exported_names(place)
    foreign = next((name for name in sorted(_names(place)) if name not in known), None)
    if foreign is not None:
        raise ExportError(
            f"{place}: `{foreign}` is no file of an earlier export, and would be lost\n"
            "Move it elsewhere, or name a folder that is empty or does not exist."
        )


def _exported_names(place: Path) -> set[str]:
    """Return what may be in an earlier export: its files and their folders; nothing where this is none."""
    sums = place / _SUMS
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines() if sums.is_file() else []
    names = {line.partition("  ")[2] for line in lines}
    if not names.issuperset(_DOCUMENTS):  # other people's folders have such sums too
        return set()
    return {*names, *(name.partition("/")[0] for name in names), _SUMS}


def _names(place: Path) -> Iterator[str]:
    """Yield the names of all that is in a folder."""
    for parent, folders, names in os.walk(place, onerror=_raise):
        for name in (*folders, *names):
            yield Path(parent, name).relative_to(place).as_posix()


def _raise(error: OSError) -> None:
    raise error


def _put(place: Path, contents: Mapping[str, bytes]) -> None:
    beside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        new, old = beside / "new", beside / "old"
        for name, content in contents.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _exchange(place, new, old)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _exchange(place: Path, new: Path, old: Path) -> None:
    """Put the new folder in its place, and the old one aside; back again where that fails."""
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        if old.exists():
            old.rename(place)
        raise


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see --help.

    Returns:
        The exit code: 0 written, 1 refused.
    """
    parser = argparse.ArgumentParser(
        prog="python -m redcloud_core.export",
        description="Write the contract of the Red Cloud CORE API for teams in other languages: the document, JSON "
        "Schemas, TypeScript types, test vectors and examples.",
    )
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="the folder: absent, empty, or an earlier export, to be replaced"
    )
    folder = Path(parser.parse_args(argv).out)
    try:
        written = export(folder)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{folder}: the contract of redcloud-core {__version__}, {len(written)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
