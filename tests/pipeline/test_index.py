"""The index on loopback: serves what is in its folder, and nothing else, while it is wanted."""

import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from pipeline.publish.loopback import serve_index
from pipeline.steps import ToolFailed, execute

METADATA = "Metadata-Version: 2.1\nName: tiny-package\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Make a folder that holds a wheel of one empty module."""
    folder = tmp_path / "packages"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_package.py", "")
        wheel.writestr("tiny_package-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("tiny_package-1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("tiny_package-1.0.dist-info/RECORD", "")
    return folder


def _open(url: str) -> str:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=5) as answer:
        return str(answer.read(), "utf-8")


def test_wheel_installs_by_name(packages: Path, tmp_path: Path) -> None:
    """A wheel in the folder installs from `simple/` by name and version."""
    target = tmp_path / "target"
    with serve_index(packages) as url:
        source = ["--default-index", f"{url}simple/", "--no-config", "--no-cache"]
        execute(
            ["uv", "pip", "install", "--python", sys.executable, "--target", str(target), *source, "tiny-package==1.0"]
        )
    assert (target / "tiny_package.py").is_file()


def test_unknown_package_is_unknown(packages: Path) -> None:
    """A package that the folder lacks is not looked up at a public index."""
    with serve_index(packages) as url, pytest.raises(urllib.error.HTTPError, match="404") as answer:
        _open(f"{url}simple/another-package/")
    answer.value.close()


def test_index_ends_with_its_block(packages: Path) -> None:
    """The index is gone after its block, also when that failed."""
    urls: list[str] = []
    with pytest.raises(ZeroDivisionError), serve_index(packages) as url:  # noqa: PT012 - it must fail inside
        urls.append(url)
        assert "tiny-package" in _open(f"{url}simple/")
        _ = 1 / 0
    with pytest.raises(urllib.error.URLError, match="refused"):
        _open(urls[0])


def test_index_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A folder that is not there is an error that names it."""
    with pytest.raises(ToolFailed, match="gone"), serve_index(tmp_path / "gone"):
        pass
