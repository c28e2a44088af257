"""What releases are tried with: built files, clones of the tree, and an index that fails as it is told."""

import base64
import http.client
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.publish.distribution import Distribution, build_twice
from pipeline.publish.loopback import serve_index
from pipeline.publish.notes import version
from pipeline.publish.tree import copy_tree

GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
OWN = ("UV_PUBLISH_", "UV_INDEX", "UV_KEYRING", "UV_HTTP")


class Door:
    """What stands before a real index: it sees every request, asks for a password, and fails as it is told."""

    def __init__(self, url: str, packages: Path) -> None:
        self.url = url
        self.packages = packages
        self.password = ""
        self.statuses: list[int] = []
        """What the next uploads are answered; 0 lets one in."""
        self.held = threading.Event()
        """Set while an upload waits for a status that never comes, after a status of -1."""
        self.uploads = 0

    @property
    def files(self) -> list[str]:
        """What the index has."""
        return sorted(path.name for path in self.packages.iterdir())

    def is_open_to(self, authorization: str | None) -> bool:
        """Tell whether the credentials of a request are right."""
        right = base64.b64encode(f"maker:{self.password}".encode()).decode()
        return not self.password or authorization == f"Basic {right}"

    def next_status(self) -> int:
        """Return what the next upload is answered."""
        self.uploads += 1
        return self.statuses.pop(0) if self.statuses else 0


def _handler(door: Door, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not door.is_open_to(self.headers.get("Authorization")):
                self._say(401, b"who are you?")
                return
            status = door.next_status() if self.command == "POST" else 0
            if status == -1:
                door.held.set()
                self.rfile.read(1)  # until the client is gone
            elif status:
                self._say(status, b"out of order")
            else:
                self._pass_on(content)

        def _pass_on(self, content: bytes) -> None:
            parts = urlsplit(upstream)
            upper = http.client.HTTPConnection(str(parts.hostname), parts.port)
            headers = {name: text for name, text in self.headers.items() if name.lower() in ("content-type", "accept")}
            upper.request(self.command, self.path, content, headers)
            answer = upper.getresponse()
            self._say(answer.status, answer.read(), answer.headers.get("Content-Type", "text/plain"))
            upper.close()

        def _say(self, status: int, content: bytes, kind: str = "text/plain") -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """An empty index on loopback behind a door."""
    packages = tmp_path / "packages"
    packages.mkdir()
    with serve_index(packages) as upstream:
        server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        found = Door(f"http://127.0.0.1:{server.server_port}/", packages)
        server.RequestHandlerClass = _handler(found, upstream)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials and no settings for uv but those of the test, and no waiting for an index that is down."""
    for name in [name for name in os.environ if name.startswith(OWN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """The tree's own wheel and sdist."""
    return build_twice(tmp_path_factory.mktemp("distribution"))


class Clone:
    """A repository that holds the tree as it is, all committed, with the environment of this one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, script: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run one of its scripts."""
        command = [sys.executable, f"scripts/{script}", *arguments]
        known = {**os.environ, **environment}
        return subprocess.run(command, cwd=self.root, env=known, capture_output=True, text=True, check=False)

    def python(self, code: str, *arguments: str) -> str:
        """Run a program with the clone's own pipeline, and return what it printed."""
        known = {**os.environ, "PYTHONPATH": str(self.root / "scripts")}
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.root,
            env=known,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def commit(self) -> None:
        """Commit all that has changed."""
        for command in (["add", "--all"], ["commit", "--quiet", "--message", "test"]):
            subprocess.run([*GIT, *command], cwd=self.root, check=True)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text, which must be there, in a file."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="session")
def _original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_tree(tmp_path_factory.mktemp("original") / "tree")
    subprocess.run([*GIT, "init", "--quiet", "--initial-branch=main"], cwd=root, check=True)
    _tell_all(root)
    Clone(root).commit()
    return root


def _tell_all(root: Path) -> None:
    """Make the tree one that may be released, whatever waits to be told in this one."""
    for note in [path for path in (root / "scripts" / "changelog.d").glob("*.md") if path.name != "README.md"]:
        note.unlink()
    changelog, readme = root / "CHANGELOG.md", root / "README.md"
    if f"\n## {version()}\n" not in changelog.read_text(encoding="utf-8"):
        changelog.write_text(f"{changelog.read_text(encoding='utf-8')}\n## {version()}\n", encoding="utf-8")
    pin = ".".join(version().split(".")[:3]) + ".0"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(r"redcloud-core ~= [\w.]+", f"redcloud-core ~= {pin}", text), encoding="utf-8")


@pytest.fixture
def clone(_original: Path, tmp_path: Path) -> Clone:
    """A clone of one's own."""
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(_original), str(root)], check=True)
    (root / ".venv").symlink_to(Path(sys.prefix).resolve())
    return Clone(root)


@pytest.fixture(scope="session")
def refusal() -> Callable[..., str]:
    """The check for one clear message: `refusal(done, code=1)` returns it."""

    def check(done: "subprocess.CompletedProcess[str]", code: int = 1) -> str:
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr.removeprefix("error: ").strip()

    return check
