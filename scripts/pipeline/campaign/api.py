"""The sandbox in a process of its own, and what a campaign tells it."""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import steps

PATIENCE = 10.0
"""Seconds that the sandbox may refuse connections, or be silent, before it counts as dead."""


class Api:
    """The control requests of a sandbox that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def plan(self, fault: Mapping[str, Any]) -> None:
        """Have the API misbehave."""
        self._ask("POST", "/_sandbox/faults", fault)

    def clear_faults(self) -> None:
        """End all faults, but that connections are refused."""
        self._ask("DELETE", "/_sandbox/faults")

    def revoke_tokens(self) -> None:
        """Refuse all tokens issued so far."""
        self._ask("POST", "/_sandbox/tokens", {"revoke": True})

    def forget_keys(self) -> None:
        """Take each key as new from now on."""
        self._ask("POST", "/_sandbox/keys", {"forget": True})

    def sends(self) -> list[dict[str, Any]]:
        """Return the ledger's sends."""
        found: list[dict[str, Any]] = json.loads(self._ask("GET", "/_sandbox/ledger"))["sends"]
        return found

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Ask until it is answered: connections may be refused for a while, because they are told to be."""
        ends_at = time.monotonic() + PATIENCE
        while True:
            try:
                return self._answer(method, path, body)
            except (OSError, HTTPException) as error:
                if time.monotonic() > ends_at:
                    raise steps.ToolFailed(f"the sandbox does not answer {method} {path}: {error}") from None
                time.sleep(0.02)

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> bytes:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 204):
            raise steps.ToolFailed(f"the sandbox answered {method} {path} with {answer.status}: {content.decode()}")
        return content


@contextmanager
def serving(folder: Path) -> Generator[Api]:
    """Run a sandbox while the block runs.

    Args:
        folder: Where it leaves what it says on standard error.

    Raises:
        ToolFailed: It does not start.
    """
    with (folder / "sandbox.log").open("wb") as log:
        command = [sys.executable, "-m", "redcloud_core.sandbox", "--port", "0"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
    try:
        line = process.stdout.readline().decode() if process.stdout else ""
        if not line.startswith("listening on "):
            said = (folder / "sandbox.log").read_text(errors="replace").strip()
            raise steps.ToolFailed(f"the sandbox does not start\n{said}")
        yield Api(line.removeprefix("listening on ").strip())
    finally:
        steps.stop(process)
        if process.stdout:
            process.stdout.close()
