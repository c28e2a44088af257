"""The loopback server, in a process of its own, and the certificate that its clients trust."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs
import certifi

from ..steps import ToolFailed, execute, stop
from .interleaving import WORKERS


@attrs.frozen
class Certificate:
    """A certificate for loopback.

    Attributes:
        path: The certificate.
        key: Its private key.
        bundle: What a client trusts: it, and all that it trusts elsewhere, so that loading takes as long as elsewhere.
    """

    path: Path
    key: Path
    bundle: Path


def make_certificate(folder: Path) -> Certificate:
    """Make a certificate for loopback that lasts a day.

    Raises:
        ToolFailed: There is no `openssl`, or it failed.
    """
    made = Certificate(folder / "loopback.pem", folder / "loopback.key", folder / "bundle.pem")
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"]
    if shutil.which("openssl") is None:
        raise ToolFailed("`openssl` is not installed\nIt makes the certificate of the run: install it, and run again.")
    execute(["openssl", "req", *kind, *names, *usage, "-keyout", str(made.key), "-out", str(made.path)])
    made.bundle.write_text(made.path.read_text() + Path(certifi.where()).read_text(encoding="utf-8"), encoding="utf-8")
    return made


@contextmanager
def serving(certificate: Certificate | None = None, *, token_seconds: float = 0.0) -> Generator[str]:
    """Serve on loopback while the block runs, and give the URL.

    Args:
        certificate: What to serve https with; http if None.
        token_seconds: How long a token takes.
    """
    command = [sys.executable, "-I", str(WORKERS / "server.py"), "--token-seconds", str(token_seconds)]
    if certificate:
        command += ["--certificate", str(certificate.path), "--key", str(certificate.key)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{_port(server)}"
        finally:
            stop(server)


def requests_for(url: str, path: str) -> int:
    """Return how many requests for a path a server has had."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/_counts", timeout=10) as answer:
        counts: dict[str, int] = json.load(answer)
    return counts.get(path, 0)


def _port(server: "subprocess.Popen[bytes]") -> int:
    """Read the first line that a server prints."""
    assert server.stdout is not None  # noqa: S101 - for the type checkers
    line = server.stdout.readline()
    if not line:
        raise ToolFailed("the server of the benchmark did not start; its complaint stands above")
    return int(line)
