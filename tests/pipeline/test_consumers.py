"""What README's configurations install, by uv and by pip, while a stranger offers more under our name."""

import configparser
import os
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

from pipeline.publish.loopback import serve_index
from pipeline.steps import execute

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

OURS = {"0.2.0": ("0.2.0", None), "0.2.0.1": ("0.2.0", 1), "0.3.0": ("0.3.0", None)}
"""Of each version of the SDK, the document's version and the SDK's own revision."""

STRANGERS = ("0.2.0.99", "0.3.0", "99.0")
"""What a stranger uploads under our name: the highest for the pin, one of ours with other bytes, the highest of all."""


class Company(NamedTuple):
    """A company's index, which shows its own files for a name that it has, and hands on all others."""

    folder: Path
    url: str


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Build the SDK in three versions, from one copy of the tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("overlay", "generated"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    return {version: _build(tree, version) for version in OURS}


@pytest.fixture(scope="module")
def public(wheels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve what anyone may upload: what the SDK needs, a stranger's files, and a library that needs our name."""
    folder = tmp_path_factory.mktemp("public")
    _write_dependencies(folder, wheels["0.2.0"])
    for version in STRANGERS:
        _write_wheel(folder, "redcloud-core", version)
    _write_wheel(folder, "team-library", "1.0", "redcloud-core")
    with serve_index(folder) as url:
        yield f"{url}simple/"


@pytest.fixture
def company(wheels: Mapping[str, Path], public: str, tmp_path: Path) -> Iterator[Company]:
    """Serve our three versions, and public packages."""
    folder = tmp_path / "company"
    folder.mkdir()
    for wheel in wheels.values():
        shutil.copy(wheel, folder)
    with serve_index(folder, fallback=public) as url:
        yield Company(folder, url)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Make the home of a caller, in which uv finds an empty configuration before the machine's own."""
    home = tmp_path / "home"
    (home / "uv").mkdir(parents=True)
    (home / "uv" / "uv.toml").touch()
    return home


@pytest.fixture(params=["uv", "pip"])
def install(request: pytest.FixtureRequest, home: Path, company: Company, public: str) -> Callable[[str], str]:
    """Give what installs a requirement as README says, and returns the version that came: one tool, then the other."""
    if request.param == "uv":
        return lambda requirement: _uv(home, _project(company, requirement), public)
    return lambda requirement: _pip(home, _pip_conf(company), requirement)


def test_a_pin_gets_the_revisions_of_its_document(
    install: Callable[[str], str], wheels: Mapping[str, Path], company: Company
) -> None:
    """README's pin gets 0.2.0, then 0.2.0.1 as soon as there is one; never 0.3.0, nor what a stranger offers."""
    for version in ("0.2.0.1", "0.3.0"):
        (company.folder / wheels[version].name).unlink()
    assert install(_pin()) == "0.2.0"

    for version in ("0.2.0.1", "0.3.0"):
        shutil.copy(wheels[version], company.folder)
    assert install(_pin()) == "0.2.0.1"


def test_a_stranger_s_higher_version_is_not_taken(install: Callable[[str], str]) -> None:
    """A caller who takes every document from 0.3 gets ours, and not the 99.0 that the public index has."""
    assert install("redcloud-core >= 0.3") == "0.3.0"


def test_uv_asks_the_company_for_nothing_else(
    home: Path, company: Company, public: str, wheels: Mapping[str, Path]
) -> None:
    """What the SDK needs comes from the public index, although the company's has it too."""
    _write_dependencies(company.folder, wheels["0.2.0"])
    _uv(home, _project(company, _pin()), public)

    packages = tomllib.loads((home / "uv.lock").read_text(encoding="utf-8"))["package"]
    sources = {package["name"]: package["source"].get("registry") for package in packages}
    assert sources.pop("caller") is None
    assert sources.pop("redcloud-core") == f"{company.url}simple/"
    assert set(sources.values()) == {public}


def test_uv_without_the_source_takes_the_stranger_s(home: Path, company: Company, public: str) -> None:
    """An explicit index alone is asked for nothing at all: even the pin is met by the public index."""
    project, lines = re.subn(r"^redcloud-core = .*\n", "", _project(company, _pin()), flags=re.M)

    assert lines == 1
    assert _uv(home, project, public) == "a stranger's 0.2.0.99"


def test_uv_s_source_is_for_direct_dependencies_alone(home: Path, company: Company, public: str) -> None:
    """What another package brings is the stranger's, until the caller names it as README says."""
    assert _uv(home, _project(company, "team-library"), public) == "a stranger's 99.0"
    assert _uv(home, _project(company, 'team-library", "redcloud-core >= 0.3'), public) == "0.3.0"


def test_pip_with_an_extra_index_takes_the_stranger_s(home: Path, company: Company, public: str) -> None:
    """One extra index beside README's pip.conf undoes it, and a version without hashes does not help."""
    settings = {**_pip_conf(company), "PIP_EXTRA_INDEX_URL": public}

    assert _pip(home, settings, "redcloud-core >= 0.3") == "a stranger's 99.0"
    assert _pip(home, settings, "redcloud-core == 0.3.0") == "a stranger's 0.3.0"


def test_hashes_take_no_other_files(home: Path, company: Company, public: str) -> None:
    """By uv's hashes pip takes our 0.3.0, though the public index has a file that goes before it."""
    _uv(home, _project(company, "redcloud-core >= 0.3"), public)
    shutil.rmtree(home / ".venv")
    export, pip_install = re.findall(r"`(uv export [^`]*|pip install --require-hashes [^`]*)`", README)
    _run(export.split(), home, {"UV_DEFAULT_INDEX": public})

    mixed = {"PIP_INDEX_URL": public, "PIP_EXTRA_INDEX_URL": f"{company.url}simple/"}
    assert _pip(home, mixed, *pip_install.split()[2:]) == "0.3.0"


def _pin() -> str:
    """Return the pin that README shows, for document 0.2.0, whatever document the tree has."""
    (pin,) = set(re.findall(r"redcloud-core *[~=<>]=[ \d.]*\d", README))
    pin, fits = re.subn(r"^(redcloud-core ~= )\d+\.\d+\.\d+\.0$", r"\g<1>0.2.0.0", pin)
    assert fits == 1
    return pin


def _block(language: str, company: Company) -> str:
    """Return README's one block of a language, with a company's index in the place of the example's."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.M)
    assert "https://packages.example.com/" in block
    return str(block).replace("https://packages.example.com/", company.url)


def _project(company: Company, requirement: str) -> str:
    """Return a pyproject.toml with README's lines, but for what it requires."""
    head = '[project]\nname = "caller"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
    lines, pins = re.subn(r'(?<=")redcloud-core [^"]*(?=")', requirement, _block("toml", company))
    assert pins == 1
    return lines.replace("[project]\n", head)


def _pip_conf(company: Company) -> dict[str, str]:
    """Return README's pip.conf as variables: pip takes them alike, and so the machine's own files can be left out."""
    parser = configparser.ConfigParser()
    parser.read_string(_block("ini", company))
    return {f"PIP_{name.replace('-', '_').upper()}": value for name, value in parser["global"].items()}


def _uv(home: Path, project: str, public: str) -> str:
    """Bring a project up to date, where the public index is uv's usual one, and return what came."""
    (home / "pyproject.toml").write_text(project, encoding="utf-8")
    _run(["uv", "sync", "--upgrade", "--python", sys.executable], home, {"UV_DEFAULT_INDEX": public})
    return _installed(home)


def _pip(home: Path, settings: Mapping[str, str], *arguments: str) -> str:
    """Install by pip with these settings and no others, into one environment, and return what came."""
    if not (home / ".venv").exists():
        _run(["uv", "venv", "--python", sys.executable], home)
    pip = [sys.executable, "-m", "pip", "--python", ".venv", "install", "--upgrade", "--no-compile"]
    _run([*pip, *arguments], home, {**settings, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return _installed(home)


def _installed(home: Path) -> str:
    """Ask the installed package who it is; ours needs none of its dependencies for that."""
    return _run([".venv/bin/python", "-I", "-c", "import redcloud_core; print(redcloud_core.__version__)"], home)


def _run(command: list[str], home: Path, settings: Mapping[str, str] | None = None) -> str:
    """Run a command where nothing of the machine's is known but its PATH: no configuration, no cache, no proxy."""
    nothing = {"HOME": str(home), "XDG_CONFIG_DIRS": str(home), "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1"}
    return execute(command, cwd=home, env={"PATH": os.environ["PATH"], **nothing, **(settings or {})}).stdout.strip()


def _build(tree: Path, version: str) -> Path:
    """Give a copy of the tree a version and build its wheel."""
    document, revision = OURS[version]
    for name, pattern, value in (
        ("generated/redcloud_core_client/_provenance.py", r'(?<="document": \{"version": ")[^"]*', document),
        ("overlay/redcloud_core/_version.py", r"(?<=^REVISION: int \| None = ).*", str(revision)),
    ):
        text = (tree / name).read_text(encoding="utf-8")
        (tree / name).write_text(re.sub(pattern, value, text, count=1, flags=re.M), encoding="utf-8")
    options = ["--no-build-isolation", "--python", sys.executable, "--out-dir", "dist"]
    # the build imports what was just changed, and a cached module of the same second and length would pass for it
    _run(["uv", "build", "--wheel", *options], tree, {"PYTHONDONTWRITEBYTECODE": "1"})
    return tree / "dist" / f"redcloud_core-{version}-py3-none-any.whl"


def _write_dependencies(folder: Path, wheel: Path) -> None:
    """Write a wheel of each package that ours needs, of the lowest version that will do."""
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        needs = Parser().parsestr(opened.read(name).decode()).get_all("Requires-Dist", [])
    for need in filter(lambda need: need.marker is None, map(Requirement, needs)):
        (lowest,) = (bound.version for bound in need.specifier if bound.operator == ">=")
        _write_wheel(folder, need.name, lowest)


def _write_wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """Write a wheel of one module that says that it is a stranger's; its build number goes before none."""
    module = name.replace("-", "_")
    about = "".join([f"Name: {name}\nVersion: {version}\n", *(f"Requires-Dist: {need}\n" for need in needs)])
    information = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{module}-{version}-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}.py", f'__version__ = "a stranger\'s {version}"\n')
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\n{about}")
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nBuild: 1\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")
