"""Regenerate the low-level client from the document, all or nothing; a new document passes the gate first."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import attrs

from . import account, reader, steps
from .contract import Contract
from .document import Document, load
from .environment import ROOT
from .gate import changelog
from .gate.guards import GUARDS
from .gate.judge import check_at_sight, check_size, judge
from .gate.listing import listing
from .gate.report import Report, show
from .gate.sides import Side
from .generate import PACKAGE, add_languages, generate, settings
from .provenance import LOCK, files
from .steps import Refused, ToolFailed, execute, run, step
from .swap import locked, swap, undo_leftovers, working_folder
from .typescript import declarations

DOCUMENT = ROOT / "openapi.yaml"
GENERATED = ROOT / "generated"
OVERLAY = ROOT / "overlay" / "redcloud_core"

LISTINGS = {PACKAGE: GENERATED / "public_api.txt", "redcloud_core": OVERLAY.parent / "public_api.txt"}
"""The committed listings of what each package makes public."""

_SHOWN = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see --help."""
    parser = _parser()
    options = parser.parse_args(argv)
    reasons = {name: why for name in _ACCEPTANCES if (why := getattr(options, name.replace("-", "_"))) is not None}
    _check_options(parser, options, reasons)
    spec = Path(options.spec) if options.spec else None
    steps.show_on(sys.stderr if options.json else sys.stdout)
    if options.check:
        return run(check)
    if options.into:
        return run(lambda: write_into(spec or DOCUMENT, Path(options.into)))
    if options.json:
        return run(lambda: _print_json(spec, reasons, dry=options.dry_run))
    return run(lambda: _print(spec, reasons, dry=options.dry_run))


@attrs.frozen
class Outcome:
    """What a run came to.

    Attributes:
        report: What the gate found; of a run without a new document, that nothing changes.
        mended: What a killed run, or an edited document, had left to mend.
        notes: What was given a name, and what is not checked or waived.
        place: What became of it.
    """

    report: Report
    mended: tuple[str, ...]
    notes: tuple[str, ...]
    place: str


def regenerate(spec: Path | None, reasons: dict[str, str], *, dry: bool) -> Outcome:
    """Make the tree's own client anew and put it in place; a new document that is accepted becomes openapi.yaml.

    Args:
        spec: A new document; None for openapi.yaml itself, which is not judged.
        reasons: What a maintainer accepts in a new document, and why, by the name of the option.
        dry: Whether to leave the tree as it is.

    Raises:
        Refused: The document, or the package that it gives, is not good enough. The tree is as it was.
        ToolFailed: A tool failed. The tree is as it was.
    """
    with _workplace(dry=dry) as (folder, mended):
        if spec:
            check_size(spec)
        document, contract = _read(spec or DOCUMENT)
        committed = load(DOCUMENT) if spec else None
        if committed:
            check_at_sight(committed, document)
        new = Side(folder, document, contract)
        with ThreadPoolExecutor() as pool:
            declared = pool.submit(declarations, document)
            _write(new.document, new.contract, folder, locked=True)
            types = pool.submit(_check_types, new)
            trial = pool.submit(_try, new)
            report = judge(committed, new, folder, reasons) if committed else _unjudged(document)
            trial.result()
        report = attrs.evolve(report, overlay=tuple(types.result()))
        if report.accepted:  # of what is no OpenAPI the judges say so better than a tool that fails on it
            _add_languages(new, declared)
        number = _next_revision(committed, document)
        if report.accepted and not dry:
            with step("swap"):
                _swap(new, report, committed, number)
    notes = _notes(document, contract)
    version = changelog.sdk_version(document.version, number)
    return Outcome(report, tuple(mended), tuple(notes), _place(report, version, dry=dry))


def check() -> int:
    """Fail unless the committed client is what the committed document gives. Nothing is written.

    Raises:
        Refused: A file differs, is missing or is stale.
    """
    document, contract = _read(DOCUMENT)
    with tempfile.TemporaryDirectory(prefix="regenerate-") as name:
        made = Side(Path(name), document, contract)
        with ThreadPoolExecutor() as pool:
            declared = pool.submit(declarations, document)
            _write(document, contract, made.folder, locked=True)
            _try(made)
        _add_languages(made, declared)
        with step("compare with what is committed"):
            drift = [*_differences(Path(name) / PACKAGE, GENERATED / PACKAGE), *_outdated_listings(Path(name))]
    if drift:
        shown = [*drift[:_SHOWN], *([f"... and {len(drift) - _SHOWN} more"] if len(drift) > _SHOWN else [])]
        listed = "\n  ".join(shown)
        raise Refused(
            f"the committed client or a listing is not what openapi.yaml gives:\n  {listed}\n"
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
    with working_folder(folder.absolute().parent) as made:
        _write(document, contract, made, locked=False)
        _try(Side(made, document, contract))
        folder.mkdir(exist_ok=True)
        (made / PACKAGE).rename(folder / PACKAGE)
    notes = _notes(document, contract)
    print(f"\nthe client of {contract.title.get_untrusted_value()} {document.version} is in place: {folder}")
    _print_notes((), tuple(notes))
    return 0


_ACCEPTANCES = {
    "accept-break": "take a document whose version says too little",
    **{f"accept-{name}": f"take a document although {what}" for name, what in GUARDS.items()},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./scripts/regenerate",
        description="Regenerate generated/redcloud_core_client from openapi.yaml, all or nothing.",
        epilog="Exit code 0: done, and accepted. 1: refused, the message says why and where. 2: a tool failed.",
    )
    parser.add_argument(
        "--spec", metavar="PATH", help="a new document: judged, and made openapi.yaml when all has passed"
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="write nothing, fail if the committed client has drifted")
    modes.add_argument("--into", metavar="DIR", help=f"only write DIR/{PACKAGE}, from any document")
    modes.add_argument("--dry-run", action="store_true", help="do all but put it in place")
    parser.add_argument("--json", action="store_true", help="print only the report, as JSON; the steps go to stderr")
    for name, what in _ACCEPTANCES.items():
        parser.add_argument(f"--{name}", metavar="REASON", help=f"{what}; the reason goes into the changelog")
    return parser


def _check_options(parser: argparse.ArgumentParser, options: argparse.Namespace, reasons: dict[str, str]) -> None:
    if options.check and options.spec:
        parser.error("--check is about openapi.yaml alone: it takes no --spec")
    if options.json and (options.check or options.into):
        parser.error("--json prints the report on a document: it goes with --spec and --dry-run")
    if reasons and (options.into or not options.spec):
        parser.error(f"--{next(iter(reasons))} is about a new document: it goes with --spec")
    if not all(why.strip() for why in reasons.values()):
        parser.error("a REASON must not be empty: it is all that the changelog will say of it")


@contextmanager
def _workplace(*, dry: bool) -> Generator[tuple[Path, list[str]]]:
    """Give a folder to work in, and what had to be mended: in the locked tree, unless that stays as it is."""
    if dry:
        with tempfile.TemporaryDirectory(prefix="regenerate-") as name:
            yield Path(name), []
        return
    with locked(GENERATED):
        mended = [*undo_leftovers(GENERATED), *_mendings()]
        with working_folder(GENERATED) as folder:
            yield folder, mended


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


def _add_languages(side: Side, declared: Future[str]) -> None:
    with step("write the schemas and types for other languages"):
        add_languages(side.document, side.contract, side.folder / PACKAGE, declared.result())


def _try(side: Side) -> None:
    with step("try it in a process of its own"):
        account.check_package(side.folder, side.document, side.contract)


def _check_types(side: Side) -> list[str]:
    """Check the types of a new client, and of the overlay with it; return where the overlay does not fit.

    Raises:
        Refused: The types of the client itself do not hold.
    """
    with step("check the types of the client and the overlay (mypy --strict)") as current:
        found = _type_errors(side.folder)
        own = [problem for problem in found if PACKAGE in problem.partition(":")[0]]
        misfits = [problem for problem in found if problem not in own] + _unknown_overrides(side.contract)
        current.note("the overlay needs mending" if misfits else "")
    if own:
        raise Refused("the types of the generated client do not hold:\n  " + "\n  ".join(own))
    return misfits


def _type_errors(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="]
    command += ["--explicit-package-bases", "--cache-dir", str(ROOT / ".mypy_cache" / "regenerate")]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join([str(folder), str(OVERLAY.parent)])}
    try:
        execute([*command, str(folder / PACKAGE), str(OVERLAY)], cwd=ROOT, env=environment)
    except ToolFailed as failure:
        found = [line for line in failure.output.splitlines() if ": error: " in line]
        if not found:
            raise
        return found
    return []


def _unknown_overrides(contract: Contract) -> list[str]:
    known = {operation.id.get_untrusted_value() for operation in contract.operations}
    return [
        f"generator-config.yml: overridden_operations names `{name}`, which the document does not have"
        for name in settings().overridden
        if name not in known
    ]


def _mendings() -> list[str]:
    """Return what an edited document, or a run that was killed, has left to mend in the client."""
    lock = GENERATED / PACKAGE / LOCK
    if not lock.exists():
        return [f"generated/{PACKAGE} was missing or not whole"]
    if sha256(DOCUMENT.read_bytes()).hexdigest() not in lock.read_text(encoding="utf-8"):
        return ["generated/ had been made from another document than openapi.yaml"]
    return []


def _unjudged(document: Document) -> Report:
    return Report(before=document.version, after=document.version, level="none", required_version=document.version)


def _next_revision(committed: Document | None, new: Document) -> int | None:
    number = changelog.revision()
    if committed is None or committed.content == new.content:
        return number
    return changelog.next_revision(committed.version, new.version, number)


def _swap(new: Side, report: Report, committed: Document | None, number: int | None) -> None:
    document = new.document
    texts = {LISTINGS[PACKAGE]: listing(new.folder / PACKAGE), LISTINGS[OVERLAY.name]: listing(OVERLAY)}
    if committed is not None and committed.content != document.content:
        path = changelog.fragment_path(changelog.sdk_version(document.version, number))
        texts[path] = changelog.fragment(committed.version, document.version, report.changes, report.reasons)
        texts[changelog.VERSION] = changelog.with_revision(number)
    swap(new.folder, new.folder / PACKAGE, GENERATED / PACKAGE, texts, (DOCUMENT, document.content))


def _place(report: Report, version: str, *, dry: bool) -> str:
    if not report.accepted:
        return "the tree is as it was"
    return "nothing was put in place (--dry-run)" if dry else f"the client is in place, as version {version} of the SDK"


def _print(spec: Path | None, reasons: dict[str, str], *, dry: bool) -> int:
    """Show a run to people.

    Raises:
        Refused: The document is not accepted.
    """
    outcome = regenerate(spec, reasons, dry=dry)
    report = outcome.report
    show(report, place=outcome.place)
    _print_notes(outcome.mended, () if spec else outcome.notes)
    if not report.accepted:
        listed = "\n".join("- " + reason.replace("\n", "\n  ") for reason in report.refusals)
        raise Refused(f"{spec} is refused:\n{listed}")
    return 0


def _notes(document: Document, contract: Contract) -> list[str]:
    """Return what was given a name, what is not checked or waived, and how much of the document is assumed."""
    assumed = len(list(account.unconfirmed(document.root)))
    said = [f"{assumed} nodes of the document are assumptions (x-unconfirmed)"] if assumed else []
    return [*contract.notes, *account.waived(account.ledger(document, contract)), *said]


def _print_notes(mended: tuple[str, ...], notes: tuple[str, ...]) -> None:
    for note in notes:
        print(f"  note: {steps.printable(note)}")
    for mending in mended:
        print(f"  mended: {steps.printable(mending)}")


def _print_json(spec: Path | None, reasons: dict[str, str], *, dry: bool) -> int:
    """Print the report on a run, and nothing else, as JSON."""
    try:
        report = regenerate(spec, reasons, dry=dry).report
    except Refused as refusal:
        facts = {"accepted": False, "level": None, "required_version": None, "changes": [], "refusals": [str(refusal)]}
        print(json.dumps(facts | {"overlay": [], "unconfirmed": [], "seconds": steps.seconds_taken()}, indent=2))
        raise
    print(json.dumps(report.to_json(steps.seconds_taken()), indent=2, ensure_ascii=False))
    return 0 if report.accepted else 1


def _outdated_listings(made: Path) -> Iterator[str]:
    for package, path in ((made / PACKAGE, LISTINGS[PACKAGE]), (OVERLAY, LISTINGS[OVERLAY.name])):
        if not path.exists() or path.read_text(encoding="utf-8") != listing(package):
            yield f"{path.relative_to(ROOT)} is not what {package.name} makes public"


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
