"""A caller's machine in small: a clean environment, the installed package, the sandbox, a first send."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..steps import ToolFailed, execute, step, stop
from .distribution import NAME, Distribution
from .index import Index
from .loopback import without_proxy

PATIENCE = 30.0
"""Seconds to wait for the sandbox's first line."""

_IMPORT_ALL = Path(__file__).with_name("import_all.py")
_FIRST_SEND = Path(__file__).with_name("first_send.py")


def install(distribution: Distribution, source: Path | Index, folder: Path) -> Path:
    """Install a distribution by name and version into a clean environment: these files and no others.

    What it depends on comes from where uv, or else the user's pip, is configured to look.

    Args:
        distribution: What to install.
        source: Where it comes from: the folder of its files, or an index.
        folder: The environment; it does not exist yet.

    Returns:
        The environment's Python.

    Raises:
        ToolFailed: It cannot be installed, or what the source has are other bytes.
    """
    python = folder / "bin" / "python"
    hashes = [f"--hash=sha256:{known}" for known in distribution.hashes]
    with step(f"install it from {_title(source)} into a clean environment"), tempfile.TemporaryDirectory() as name:
        requirements = Path(name) / "requirements.txt"
        requirements.write_text(" ".join([f"{NAME}=={distribution.version}", *hashes]), encoding="utf-8")
        execute(["uv", "venv", "--no-config", "--python", sys.executable, str(folder)])
        exactly = [
            "--no-deps",
            "--no-build",
            "--require-hashes",
            "--requirements",
            str(requirements),
            *options_for(source),
        ]
        _pip_install(python, exactly, without_proxy(), f"Does {_title(source)} have these files, and show them to you?")
    return python


def add(python: Path, requirement: str) -> None:
    """Install into an environment what is still missing of a requirement, such as its dependencies.

    Raises:
        ToolFailed: It cannot be installed.
    """
    with step(f"install what {requirement} needs"):
        hint = "Can uv reach the package index that it, or pip, is configured for? Run the command again when it can."
        _pip_install(python, [requirement], usual_index(), hint)


def import_all(python: Path) -> None:
    """Import all public modules and names of the installed packages, and make sure that they are the installed ones.

    Raises:
        ToolFailed: One of them fails, warns, or comes from elsewhere.
    """
    with step("import all that is public"):
        execute([str(python), "-I", "-W", "error", str(_IMPORT_ALL)], cwd=python.parent)


def send_first(python: Path, folder: Path) -> str:
    """Send a first SMS with the installed package to the installed sandbox.

    Args:
        python: The environment's Python.
        folder: Where the sandbox's log may go.

    Returns:
        What the caller's program printed.
    """
    with _sandbox(python, folder) as url, step("get a token, ask whoami, list numbers, send an SMS"):
        command = [str(python), "-I", "-W", "error", str(_FIRST_SEND), url]
        return execute(command, cwd=python.parent, env=without_proxy()).stdout.strip()


def _title(source: Path | Index) -> str:
    return source.title if isinstance(source, Index) else "the built files"


def options_for(source: Path | Index) -> list[str]:
    """Return uv's options for a source and nothing beside it; not from a cache, which knows only names and versions."""
    if isinstance(source, Path):
        return ["--no-config", "--no-index", "--find-links", str(source)]
    return ["--no-config", "--default-index", f"{source.name}={source.simple_url}", "--refresh-package", NAME]


def _pip_install(python: Path, arguments: list[str], environment: Mapping[str, str], hint: str) -> None:
    try:
        execute(["uv", "pip", "install", "--python", str(python), *arguments], cwd=python.parent, env=environment)
    except ToolFailed as failure:
        raise ToolFailed(f"{failure}\n{hint}", failure.output) from None


def usual_index() -> Mapping[str, str]:
    """Give an environment in which uv takes third-party packages from where the user's pip takes them.

    uv does not read pip's configuration. An index that uv's own variables name goes before.
    """
    environment = without_proxy()
    if "UV_DEFAULT_INDEX" in environment or "UV_INDEX_URL" in environment:
        return environment
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    index = environment.get("PIP_INDEX_URL") or configured
    return {**environment, "UV_DEFAULT_INDEX": index} if index else environment


@contextmanager
def _sandbox(python: Path, folder: Path) -> Generator[str]:
    """Run the installed sandbox while the block runs, and give its URL."""
    log = folder / "sandbox.log"
    command = [str(python), "-I", "-m", "redcloud_core.sandbox", "--port", "0"]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        with step("start the sandbox") as starting:
            url = _read_url(server, log)
            starting.note(url)
        yield url
    finally:
        stop(server)


def _read_url(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the sandbox's first line, `listening on URL`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended = server.poll() is not None  # asked first: what it printed before its end is then in the log
        for line in log.read_text().splitlines(keepends=True):
            if line.startswith("listening on ") and line.endswith("\n"):
                return line.removeprefix("listening on ").strip()
        if ended:
            break
        time.sleep(0.02)
    raise ToolFailed(f"the sandbox did not start\n{log.read_text().strip()}")
