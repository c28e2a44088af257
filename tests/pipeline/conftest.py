"""Copies of the tree, in which commands may do what they like, and documents to give them."""

import compileall
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
PARTS = ("openapi.yaml", "generator-config.yml", "pyproject.toml", "scripts", "templates", "generated", "overlay")
CODE = "from pipeline.regenerate import main; raise SystemExit(main())"
PASSING = shutil.ignore_patterns("__pycache__", ".regenerate-*", "node_modules", ".mypy_cache")


class Tree:
    """A copy of what regenerating takes and gives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said = ""
        self.document = root / "openapi.yaml"
        self.generated = root / "generated"
        self.package = root / "generated" / "redcloud_core_client"

    def environment(self, *before: Path) -> dict[str, str]:
        """Give an environment in which every module comes from the copy, or from the folders before it."""
        folders = [*before, self.root / "scripts", self.root / "overlay", self.generated]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}

    def command(self, *options: object) -> list[str]:
        """Give the command line of `regenerate` on the running Python."""
        return [sys.executable, "-c", CODE, *map(str, options)]

    def regenerate(
        self, *options: object, under: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `regenerate` in the copy."""
        command = [*under, *self.command(*options)]
        env = env or self.environment()
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run a program that uses the copy's packages."""
        command = [sys.executable, "-W", "error", "-c", code]
        return subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True, check=False
        )

    def start(self, *options: object) -> "subprocess.Popen[str]":
        """Start `regenerate` in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            self.command(*options),
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def state(self) -> dict[str, bytes | None]:
        """Return every file with its bytes, and every folder, but for what Python and mypy leave behind."""
        paths = [path for path in self.root.rglob("*") if not {"__pycache__", ".mypy_cache"} & set(path.parts)]
        return {str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else None for path in paths}

    def write_document(self, name: str, *changes: tuple[str, str], more: str = "") -> Path:
        """Write a document with changes to openapi.yaml beside the copy's root, and more at its end."""
        text = self.document.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = self.root.parent / name
        path.write_text(text + more)
        return path


def refusal(done: "subprocess.CompletedProcess[str]", code: int = 1) -> str:
    """Return the one message of a command that did not do what it was asked for."""
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.removeprefix("error: ").strip()


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory, worker_id: str, know_types: Callable[[Path], Path]) -> Path:
    """Copy the tree, regenerated once, so that type checks in copies of it are fast; all workers share it."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "warm" / "tree"
    with FileLock(root.parent.with_suffix(".lock")):
        if not root.exists():
            _make_warm(root, know_types)
    return root


def _as_of_the_first_version(root: Path) -> None:
    """Give the copy the version 0.2.0, whatever the tree has, so that tests can say what becomes of it."""
    for name, line, first in (
        ("openapi.yaml", r"^  version: .*$", "  version: 0.2.0"),
        ("overlay/redcloud_core/_version.py", r"^REVISION: .*$", "REVISION: int | None = None"),
    ):
        path = root / name
        path.write_text(re.sub(line, first, path.read_text(encoding="utf-8"), count=1, flags=re.M), encoding="utf-8")


def _make_warm(root: Path, know_types: Callable[[Path], Path]) -> None:
    made = root.with_name("making")
    made.mkdir(parents=True)
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, made / name, ignore=PASSING)
        else:
            shutil.copy(ROOT / name, made)
    _as_of_the_first_version(made)
    compileall.compile_dir(made / "scripts", quiet=1)  # also where Python is told to leave no bytecode behind
    know_types(made / ".mypy_cache" / "regenerate")
    done = Tree(made).regenerate()
    assert done.returncode == 0, done.stdout + done.stderr
    made.rename(root)


@pytest.fixture(scope="session")
def new_tree(warm: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Tree]:
    """Give a function that makes trees."""

    def make() -> Tree:
        root = tmp_path_factory.mktemp("work") / "tree"
        shutil.copytree(warm, root)
        return Tree(root)

    return make


@pytest.fixture
def checkout(warm: Path, tmp_path: Path) -> Tree:
    """Give a tree of one's own, in the test's own folder."""
    shutil.copytree(warm, tmp_path / "tree")
    return Tree(tmp_path / "tree")


@pytest.fixture(scope="session")
def refused() -> Any:
    """Give the check for one clear message: `refused(done, code=1)` returns it."""
    return refusal
