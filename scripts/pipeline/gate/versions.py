"""The version rule: a document's own version says how much it changes, or the document is refused."""

import re
from collections.abc import Iterable
from typing import Literal

import attrs

from ..steps import Refused
from .changes import Change

Level = Literal["breaking", "additive", "words", "none"]

_FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-rc\.(0|[1-9]\d*))?", re.ASCII)


@attrs.frozen(order=True)
class Version:
    """A version of a document: three integers, and `-rc.N` of a candidate, which comes before the three alone."""

    release: tuple[int, int, int]
    candidate: float = float("inf")

    @classmethod
    def read(cls, text: str) -> "Version":
        """Read a version.

        Raises:
            Refused: It is not three integers with `-rc.N` at most.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise Refused(
                f"info.version `{text}` is no version of a document\n"
                "Write three integers such as 0.3.0, with -rc.1 behind them for a candidate."
            )
        major, minor, patch, candidate = found.groups()
        return cls((int(major), int(minor), int(patch)), float("inf") if candidate is None else int(candidate))

    def __str__(self) -> str:
        plain = ".".join(map(str, self.release))
        return plain if self.candidate == float("inf") else f"{plain}-rc.{int(self.candidate)}"


def level_of(changes: Iterable[Change]) -> Level:
    """Return the level of some changes: that of the worst. Corrections of assumptions count as words."""
    kinds = {change.kind for change in changes}
    if kinds & {"wire", "python"}:
        return "breaking"
    if "additive" in kinds:
        return "additive"
    return "words" if kinds else "none"


def required(before: Version, level: Level) -> Version:
    """Return the least version that suffices for changes of a level.

    A candidate promises what its three integers have paid for: after 0.3.0-rc.1 anything may change until 0.3.0, after
    0.2.1-rc.1 a break needs 0.3.0. Each of its changes needs another candidate, since it has no fourth number.
    """
    if level == "none":
        return before
    if before.candidate != float("inf"):
        paid = _pays_for(before.release, level)
        return Version(before.release, before.candidate + 1) if paid else Version(_raised(before.release, level))
    return Version(_raised(before.release, level))


def is_enough(version: Version, least: Version) -> bool:
    """Tell whether a version suffices; a candidate of the least one does, too."""
    return version >= least or (version.release == least.release and least.candidate == float("inf"))


def _raised(release: tuple[int, int, int], level: Level) -> tuple[int, int, int]:
    major, minor, patch = release
    if level == "words":
        return release
    if level == "breaking":
        return (0, minor + 1, 0) if major == 0 else (major + 1, 0, 0)
    return (0, minor, patch + 1) if major == 0 else (major, minor + 1, 0)


def _pays_for(release: tuple[int, int, int], level: Level) -> bool:
    """Tell whether three integers that are new allow changes of a level."""
    major, minor, patch = release
    if level == "breaking":
        return patch == 0 if major == 0 else (minor, patch) == (0, 0)
    return level == "words" or major == 0 or patch == 0
