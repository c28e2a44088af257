"""A package index on loopback, for rehearsals, trials and tests: pypiserver, without authentication."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..steps import ToolFailed, stop

PATIENCE = 30.0
"""Seconds to wait for the first answer of an index."""


@contextmanager
def serve_index(folder: Path, *, fallback: str | None = None) -> Generator[str]:
    """Serve the packages in a folder, uploads going there too, while the block runs.

    Args:
        folder: Where the packages are.
        fallback: The index, `simple/` and all, that answers for a package which the folder lacks; none if None.

    Yields:
        The URL of its root, which takes uploads; installs read `simple/` below it.

    Raises:
        ToolFailed: The index does not start.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(_command(folder, port, fallback), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            if not _answers(server, url):
                log.seek(0)
                raise ToolFailed(f"the index of {folder} does not answer at {url}\n{log.read().strip()}")
            yield url
        finally:
            stop(server)


def without_proxy() -> dict[str, str]:
    """Return this process's environment, with no proxy before loopback."""
    direct = ",".join(filter(None, ["127.0.0.1", os.environ.get("NO_PROXY") or os.environ.get("no_proxy")]))
    return {**os.environ, "NO_PROXY": direct, "no_proxy": direct}


def _command(folder: Path, port: int, fallback: str | None) -> Sequence[str]:
    open_to_all = ["--authenticate", ".", "--passwords", "."]
    # pypiserver's own default would be the public index
    unknown = ["--disable-fallback"] if fallback is None else ["--fallback-url", fallback]
    options = ["--interface", "127.0.0.1", "--port", str(port), *unknown, *open_to_all]
    return [sys.executable, "-m", "pypiserver", "run", *options, str(folder)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    """Wait for the first answer, unless the server ends before it or takes too long."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no business on loopback
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            direct.open(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return True
    return False
