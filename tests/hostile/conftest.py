"""Documents that mean harm, and what becomes of them."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline import account, reader
from pipeline.contract import Contract
from pipeline.document import Document, load
from pipeline.generate import PACKAGE, generate
from pipeline.steps import Refused

ROOT = Path(__file__).parents[2]
SECONDS = 20

TRY = f"""
import importlib, json, sys, typing
sys.path.insert(0, sys.argv[1])
def module(name):
    return importlib.import_module("{PACKAGE}." + name)
def model(name):
    return getattr(module("models"), name)
given = json.load(sys.stdin)
"""


class Folder:
    """A folder for one document and for what is made of it, and a canary beside them that must not appear."""

    def __init__(self, root: Path, canary: Path) -> None:
        self.root = root
        self.canary = canary
        self.into = root / "into"

    def write(self, data: Any, name: str = "document.json") -> Path:
        """Write a document: bytes and texts as they are, data as JSON with everything but ASCII escaped."""
        path = self.root / name
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        return path

    def read(self, data: Any, name: str = "document.json") -> tuple[Document, Contract]:
        """Read a document as `regenerate` does, in the time that any document gets."""
        path = self.write(data, name)
        with in_time(SECONDS):
            document = load(path)
            contract = reader.read(document)
            account.check_complete(document, contract)
        return document, contract

    def take(self, data: Any, name: str = "document.json") -> Contract:
        """Make the package of a document, which must hold what the document says, and nothing else on the disk."""
        document, contract = self.read(data, name)
        before = set(self.root.rglob("*"))
        with in_time(3 * SECONDS):
            generate(document, contract, self.into / PACKAGE, locked=False)
            account.check_package(self.into, document, contract)
        assert {path for path in self.root.rglob("*") if self.into not in path.parents} - before <= {self.into}
        assert not self.canary.exists()
        for path in self.into.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            compile(text, str(path), "exec")
            assert not [character for character in text if not character.isprintable() and character != "\n"], path
        return contract

    def refused(self, data: Any, name: str = "document.json") -> str:
        """Return the message about a document that is not taken."""
        with pytest.raises(Refused) as caught:
            self.read(data, name)
        return clear(caught.value, name)

    def outcome(self, data: Any, name: str = "document.json") -> str:
        """Return the message about a document, or an empty text where it is taken."""
        try:
            self.read(data, name)
        except Refused as refusal:
            return clear(refusal, name)
        return ""

    def ask(self, code: str, given: Any = None) -> Any:
        """Return what a program that uses the package prints as JSON: the value of its variable `found`."""
        command = [sys.executable, "-B", "-W", "error", "-c", f"{TRY}{code}\nprint(json.dumps(found))", str(self.into)]
        done = subprocess.run(
            command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def clear(refusal: Refused, name: str) -> str:
    """Return the message of a refusal, which must be one clear text that names the document and can be printed."""
    message = str(refusal)
    assert name in message
    assert "Traceback" not in message
    assert len(message) < 30_000
    message.encode()
    return message


@contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """Let no block run on for ever."""

    def stop(*_: object) -> None:
        raise AssertionError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Give a folder for a document."""
    (tmp_path / "work").mkdir()
    return Folder(tmp_path / "work", tmp_path / "canary")


@pytest.fixture
def strings(folder: Folder) -> dict[str, str]:
    """Give the hostile strings by what they are called, all of which try to make the canary or to raise."""
    found: dict[str, str] = json.loads((Path(__file__).parent / "strings.json").read_text(encoding="utf-8"))
    return {name: text.replace("CANARY", str(folder.canary)) for name, text in found.items()}


@pytest.fixture
def document_of() -> Callable[..., dict[str, Any]]:
    """Give the function that makes a document of schemas, paths and more."""

    def make(schemas: Any = None, paths: Any = None, **more: Any) -> dict[str, Any]:
        return {
            "openapi": "3.1.0",
            "info": {"title": "T", "version": "1.0.0"},
            "paths": paths or {},
            "components": {"schemas": schemas or {}},
            **more,
        }

    return make
