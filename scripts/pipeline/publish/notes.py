"""What the files for people say of a release: CHANGELOG.md its version and news, README.md the pin for callers."""

import re
import sys
from pathlib import Path

from ..document import load
from ..environment import ROOT
from ..gate.changelog import FRAGMENTS, VERSION, revision, sdk_version
from ..steps import Refused, execute, step

CHANGELOG = ROOT / "CHANGELOG.md"
README = ROOT / "README.md"

_ADVICE = "`./scripts/release --prepare` writes both from scripts/changelog.d/; read them, and commit."

_PIN = re.compile(r"(?<=redcloud-core ~= )[\w.]+")


def version() -> str:
    """Return the version of the SDK that the tree holds, as the wheel will bear it."""
    return sdk_version(load(ROOT / "openapi.yaml").version, revision())


def check_notes(version: str) -> None:
    """Make sure that CHANGELOG.md and README.md speak of a version, and that nothing waits to be told.

    Raises:
        Refused: They do not.
    """
    wrong: list[str] = []
    if not _is_told(version):
        wrong.append(f"CHANGELOG.md says nothing of version {version}")
    if waiting := _waiting():
        wrong.append(f"scripts/changelog.d/ holds what CHANGELOG.md does not say yet: {', '.join(waiting)}")
    if pins := sorted({pin for pin in _PIN.findall(README.read_text(encoding="utf-8")) if pin != _due(version, pin)}):
        wrong.append(f"README.md pins another version: redcloud-core ~= {', '.join(pins)}")
    if wrong:
        listed = "\n- ".join(wrong)
        raise Refused(f"the tree is not ready to be released as {version}:\n- {listed}\n{_ADVICE}")


def prepare() -> None:
    """Put what waits in scripts/changelog.d/ into CHANGELOG.md under the tree's version, and its pin into README.md.

    Raises:
        Refused: Nothing says what is new, or the changelog has this version already.
    """
    current = version()
    waiting = _waiting()
    if waiting and _is_told(current):
        raise Refused(
            f"CHANGELOG.md has version {current} already, and {', '.join(waiting)} would come under it\n"
            f"Raise REVISION in {VERSION.relative_to(ROOT)}. If {current} was never published, move the text by hand."
        )
    if not waiting and not _is_told(current):
        raise Refused(
            f"nothing in scripts/changelog.d/ says what is new in version {current}\n"
            "Write it there; README.md in that folder says how."
        )
    if waiting:
        with step(f"put {len(waiting)} notes into CHANGELOG.md, under {current}"):
            execute([sys.executable, "-m", "towncrier", "build", "--yes", "--version", current], cwd=ROOT)
    with step("put the pin into README.md") as writing:
        text = README.read_text(encoding="utf-8")
        README.write_text(_PIN.sub(lambda found: _due(current, found[0]), text), encoding="utf-8")
        writing.note(", ".join(sorted(set(_PIN.findall(README.read_text(encoding="utf-8"))))))


def pin_of(version: str) -> str:
    """Return what callers pin with `~=` for a version: its document, whatever the SDK's own revision."""
    return ".".join(version.split(".")[:3]) + ".0"


def _due(version: str, pin: str) -> str:
    """Return what should be in the place of a pin: for a candidate, which nobody gets without asking, the same."""
    return pin if "rc" in version else pin_of(version)


def _is_told(version: str) -> bool:
    return re.search(rf"^## {re.escape(version)}$", CHANGELOG.read_text(encoding="utf-8"), re.M) is not None


def _waiting() -> list[str]:
    return sorted(path.name for path in Path(FRAGMENTS).glob("*.md") if path.name != "README.md")
