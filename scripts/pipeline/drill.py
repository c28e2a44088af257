"""The drill: the tree as it is committed, a fix of the overlay and a new document, each released from a clone."""

import sys
import tempfile
import time
from pathlib import Path

from .document import load
from .environment import ROOT, VENV
from .gate import changelog
from .gate.versions import Version, required
from .publish import caller
from .publish.distribution import NAME
from .publish.index import Index, index_of_url
from .publish.loopback import serve_index, without_proxy
from .publish.notes import version
from .steps import ToolFailed, execute, step

_NEW_OPERATION = """
  /api/core/messages/{messageId}:
    get:
      tags: [CORE]
      operationId: getMessage
      summary: Read one message
      parameters:
        - name: messageId
          in: path
          required: true
          schema:
            type: string
      responses:
        '200':
          description: The message.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/SendResult'
"""

_WHAT_IT_IS = """
import redcloud_core
print(redcloud_core.__version__, hasattr(redcloud_core.RedCloud, "get_message"))
"""


def drill() -> None:
    """Release three versions to an index that is thrown away, and let callers with their pins install from it.

    Raises:
        ToolFailed: A release failed, or a caller got another version than the pin is for.
    """
    began = time.monotonic()
    before = load(ROOT / "openapi.yaml").version
    after = str(required(Version.read(before), "breaking"))
    number = changelog.next_revision(before, before, changelog.revision())
    fixed = changelog.sdk_version(before, number)
    with tempfile.TemporaryDirectory(prefix="redcloud-drill-") as name:
        folder = Path(name)
        packages = folder / "index"
        packages.mkdir()
        with serve_index(packages) as url:
            with step(f"release what is committed: {version()}"):
                first = _clone(ROOT, folder / "first")
                _release(first, url)
            with step(f"mend the overlay, release {fixed}"):
                _mend_overlay(fix := _clone(first, folder / "fix"), number)
                _prepare_and_release(fix, url)
            with step(f"take a new document with one more operation, release {after}"):
                _take_document(new := _clone(first, folder / "new"), before, after)
                _prepare_and_release(new, url)
            index = index_of_url(url)
            _expect(f"{NAME} ~= {before}.0", f"{fixed} False", index, folder / "pinned")
            _expect(f"{NAME} >= {after}", f"{after} True", index, folder / "latest")
    print(f"\ndrilled in {time.monotonic() - began:.1f} s: three releases, two callers")


def _clone(source: Path, target: Path) -> Path:
    """Clone a tree; its commands run in this tree's environment."""
    execute(["git", "clone", "--quiet", str(source), str(target)])
    (target / VENV.name).symlink_to(VENV.resolve())
    return target


def _mend_overlay(tree: Path, number: int | None) -> None:
    path = tree / "overlay" / "redcloud_core" / "_segments.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# a drill mended this\n", encoding="utf-8")
    (tree / changelog.VERSION.relative_to(ROOT)).write_text(changelog.with_revision(number), encoding="utf-8")
    note = tree / changelog.FRAGMENTS.relative_to(ROOT) / "+drill.fixed.md"
    note.write_text("A drill mended the overlay.\n", encoding="utf-8")


def _take_document(tree: Path, before: str, after: str) -> None:
    text = (tree / "openapi.yaml").read_text(encoding="utf-8")
    new = tree.with_name("new.yaml")
    new.write_text(text.replace(f"version: {before}\n", f"version: {after}\n", 1) + _NEW_OPERATION, encoding="utf-8")
    _run(tree, "regenerate", "--spec", str(new))


def _prepare_and_release(tree: Path, url: str) -> None:
    _run(tree, "release", "--prepare")
    execute(["git", "add", "--all"], cwd=tree)
    author = ["-c", "user.name=drill", "-c", "user.email=drill@example.com"]
    execute(["git", *author, "commit", "--quiet", "--message", "A drill"], cwd=tree)
    _release(tree, url)


def _release(tree: Path, url: str) -> None:
    _run(tree, "release", "--index", url)


def _run(tree: Path, script: str, *arguments: str) -> None:
    execute([sys.executable, f"scripts/{script}", *arguments], cwd=tree)


def _expect(requirement: str, expected: str, index: Index, folder: Path) -> None:
    """Install what a caller asks for, see that it is the version that the caller should get, and send with it."""
    with step(f"a caller asks for {requirement}") as asking:
        python = folder / "bin" / "python"
        execute(["uv", "venv", "--no-config", "--python", sys.executable, str(folder)])
        source = ["--index", f"{index.name}={index.simple_url}", "--refresh-package", NAME]
        wanted = requirement.replace(NAME, f"{NAME}[sandbox]")
        execute(["uv", "pip", "install", "--python", str(python), *source, wanted], env=caller.usual_index())
        found = execute([str(python), "-I", "-c", _WHAT_IT_IS], cwd=folder, env=without_proxy()).stdout.strip()
        if found != expected:
            raise ToolFailed(f"a caller with `{requirement}` got {found} and not {expected}")
        asking.note(f"gets {found.partition(' ')[0]}")
    caller.send_first(python, folder)
