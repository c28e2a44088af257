"""The wheel and the sdist: built twice, compared byte for byte, and checked."""

import os
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import attrs

from ..environment import ROOT
from ..steps import Refused, execute, step
from .tree import copy_tree

NAME = "redcloud-core"
"""What indexes call the distribution."""


@attrs.frozen
class Distribution:
    """A wheel and an sdist of one version."""

    wheel: Path
    sdist: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """Both, the wheel first."""
        return self.wheel, self.sdist

    @property
    def version(self) -> str:
        """The version that the wheel bears."""
        return self.wheel.name.split("-")[1]

    @property
    def hashes(self) -> tuple[str, str]:
        """The SHA-256 of each file, hex."""
        wheel, sdist = (sha256(path.read_bytes()).hexdigest() for path in self.files)
        return wheel, sdist


def build_twice(folder: Path) -> Distribution:
    """Build the tree, and in another way a copy of what git has of it; they must not differ.

    The first wheel is built from the sdist, the second from the tree, so that the sdist is known to give the same one.

    Args:
        folder: Where both go.

    Returns:
        The first of the two.

    Raises:
        Refused: They differ.
    """
    with step("build twice and compare") as building:
        built = _build(ROOT, folder / "dist")
        again = _build(copy_tree(folder / "copy"), folder / "again", "--sdist", "--wheel")
        for one, other in zip(built.files, again.files, strict=True):
            _compare(one, other)
        building.note(f"{built.wheel.name}, {built.sdist.name}")
    return built


def check(distribution: Distribution) -> None:
    """Judge a distribution with the tools that indexes and packagers use.

    Raises:
        ToolFailed: One of them complains; the message has its words.
    """
    python = [sys.executable, "-m"]
    with step("check it: validate-pyproject, twine, check-wheel-contents"):
        execute([*python, "validate_pyproject", "pyproject.toml"], cwd=ROOT)
        execute([*python, "twine", "check", "--strict", *map(str, distribution.files)], cwd=ROOT)
        execute([*python, "check_wheel_contents", str(distribution.wheel)], cwd=ROOT)


def bill_of_materials(distribution: Distribution, python: Path) -> Path:
    """Write the SBOM (CycloneDX, JSON) of a distribution beside it.

    Args:
        distribution: What the SBOM is of.
        python: The Python of an environment that holds the installed distribution and what came with it.
    """
    path = distribution.wheel.with_name(f"{NAME.replace('-', '_')}-{distribution.version}.cdx.json")
    with step("write the SBOM") as writing:
        # the tree's own pyproject.toml has no version: it is read from the code
        root = distribution.wheel.with_name("root.toml")
        root.write_text(f'[project]\nname = "{NAME}"\nversion = "{distribution.version}"\n', encoding="utf-8")
        options = ["--output-reproducible", "--pyproject", str(root), "--mc-type", "library", "--of", "JSON"]
        execute([sys.executable, "-m", "cyclonedx_py", "environment", str(python), *options, "-o", str(path)])
        root.unlink()
        writing.note(path.name)
    return path


def _build(source: Path, folder: Path, *kinds: str) -> Distribution:
    # with the pinned build backend of this environment, so that nothing is fetched
    options = ["--no-build-isolation", "--python", sys.executable, "--no-config", "--out-dir", str(folder)]
    # and nothing is left in the tree, which may be built again within the second that dates its bytecode
    execute(["uv", "build", *kinds, *options], cwd=source, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Distribution(wheel, sdist)


def _compare(one: Path, other: Path) -> None:
    if one.name != other.name or one.read_bytes() != other.read_bytes():
        first, second = _members(one), _members(other)
        differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        raise Refused(
            f"two builds of the same tree differ: {one.name}\n  "
            + "\n  ".join(differing[:10] or ["the order or the times of its members"])
            + "\nThe build took what git ignores: `git clean -ndX` lists it. Take it out, and release again."
        )


def _members(archive: Path) -> Mapping[str, bytes]:
    """Return what an archive holds, by name."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as sdist:
        found = {member.name: sdist.extractfile(member) for member in sdist.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}
