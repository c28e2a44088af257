"""The wheel and the sdist: what they hold, what they say of themselves, and that they come out the same again."""

import json
import re
import subprocess
import tarfile
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from pipeline.document import load
from pipeline.environment import ROOT
from pipeline.publish import distribution as building
from pipeline.publish.distribution import Distribution, check
from pipeline.publish.notes import version
from pipeline.steps import Refused, ToolFailed

BUILD = """
from pathlib import Path
from pipeline.publish.distribution import build_twice
from pipeline.steps import Refused
try:
    build_twice(Path.cwd().with_name("builds"))
except Refused as refusal:
    print(refusal)
"""
SDIST_ONLY = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", ".gitignore", "PKG-INFO"}


def _known_to_git(*folders: str) -> set[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name for name in names if (ROOT / name).is_file()}


def _metadata(distribution: Distribution) -> Message:
    with zipfile.ZipFile(distribution.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(wheel.read(name))


def test_wheel_holds_both_packages_and_nothing_else(distribution: Distribution) -> None:
    """The wheel has every file of the two packages, and beside them only what installers need."""
    packages = _known_to_git("overlay/redcloud_core", "generated/redcloud_core_client")
    info = f"redcloud_core-{version()}.dist-info"
    with zipfile.ZipFile(distribution.wheel) as wheel:
        held = set(wheel.namelist())

    assert held == {name.partition("/")[2] for name in packages} | {
        f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE")
    }
    assert {"redcloud_core/py.typed", "redcloud_core_client/py.typed", "redcloud_core_client/openapi.yaml"} <= held
    assert not [name for name in held if "public_api" in name or "__pycache__" in name or "test" in name]


def test_sdist_holds_what_the_wheel_is_built_from(distribution: Distribution) -> None:
    """The sdist has the same packages and what the build reads, and nothing else."""
    packages = _known_to_git("overlay/redcloud_core", "generated/redcloud_core_client")
    with tarfile.open(distribution.sdist) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}

    assert held == packages | SDIST_ONLY


def test_versions_agree(distribution: Distribution) -> None:
    """Document, provenance, wheel, changelog and README speak of one version."""
    document = load(ROOT / "openapi.yaml").version
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    told = re.search(r"^## (\S+)$", changelog, re.M)
    pins = set(re.findall(r"redcloud-core ~= ([\w.]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    with zipfile.ZipFile(distribution.wheel) as wheel:
        lock = wheel.read("redcloud_core_client/_provenance.py").decode()
        inside = json.loads(wheel.read("redcloud_core_client/openapi.json"))["info"]["version"]

    assert told is not None
    assert distribution.version == version() == _metadata(distribution)["Version"]
    assert document == inside
    assert re.search(rf'"document": {{\s*"version": "{re.escape(document)}"', lock)
    assert version().startswith(document.replace("-rc.", "rc"))
    assert pins == {".".join(told[1].split(".")[:3]) + ".0"}
    assert told[1] == version() or _waits(), "no version of the changelog is this one, and no fragment says why"


def _waits() -> bool:
    return any(path.name != "README.md" for path in (ROOT / "scripts" / "changelog.d").glob("*.md"))


def test_wheel_stays_private(distribution: Distribution) -> None:
    """The public index refuses what bears this classifier."""
    assert "Private :: Do Not Upload" in _metadata(distribution).get_all("Classifier", [])


def test_checks_pass_and_can_fail(distribution: Distribution, tmp_path: Path) -> None:
    """The packaging tools are content, and name what they are not content with."""
    check(distribution)
    spoiled = Distribution(tmp_path / distribution.wheel.name, distribution.sdist)
    with zipfile.ZipFile(distribution.wheel) as wheel, zipfile.ZipFile(spoiled.wheel, "w") as copy:
        for name in wheel.namelist():
            more = b"tests/test_all.py,,\n" if name.endswith("/RECORD") else b""
            copy.writestr(name, wheel.read(name) + more)
        copy.writestr("tests/test_all.py", "")

    with pytest.raises(ToolFailed, match=r"undeclared toplevel entry:\n +tests/"):
        check(spoiled)


def test_builds_that_differ_are_refused(clone: Any) -> None:
    """A file that git ignores and the build would take stops the release, by name."""
    (clone.root / ".git" / "info" / "exclude").write_text("leftover.py\n")
    (clone.root / "overlay" / "redcloud_core" / "leftover.py").touch()

    said = clone.python(BUILD)

    assert "two builds of the same tree differ: redcloud_core-" in said
    assert "\n  redcloud_core/leftover.py\n" in said


def test_archives_that_differ_in_order_alone_are_refused(tmp_path: Path) -> None:
    """Equal members are not enough: the bytes must be the same."""
    for folder, names in (("one", "ab"), ("other", "ba")):
        (tmp_path / folder).mkdir()
        with zipfile.ZipFile(tmp_path / folder / "x.whl", "w") as wheel:
            for name in names:
                wheel.writestr(name, name)

    with pytest.raises(Refused, match="the order or the times of its members"):
        building._compare(tmp_path / "one" / "x.whl", tmp_path / "other" / "x.whl")
