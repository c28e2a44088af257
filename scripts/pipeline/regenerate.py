"""Regenerate the low-level client from the document, all or nothing."""

import argparse
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from . import account, reader
from .contract import Contract
from .document import Document, load
from .environment import ROOT
from .generate import PACKAGE, generate
from .provenance import LOCK, files
from .steps import Refused, ToolFailed, execute, run, step

DOCUMENT = ROOT / "openapi.yaml"
GENERATED = ROOT / "generated"
OVERLAY = ROOT / "overlay" / "redcloud_core"

_SHOWN = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see --help."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.check and options.spec:
        parser.error("--check is about openapi.yaml alone: it takes no --spec")
    spec = Path(options.spec) if options.spec else DOCUMENT
    if options.check:
        return run(check)
    if options.into:
        return run(lambda: write_into(spec, Path(options.into)))
    return run(lambda: regenerate(spec))


def regenerate(spec: Path) -> int:
    """Make the tree's own client anew and put it in place; the document becomes openapi.yaml.

    Args:
        spec: The document.

    Raises:
        Refused: The document, or the package that it gives, is not good enough. The tree is as it was.
        ToolFailed: A tool failed. The tree is as it was.
    """
    document, contract = _read(spec)
    with _locked(), _folder_beside(GENERATED) as folder:
        mended = _mendings(document, folder)
        _write(document, contract, folder, locked=True)
        with step("check its types (mypy --strict)"):
            _check_types(folder / PACKAGE)
        with step("swap"):
            _swap(folder, document)
    with step("check the overlay's types against it") as current:
        misfits = _misfits()
        current.note("it needs mending" if misfits else "")
    _report(document, contract, misfits, mended)
    return 0


def check() -> int:
    """Fail unless the committed client is what the committed document gives. Nothing is written.

    Raises:
        Refused: A file differs, is missing or is stale.
    """
    document, contract = _read(DOCUMENT)
    with tempfile.TemporaryDirectory(prefix="regenerate-") as name:
        _write(document, contract, Path(name), locked=True)
        with step("compare with generated/"):
            drift = list(_differences(Path(name) / PACKAGE, GENERATED / PACKAGE))
    if drift:
        shown = [*drift[:_SHOWN], *([f"... and {len(drift) - _SHOWN} more"] if len(drift) > _SHOWN else [])]
        listed = "\n  ".join(shown)
        raise Refused(
            f"generated/{PACKAGE} is not what openapi.yaml gives:\n  {listed}\n"
            "Run `./scripts/regenerate`, and commit what it writes."
        )
    return 0


def write_into(spec: Path, folder: Path) -> int:
    """Write the client of any document into a folder, without the tree's rules.

    Args:
        spec: The document.
        folder: Where the package goes; it may exist if it is empty.

    Raises:
        Refused: The document cannot be represented exactly, or the folder is not empty.
        ToolFailed: A tool failed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder}: is no empty folder\nName a folder that is empty or does not exist.")
    document, contract = _read(spec)
    with _folder_beside(folder.absolute().parent) as made:
        _write(document, contract, made, locked=False)
        folder.mkdir(exist_ok=True)
        (made / PACKAGE).rename(folder / PACKAGE)
    _report(document, contract, [], [])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./scripts/regenerate",
        description="Regenerate generated/redcloud_core_client from openapi.yaml, all or nothing.",
        epilog="Exit code 0: done. 1: refused, the message says why and where. 2: a tool failed.",
    )
    parser.add_argument("--spec", metavar="PATH", help="another document; it becomes openapi.yaml when all has passed")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="write nothing, fail if the committed client has drifted")
    modes.add_argument("--into", metavar="DIR", help=f"only write DIR/{PACKAGE}, from any document")
    return parser


def _read(spec: Path) -> tuple[Document, Contract]:
    with step("read the document") as current:
        document = load(spec)
        contract = reader.read(document)
        account.check_complete(document, contract)
        current.note(f"{len(contract.operations)} operations, {len(contract.schemas)} schemas")
    return document, contract


def _write(document: Document, contract: Contract, folder: Path, *, locked: bool) -> None:
    with step("write the client"):
        generate(document, contract, folder / PACKAGE, locked=locked)
    with step("try it in a process of its own"):
        account.check_package(folder, document, contract)


def _check_types(package: Path) -> None:
    """Check the types of a package.

    Raises:
        Refused: They do not hold.
    """
    problems = _type_errors(["--config-file=", "--explicit-package-bases", str(package)], package.parent)
    if problems:
        raise Refused("the types of the generated client do not hold:\n  " + "\n  ".join(problems))


def _misfits() -> list[str]:
    """Return where the overlay's types do not fit the client that is in place."""
    problems = _type_errors([str(OVERLAY)], GENERATED)
    return [problem for problem in problems if PACKAGE not in problem.partition(":")[0]]


def _type_errors(options: list[str], generated: Path) -> list[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *options]
    command += ["--cache-dir", str(ROOT / ".mypy_cache" / "regenerate")]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join([str(generated), str(OVERLAY.parent)])}
    try:
        execute(command, cwd=ROOT, env=environment)
    except ToolFailed as failure:
        found = [line for line in failure.output.splitlines() if ": error: " in line]
        if not found:
            raise
        return found
    return []


def _mendings(document: Document, folder: Path) -> list[str]:
    """Return what a run that was killed, or an edited document, has left to mend; what it left behind is removed."""
    leftovers = [found for found in GENERATED.glob(".regenerate-*") if found != folder]
    for found in leftovers:
        shutil.rmtree(found, ignore_errors=True)
    mended = ["a folder that a killed run had left behind was removed"] if leftovers else []
    lock = GENERATED / PACKAGE / LOCK
    if not lock.exists():
        mended.append(f"generated/{PACKAGE} was missing or not whole")
    elif sha256(DOCUMENT.read_bytes()).hexdigest() not in lock.read_text(encoding="utf-8"):
        mended.append("generated/ had been made from another document than openapi.yaml")
    return mended


def _swap(folder: Path, document: Document) -> None:
    """Put the new package and the document in place, the package first."""
    target, content = GENERATED / PACKAGE, folder / "openapi.yaml"
    content.write_bytes(document.content)
    with _uninterrupted():
        if target.exists():
            target.rename(folder / "before")
        (folder / PACKAGE).rename(target)
        if DOCUMENT.read_bytes() != document.content:
            content.replace(DOCUMENT)


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
def _locked() -> Generator[None]:
    """Keep a second run out of the tree; the lock goes with the process, however that ends."""
    folder = os.open(GENERATED, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused("another regenerate is running in this tree\nWait until it is done.") from None
    finally:
        os.close(folder)


@contextmanager
def _folder_beside(parent: Path) -> Generator[Path]:
    """Make a folder to work in, on the target's own file system, and remove it whatever happens."""
    made: list[Path] = []
    try:
        with _uninterrupted():
            made.append(_make_folder(parent))
        yield made[0]
    finally:
        with _uninterrupted():
            for folder in made:
                shutil.rmtree(folder, ignore_errors=True)


def _make_folder(parent: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".regenerate-", dir=parent))
    except OSError as error:
        raise Refused(f"{parent}: cannot be written: {error.strerror}\nNothing was changed.") from None


def _differences(made: Path, committed: Path) -> Iterator[str]:
    names = {path.relative_to(made) for path in [*files(made), made / LOCK]}
    there = {path.relative_to(committed) for path in [*files(committed), committed / LOCK] if path.exists()}
    for name in sorted(names | there):
        if name not in there:
            yield f"{name} is missing"
        elif name not in names:
            yield f"{name} is stale: nothing makes it"
        elif (made / name).read_bytes() != (committed / name).read_bytes():
            yield f"{name} differs"


def _report(document: Document, contract: Contract, misfits: list[str], mended: list[str]) -> None:
    assumed = list(account.unconfirmed(document.root))
    print(f"\nthe client of {contract.title.get_untrusted_value()} {document.version} is in place")
    for mending in mended:
        print(f"  mended: {mending}")
    for note in [*contract.notes, *account.waived(account.ledger(document, contract))]:
        print(f"  note: {note}")
    if assumed:
        print(f"  {len(assumed)} nodes of the document are assumptions (x-unconfirmed)")
    if misfits:
        print("\nthe overlay does not fit it any more; mend it here, usually in _binding.py alone:")
        print("  " + "\n  ".join(misfits))
