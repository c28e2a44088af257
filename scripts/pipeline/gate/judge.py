"""Judge a new document: gather what all witnesses say, join it, and hold the document's version against it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from .. import account, reader
from ..document import Document
from ..generate import PACKAGE, generate
from ..steps import Refused, ToolFailed, step
from . import corpus, diff_tools, guards, surface
from .changes import Change, join, unlisted
from .corrections import Mark, corrected
from .evidence import Evidence
from .ledger import moves
from .lint import Linted, lint
from .report import Report
from .sides import Side
from .touched import touches
from .versions import Level, Version, is_enough, level_of, required

MOST_BYTES = 5 * 1024 * 1024
"""Bytes that a document may have to be judged; the tools that compare documents are not made for more."""

_BREAKING = ("wire", "python")

_NAMED: Mapping[Level, tuple[tuple[str, ...], str]] = {
    "breaking": (_BREAKING, "breaks callers"),
    "additive": (("additive",), "adds"),
    "words": (("correction", "words"), "changes words"),
}
"""Which changes ask for a version, by their level, and what they do."""

_MOST = 12


@attrs.frozen
class Findings:
    """What comparing two documents gave.

    Attributes:
        changes: All changes, corrections of assumptions first, then the worst.
        wrong: The assumptions that the new document corrects.
        before: The committed document, its assumptions corrected, and its client.
        trial: What became of the calls of all examples.
    """

    changes: tuple[Change, ...]
    wrong: tuple[Mark, ...]
    before: Side
    trial: corpus.Trial


def check_at_sight(old: Document, new: Document) -> None:
    """Make sure that a document can be the next one at all.

    Args:
        old: The committed document.
        new: The new one.

    Raises:
        Refused: Its version is none, or it is the document of another API.
    """
    Version.read(new.version)
    if old.root["paths"].names and not set(old.root["paths"].names) & set(new.root["paths"].names):
        title = new.root["info"].text("title")
        raise Refused(
            f"{new.name}: this is the document of another API: `{title}` has no path in common with openapi.yaml\n"
            "Is it the right file? `--into DIR` writes a client of any document."
        )


def check_size(spec: Path) -> None:
    """Make sure that the file of a document is small enough to be judged; whether it can be read is seen later.

    Raises:
        Refused: It is not.
    """
    size = spec.stat().st_size if spec.is_file() else 0
    if size > MOST_BYTES:
        raise Refused(
            f"{spec.name}: has {size / 1e6:.1f} MB, and no more than {MOST_BYTES / 1e6:.1f} MB are compared\n"
            "Is it the right file? `--into DIR` writes a client of it without judging it."
        )


def judge(old: Document, new: Side, folder: Path, reasons: Mapping[str, str]) -> Report:
    """Return what a new document changes, and whether it is accepted.

    Args:
        old: The committed document.
        new: The new one, with its client in a folder.
        folder: A folder to work in.
        reasons: What a maintainer accepts, and why, by the name of the option: `accept-break`, `accept-title`, ...

    Raises:
        Refused: The linter finds so many errors that the documents cannot be compared.
        ToolFailed: A tool failed; nothing is known then.
    """
    with ThreadPoolExecutor() as pool:
        linting = pool.submit(_lint, new.document, folder)
        try:
            found = find_changes(old, new, folder)
        except ToolFailed:
            if not linting.result().errors:
                raise
            found = None  # the tools cannot read what the linter says is no OpenAPI
        linted = linting.result()
    if found is None:
        raise Refused(f"{new.document.name}: {_of_lint(linted)[0]}")
    versions = Version.read(old.version), Version.read(new.document.version)
    before = found.before
    return Report(
        before=old.version,
        after=new.document.version,
        level=level_of(found.changes),
        required_version=str(required(versions[0], level_of(found.changes))),
        changes=found.changes,
        refusals=(
            *_of_lint(linted),
            *_of_guards(before, new, reasons),
            *_of_version(*versions, found.changes, reasons),
        ),
        unconfirmed=found.wrong,
        moves=tuple(
            moves(account.ledger(before.document, before.contract), account.ledger(new.document, new.contract))
        ),
        touched=tuple(touches(found.trial)),
        warnings=linted.warnings,
        reasons=reasons,
    )


def write_side(document: Document, folder: Path) -> Side:
    """Write the client of a document into a folder that does not exist yet."""
    with step("write the client of the committed document"):
        contract = reader.read(document)
        folder.mkdir()
        generate(document, contract, folder / PACKAGE, locked=True)
    return Side(folder, document, contract)


def find_changes(
    old: Document, new: Side, folder: Path, write: Callable[[Document, Path], Side] = write_side
) -> Findings:
    """Return what a new document changes, by all witnesses; they work side by side.

    Args:
        old: The committed document.
        new: The new one, with its client in a folder.
        folder: A folder to work in.
        write: Gives the committed document its client again; where it is compared with several, once is enough.

    Raises:
        ToolFailed: A tool failed; nothing is known then.
    """
    right, wrong = corrected(old, new.document)
    files = diff_tools.write(right.root.value, new.document.root.value, folder / "documents")
    with ThreadPoolExecutor() as pool:
        listed = pool.submit(_ask_redocly, files)
        opinion = pool.submit(_ask_oasdiff, files)
        corrections = pool.submit(_corrections, old, right, folder / "corrections") if wrong else None
        before = write(right, folder / "before")
        calls = pool.submit(_compare_calls, before, new)
        surfaces = _compare_surfaces(before, new)
        differences, evidence = listed.result()
        trial = calls.result()
        evidence = [*evidence, *opinion.result(), *surfaces, *corpus.evidence(trial)]
        changes = [*(corrections.result() if corrections else ())]
    changes += join(right, new.document, differences, evidence)
    return Findings(tuple(changes or unlisted(old, new.document)), tuple(wrong), before, trial)


def _lint(document: Document, folder: Path) -> Linted:
    path = folder / "lint" / "openapi.yaml"
    path.parent.mkdir()
    path.write_bytes(document.content)
    with step("lint (redocly)") as current:
        linted = lint(path)
        current.note(f"{len(linted.errors)} errors" if linted.errors else "")
    return linted


def _ask_redocly(files: diff_tools.Files) -> tuple[list[diff_tools.Difference], list[Evidence]]:
    with step("compare the documents (redocly)") as current:
        differences, evidence = diff_tools.ask_redocly(files)
        current.note(f"{len(differences)} differences")
    return differences, evidence


def _ask_oasdiff(files: diff_tools.Files) -> list[Evidence]:
    with step("compare the documents (oasdiff)"):
        return diff_tools.ask_oasdiff(files)


def _corrections(old: Document, right: Document, folder: Path) -> list[Change]:
    """Return what is corrected, as changes that break no promise; words of a corrected node are no correction."""
    with step("compare the corrected assumptions (redocly)"):
        differences, evidence = diff_tools.ask_redocly(diff_tools.write(old.root.value, right.root.value, folder))
    changes = join(old, right, differences, evidence)
    return [attrs.evolve(change, kind="correction") for change in changes if change.kind != "words"]


def _compare_calls(before: Side, new: Side) -> corpus.Trial:
    with step("make the calls of all examples with both clients"):
        return corpus.run_both(before, new)


def _of_lint(linted: Linted) -> tuple[str, ...]:
    if not linted.errors:
        return ()
    listed = "\n".join(linted.errors)
    return (f"the linter finds errors:\n{listed}\nCorrect them in the document.",)


def _of_guards(before: Side, new: Side, reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the guards refuse; what was accepted before, and is committed, is not asked again."""
    title = before.document.root["info"].text("title")
    known = {(found.guard, found.what) for found in guards.violations(before.document, before.contract, title)}
    return tuple(
        f"{found.where}: {found.what}\n"
        f"If {guards.GUARDS[found.guard]}, say so: --accept-{found.guard} REASON. Else correct the document."
        for found in guards.violations(new.document, new.contract, title)
        if f"accept-{found.guard}" not in reasons and (found.guard, found.what) not in known
    )


def _compare_surfaces(before: Side, new: Side) -> list[Evidence]:
    with step("compare the Python surface"):
        return surface.compare(before, new)


def _of_version(
    before: Version, after: Version, changes: Sequence[Change], reasons: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with the version of a document; breaks that a maintainer accepted ask for none."""
    if "accept-break" in reasons:
        changes = [change for change in changes if change.kind not in _BREAKING]
    level = level_of(changes)
    least = required(before, level)
    if after < before:
        yield f"version {after} goes back: the committed document has {before}\nGive it {least}, or a higher one."
    elif not is_enough(after, least):
        kinds, verb = _NAMED[level]
        named = [change.what for change in changes if change.kind in kinds]
        listed = "\n".join([*named[:_MOST], *([f"and {len(named) - _MOST} more"] if len(named) > _MOST else [])])
        advice = "Raise info.version" + (", or keep it with --accept-break REASON." if level == "breaking" else ".")
        yield f"version {after} is too little for what {verb}; it needs {least}:\n{listed}\n{advice}"
