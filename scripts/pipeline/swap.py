"""Put a new client in place, all or nothing, also when the process is killed in the middle.

All that is new lies in a working folder, on the file system of what it replaces. Beside it the swap puts a copy of
every text that goes, and a journal of what will move where. Then one thing after the other moves into place, the
document last: with the document's leaving the folder the swap is whole. A folder that still holds journal and document
is a swap that did not come to its end, and what it had moved is put back: at once after an error, by the next run
after a kill. Only texts are synced to the disk: the package can be made anew from the document.
"""

import errno
import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Literal

import attrs
from attrs.validators import instance_of, optional

from .provenance import hash_of_files
from .steps import Refused

_JOURNAL = "swap.json"
_DOCUMENT = "swap.document"


@attrs.frozen
class _Move:
    """What the swap puts in one place.

    Attributes:
        target: The place, relative to the tree's root.
        staged: The name of what goes there, in the working folder.
        kept: The name of what was there: a copy of a text, or the package once it has moved; None if nothing was.
        after: The hash of what goes there.
    """

    target: str = attrs.field(validator=instance_of(str))
    staged: str = attrs.field(validator=instance_of(str))
    kept: str | None = attrs.field(validator=optional(instance_of(str)))
    after: str = attrs.field(validator=instance_of(str))


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Keep a second run out of a folder; the lock goes with the process, however that ends.

    Raises:
        Refused: Another run holds it.
    """
    with _writing(folder):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(held)
        yield
    finally:
        os.close(held)


@contextmanager
def working_folder(parent: Path) -> Generator[Path]:
    """Make a folder to work in, and remove it whatever happens, unless it holds what only the next run can put back.

    Raises:
        Refused: The parent cannot be written.
    """
    made: list[Path] = []
    try:
        with _uninterrupted(), _writing(parent):
            made.append(Path(tempfile.mkdtemp(prefix=".regenerate-", dir=parent)))
        yield made[0]
    finally:
        with _uninterrupted():
            for folder in made:
                if _unfinished(folder) is None:
                    shutil.rmtree(folder, ignore_errors=True)


def undo_leftovers(parent: Path) -> list[str]:
    """Put back what a killed run had moved, unless it was changed since, and remove what that run left behind.

    Call it under the lock, before anything that a swap puts in place is read.

    Args:
        parent: Where the working folders are, right under the tree's root.

    Returns:
        What was mended, for people.

    Raises:
        Refused: Something cannot be put back; the next call tries again.
    """
    leftovers = [found for found in sorted(parent.glob(".regenerate-*")) if found.is_dir()]
    mended = ["a folder that a killed run had left behind was removed"] if leftovers else []
    for folder in leftovers:
        with _uninterrupted():
            mended += _undo(folder)
            shutil.rmtree(folder, ignore_errors=True)
    return mended


def swap(folder: Path, package: Path, target: Path, texts: Mapping[Path, str], document: tuple[Path, bytes]) -> None:
    """Put a package, then texts, then the document in place; a file that holds the same already is not touched.

    Args:
        folder: The working folder; its parent is right under the tree's root.
        package: The new package, right in the working folder.
        target: Where it goes.
        texts: What other files hold afterwards; a file may be new, and its folder, too.
        document: The document's place, and what it holds afterwards.

    Raises:
        Refused: Something cannot be written; everything is as it was.
    """
    place, content = document
    encoded = {path: text.encode() for path, text in texts.items()}
    changed = {path: new for path, new in encoded.items() if _differs(path, new)}
    new_folders = dict.fromkeys(path.parent for path in changed if not path.parent.exists())
    is_new = _differs(place, content)
    for path in (target, *changed, *([place] if is_new else [])):
        _check_writable(path)
    with _uninterrupted():
        try:
            kept = "swap.package" if target.exists() else None
            moves = [_Move(_name(folder, target), package.name, kept, hash_of_files(package))]
            for number, (path, new) in enumerate({**new_folders, **changed}.items()):
                moves.append(_stage(folder, f"swap.{number}", path, new))
            _write_new(folder / _DOCUMENT, content, place)
            _write_journal(folder, moves)
            for move in moves:
                _put(folder, move)
            _finish(folder / _DOCUMENT, place, is_new=is_new)
        except BaseException:
            _undo(folder)
            raise


def _lock(held: int) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused("another regenerate is running in this tree\nWait until it is done.") from None


@contextmanager
def _uninterrupted() -> Generator[None]:
    """Hold Ctrl-C back while the block runs."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _writing(path: Path) -> Generator[None]:
    """Refuse by its path what cannot be written."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{path}: cannot be written: {error.strerror}\nNothing was changed.") from None


def _check_writable(path: Path) -> None:
    folder = next(parent for parent in path.parents if parent.is_dir())
    with _writing(folder):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _hash(path: Path) -> str | None:
    """Return a hash of what a file or a folder holds, or None where nothing is."""
    if path.is_dir():
        return hash_of_files(path)
    return sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _differs(path: Path, content: bytes) -> bool:
    with _writing(path):
        return _hash(path) != sha256(content).hexdigest()


def _name(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder.parents[1]))


def _stage(folder: Path, name: str, target: Path, content: bytes | None) -> _Move:
    """Write a text, or make an empty folder where there is no content, and copy what will go; return its move."""
    staged, kept = folder / name, folder / f"{name}.before"
    with _writing(target):
        if content is None:
            staged.mkdir()
        else:
            _write_new(staged, content, target)
        if target.exists():
            _write(kept, target.read_bytes())
            shutil.copystat(target, kept)
        after = _hash(staged) or ""
    return _Move(_name(folder, target), name, kept.name if kept.exists() else None, after)


def _write_new(staged: Path, content: bytes, target: Path) -> None:
    with _writing(target):
        _write(staged, content)
        if target.exists():
            shutil.copymode(target, staged)


def _write_journal(folder: Path, moves: list[_Move]) -> None:
    with _writing(folder):
        _write(folder / _JOURNAL, json.dumps([attrs.asdict(move) for move in moves], indent=2).encode())
        _sync(folder)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync(path)


def _sync(path: Path) -> None:
    """Have a file or a folder on the disk before anything moves."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _put(folder: Path, move: _Move) -> None:
    target = folder.parents[1] / move.target
    with _writing(target):
        if move.kept and target.is_dir():
            target.rename(folder / move.kept)
        (folder / move.staged).replace(target)


def _finish(staged: Path, place: Path, *, is_new: bool) -> None:
    """Make the swap whole: the document leaves the folder, for its place or, where it is there already, for good."""
    with _writing(place):
        if is_new:
            staged.replace(place)
        else:
            staged.unlink()


def _unfinished(folder: Path) -> list[_Move] | None:
    """Return the moves of a swap that did not come to its end, or None if there is none in the folder."""
    if not (folder / _DOCUMENT).exists():
        return None
    try:
        return [_Move(**facts) for facts in json.loads((folder / _JOURNAL).read_bytes())]
    except (FileNotFoundError, ValueError, TypeError):  # killed before the journal was whole: nothing has moved
        return None


def _undo(folder: Path) -> list[str]:
    """Put back what an unfinished swap has moved, the last first, and return what that did, for people.

    Raises:
        Refused: It cannot be put back.
    """
    try:
        ends = {move.target: _put_back(folder, move) for move in reversed(_unfinished(folder) or [])}
        (folder / _JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise Refused(
            f"{folder}: half a swap is in place and cannot be put back: {error}\n"
            "Mend that, and run `./scripts/regenerate` again: it begins with putting it back."
        ) from None
    back, changed = (sorted(path for path, end in ends.items() if end == wanted) for wanted in ("moved", "changed"))
    undone = ["the swap of a killed run was undone: " + ", ".join(back)] if back else []
    return undone + [f"{path} was changed after the swap of a killed run, and not put back" for path in changed]


def _put_back(folder: Path, move: _Move) -> Literal["ahead", "moved", "changed"]:
    """Undo a move, and return what had come of it; when killed in between, it can be called again."""
    target, staged = folder.parents[1] / move.target, folder / move.staged
    kept = folder / move.kept if move.kept else None
    found = _hash(target)
    if staged.exists():
        if found is not None or kept is None or not kept.is_dir():  # unless it came between a package's two renames
            return "ahead"
    elif kept is not None and not kept.exists():  # an undo that was killed has put it back already
        return "ahead"
    elif found != move.after:
        return "ahead" if found is None and kept is None else "changed"
    elif kept is None or target.is_dir():
        target.replace(staged)
    if kept is not None:
        kept.replace(target)
    return "moved"
