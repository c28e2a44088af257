"""A whole release, from a clone to an index that asks for a password and back."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.publish.notes import version

SECRET = "canary-5ecret"


def _check_bill_of_materials(path: Path) -> None:
    """The SBOM names the distribution, its version and what it needs, and no path of this machine."""
    text = path.read_text(encoding="utf-8")
    found = json.loads(text)
    root = found["metadata"]["component"]
    names = {component["name"] for component in found["components"]}

    assert (root["name"], root["version"], root["type"]) == ("redcloud-core", version(), "library")
    assert {"attrs", "filelock", "httpx", "msgspec", "python-dateutil"} <= names
    assert names.isdisjoint({"redcloud-core", "uvicorn", "pytest", "uv"})
    assert "file:" not in text


def _watch(seen: set[str], ended: threading.Event) -> None:
    """Collect the command lines of all processes that hold the secret."""
    while not ended.wait(0.05):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if SECRET in line:
                seen.add(line)


def test_release(clone: Any, door: Any, know_types: Callable[[Path], Path]) -> None:
    """A release to a named index is tried, uploaded, installed from there and tried again; its password is not seen."""
    know_types(clone.root / ".mypy_cache")
    door.password = SECRET
    with (clone.root / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(
            f'\n[[tool.uv.index]]\nname = "the-team"\nurl = "{door.url}simple/"\npublish-url = "{door.url}"\n'
        )
    clone.commit()
    seen: set[str] = set()
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(seen, ended))
    watching.start()
    try:
        done = clone.run(
            "release", "--index", "the-team", UV_INDEX_THE_TEAM_USERNAME="maker", UV_INDEX_THE_TEAM_PASSWORD=SECRET
        )
    finally:
        ended.set()
        watching.join()

    assert done.returncode == 0, done.stdout + done.stderr
    names = [f"redcloud_core-{version()}-py3-none-any.whl", f"redcloud_core-{version()}.tar.gz"]
    assert door.files == names
    assert sorted(path.name for path in (clone.root / "dist").iterdir()) == [
        names[0],
        f"redcloud_core-{version()}.cdx.json",
        names[1],
    ]
    _check_bill_of_materials(clone.root / "dist" / f"redcloud_core-{version()}.cdx.json")
    assert done.stdout.count("receipt  QUEUED msg_") == 2
    assert re.search(rf"^released: redcloud-core {re.escape(version())}, in [\d.]+ s$", done.stdout, re.M)
    assert SECRET not in done.stdout + done.stderr
    assert seen == set()
