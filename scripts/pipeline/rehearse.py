"""From the document to a first SMS, the way a caller meets it: regenerate, build, publish, install, send."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from . import steps
from .environment import ROOT
from .index import serve_index
from .steps import ToolFailed, execute, step, stop

PATIENCE = 30.0
"""Seconds to wait for the sandbox's first line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of `./scripts/rehearse`."""
    parser = argparse.ArgumentParser(
        prog="./scripts/rehearse",
        description="Regenerate, build the wheel, serve it from an index on loopback, install it from there into a "
        "clean environment, start the sandbox in it, and send a first SMS. Only the regenerated code stays.",
    )
    parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up, as after Ctrl-C
    return steps.run(rehearse)


def rehearse() -> None:
    """Go all the way and show each step.

    Raises:
        ToolFailed: A step failed; its message tells which command and why.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="redcloud-rehearsal-") as temporary:
        folder = Path(temporary)
        with step("regenerate from openapi.yaml"):
            execute([sys.executable, "scripts/regenerate"], cwd=ROOT)
        wheel = build_wheel(folder / "index")
        python = install_from_index(wheel, folder)
        with start_sandbox(python, folder) as url:
            receipt = send_first(python, url)
    print(f"\n{receipt}\nrehearsed in {time.monotonic() - began:.1f} s: from the document to a first SMS")


def build_wheel(folder: Path) -> Path:
    """Build the tree's wheel into a folder."""
    with step("build the wheel") as building:
        # with the pinned build backend of this environment, so that nothing is fetched
        options = ["--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder)]
        execute(["uv", "build", "--wheel", *options], cwd=ROOT)
        (wheel,) = folder.glob("*.whl")
        building.note(wheel.name)
        return wheel


def install_from_index(wheel: Path, folder: Path) -> Path:
    """Serve a wheel from an index and install it from there, by name and version, into a clean environment.

    Returns:
        The clean environment's Python.
    """
    name, version = wheel.name.split("-")[:2]
    requirement = f"{name.replace('_', '-')}[sandbox]=={version}"
    clean = folder / "clean"
    python = clean / "bin" / "python"
    with ExitStack() as serving:
        with step("serve it from an index on loopback") as starting:
            url = serving.enter_context(serve_index(wheel.parent))
            starting.note(url)
        with step("install it into a clean environment") as installing:
            execute(["uv", "venv", "--python", sys.executable, str(clean)])
            # the first index wins: what loopback has comes from there; and never from a cache, which knows only names
            source = ["--index", f"{url}simple/", "--refresh-package", "redcloud-core"]
            execute(["uv", "pip", "install", "--python", str(python), *source, requirement], env=_usual_index())
            installing.note(requirement)
    with step("check that it is the installed one"):
        check_origin(python, clean)
    return python


def check_origin(python: Path, clean: Path) -> None:
    """Make sure that an environment imports both packages from itself and not from the tree.

    Raises:
        ToolFailed: It imports one of them from elsewhere.
    """
    for package in ("redcloud_core", "redcloud_core_client"):
        program = f"import {package}; print({package}.__file__)"
        origin = Path(execute([str(python), "-I", "-c", program], cwd=clean).stdout.strip())
        if not origin.resolve().is_relative_to(clean.resolve()):
            raise ToolFailed(f"{package} is imported from {origin} and not from the clean environment {clean}")


@contextmanager
def start_sandbox(python: Path, folder: Path) -> Generator[str]:
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


def send_first(python: Path, url: str) -> str:
    """Send a first SMS through the installed package and give what the caller's program printed."""
    program = Path(__file__).with_name("first_send.py")
    with step("get a token, ask whoami, list numbers, send an SMS"):
        return execute([str(python), "-I", str(program), url], cwd=python.parent, env=_without_proxy()).stdout.strip()


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


def _without_proxy() -> Mapping[str, str]:
    """Give an environment in which no proxy stands before loopback."""
    direct = ",".join(filter(None, ["127.0.0.1", os.environ.get("NO_PROXY") or os.environ.get("no_proxy")]))
    return {**os.environ, "NO_PROXY": direct, "no_proxy": direct}


def _usual_index() -> Mapping[str, str]:
    """Give an environment in which uv takes third-party packages from where the user's pip takes them.

    uv does not read pip's configuration. An index that uv's own variables name goes before.
    """
    environment = dict(_without_proxy())
    if "UV_DEFAULT_INDEX" in environment or "UV_INDEX_URL" in environment:
        return environment
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    index = environment.get("PIP_INDEX_URL") or configured
    return {**environment, "UV_DEFAULT_INDEX": index} if index else environment
