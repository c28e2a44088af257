"""The environment: its pins agree with pyproject.toml, its parts are made anew when due, its lock is never left."""

import ast
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline import environment
from pipeline.steps import execute

PINS = environment.REQUIREMENTS.read_text()
HOLD = """
import fcntl, sys, time
sys.path.insert(0, sys.argv[1])
from pipeline import environment
environment._acquire(environment._open_lock(), fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a tree that holds what the environment is made from, without an environment."""
    shutil.copytree(environment.ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(environment.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def fresh(tree: Path) -> ModuleType:
    """Load the copied tree's own environment module, with a Python in its `.venv`."""
    spec = importlib.util.spec_from_file_location("fresh", tree / "scripts" / "pipeline" / "environment.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PYTHON.parent.mkdir(parents=True)
    module.PYTHON.symlink_to(sys.executable)
    return module


def test_pins_satisfy_pyproject() -> None:
    """Every requirement of pyproject.toml has a pin within its range; else the pins must be made anew."""
    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    wanted = [Requirement(line) for group in [*groups, project["dependency-groups"]["dev"]] for line in group]
    lines = [Requirement(line.rstrip("\\ ")) for line in PINS.splitlines() if re.match(r"[a-z0-9]", line)]
    pins = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in lines}
    wrong = [str(want) for want in wanted if not _has(pins, want)]
    assert wrong == [], "remake scripts/requirements.txt with the command in its head"


def _has(pins: dict[str, str], want: Requirement) -> bool:
    pin = pins.get(canonicalize_name(want.name))
    return pin is not None and want.specifier.contains(pin, prereleases=True)


def test_pins_have_hashes_and_no_addresses() -> None:
    """Every pin has a hash, and neither list of pins records from where it was downloaded."""
    for pin in re.split(r"\n(?=[a-z0-9])", PINS)[1:]:
        assert "--hash=sha256:" in pin
    lock = (environment.NODE_PINS / "package-lock.json").read_text()
    assert "://" not in PINS + lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)


def test_pins_cover_this_environment() -> None:
    """What is installed here is what the pins say, so that nothing was installed by hand or left behind."""
    lines = [Requirement(line.rstrip("\\ ")) for line in PINS.splitlines() if re.match(r"[a-z0-9]", line)]
    due = {str(p.name): str(p.specifier) for p in lines if p.marker is None or p.marker.evaluate(default_environment())}
    versions = {name: f"=={importlib.metadata.version(name)}" for name in due}
    assert versions == due


def test_environment_module_is_readable_by_old_pythons() -> None:
    """An old Python gets as far as the message that asks for a newer one: no newer syntax, nothing to install."""
    source = Path(environment.__file__).read_text()
    module = ast.parse(source, feature_version=(3, 6))
    imports = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    assert {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_part_is_made_once_until_its_fingerprint_changes(fresh: ModuleType) -> None:
    """A part is ready once it was made, and due again when what it is made from changes."""
    part = fresh.Part("tools", "one", lambda: None)
    assert not part.is_ready()
    fresh._make(part)
    assert part.is_ready()
    assert not part._replace(fingerprint="two").is_ready()


def test_failed_part_is_due_again(fresh: ModuleType) -> None:
    """A part whose making failed is due again, even if it was whole before."""
    whole = fresh.Part("tools", "one", lambda: None)
    fresh._make(whole)
    with pytest.raises(ZeroDivisionError):
        fresh._make(whole._replace(make=lambda: 1 / 0))
    assert not whole.is_ready()


def test_parts_notice_what_they_are_made_from(fresh: ModuleType, tree: Path) -> None:
    """A change of pins, of the Node lock or of pyproject.toml makes its own part due, and no other."""
    for changed, file in enumerate(
        ["scripts/requirements.txt", "scripts/pipeline/node/package-lock.json", "pyproject.toml"]
    ):
        before = [part.fingerprint for part in fresh.parts()]
        with (tree / file).open("a") as more:
            more.write("\n")
        after = [part.fingerprint for part in fresh.parts()]
        assert [old != new for old, new in zip(before, after, strict=True)] == [index == changed for index in range(3)]


def test_part_without_its_python_is_due(fresh: ModuleType) -> None:
    """An environment whose Python went away with an upgrade of the machine is not ready."""
    part = fresh.Part("tools", "one", lambda: None)
    fresh._make(part)
    fresh.PYTHON.unlink()
    fresh.PYTHON.symlink_to("/nowhere/python3")
    assert not part.is_ready()


def test_lock_dies_with_its_holder(tree: Path) -> None:
    """While one process sets up, another waits; when the first is killed, the lock is free."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tree / "scripts")], stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        lock = os.open(tree / ".venv", os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        holder.kill()
        holder.wait()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(lock)


def test_failed_setup_is_one_message(tree: Path) -> None:
    """A setup without a package index ends with exit code 2 and says what to do, without a traceback."""
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PATH": os.environ["PATH"], "PIP_NO_CACHE_DIR": "1"}
    command = [sys.executable, str(tree / "scripts" / "test"), "--setup-only"]
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: could not set up .venv" in done.stderr
    assert done.stderr.endswith("Run the command again when it can.\n")
    assert "Traceback" not in done.stderr


def test_linked_environment_is_used_as_it_is(tree: Path) -> None:
    """A copy of the tree with a link to an environment runs its commands at once, from any folder, and adds nothing."""
    (tree / ".venv").symlink_to(sys.prefix)
    outside = {"PATH": os.defpath}
    command = [str(tree / "scripts" / "test"), "--help"]
    done = subprocess.run(command, cwd="/", env=outside, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--setup-only" in done.stdout


def test_node_tools_are_the_pinned_ones() -> None:
    """Both Node tools run and are of the version in package.json."""
    pins = json.loads((environment.NODE_PINS / "package.json").read_text())["dependencies"]
    assert execute(environment.node("redocly", "--version")).stdout.strip() == pins["@redocly/cli"]
    assert execute(environment.node("pyright", "--version")).stdout.strip() == f"pyright {pins['pyright']}"
