"""The gate as its maintainers meet it: `./scripts/regenerate --spec`, in copies of the tree."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.gate.changes import Change
from pipeline.gate.report import Report, show

Refusal = Callable[..., str]

VERSION = ("\n  version: 0.2.0", "\n  version: 0.3.0")
RENAMED = ("externalReference", "externalRef")
REWORDED = ("Issue a bearer access token", "Issue a token")

PING = """
  /api/core/ping:
    get:
      operationId: ping
      tags: [CORE]
      summary: Ping
      description: Tells that the API is there.
      responses:
        '200':
          description: It is there.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/AssignedNumbers'}
        '401': {$ref: '#/components/responses/Unauthorized'}
"""


def changed(tree: Any, *changes: tuple[str, str], more: str = "") -> Path:
    path: Path = tree.write_document("new.yaml", *changes, more=more)
    return path


def report(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """Return the report of a run with --json, which must print nothing else."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shown(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return what comes after the steps."""
    return [line for line in done.stdout.splitlines() if not line.startswith(("done ", "failed "))][1:]


def test_accepted(checkout: Any) -> None:
    """A document that says what it is comes in: the report is short, and client, listing and fragment are in place."""
    spec = changed(checkout, VERSION, RENAMED, more=PING)
    done = checkout.regenerate("--spec", spec)
    assert done.returncode == 0, done.stderr
    assert shown(done) == [
        "accepted: 0.2.0 -> 0.3.0, breaks callers; the client is in place, as version 0.3.0 of the SDK",
        "",
        "breaks callers on the wire",
        "  `SendMessageRequest.externalReference` is called `externalRef` now (in `sendMessage`)",
        "",
        "adds",
        "  `ping` (GET /api/core/ping) is new",
        "",
        "calls that must be touched",
        '  - client.send_message(..., externalReference="order_789")',
        '  + client.send_message(..., externalRef="order_789")',
    ]
    assert (checkout.root / "scripts/changelog.d/+document-0-3-0.spec.md").read_text() == (
        "Document 0.3.0, after 0.2.0. Changes that break callers: 1; that add: 1.\n"
        "  - breaks: `SendMessageRequest.externalReference` is called `externalRef` now\n"
        "  - adds: `ping` (GET /api/core/ping) is new\n"
    )
    assert checkout.document.read_bytes() == spec.read_bytes()
    listed = (checkout.generated / "public_api.txt").read_text()
    assert "externalRef:" in listed
    assert "externalReference" not in listed
    assert checkout.regenerate("--check").returncode == 0


def test_refused(checkout: Any, refused: Refusal) -> None:
    """A version that moves too little is refused, with the changes and the version that they need."""
    before = checkout.state()
    done = checkout.regenerate("--spec", changed(checkout, RENAMED))
    assert shown(done)[0] == "refused: 0.2.0, breaks callers; the tree is as it was"
    assert refused(done).splitlines()[1:] == [
        "- version 0.2.0 is too little for what breaks callers; it needs 0.3.0:",
        "  `SendMessageRequest.externalReference` is called `externalRef` now",
        "  Raise info.version, or keep it with --accept-break REASON.",
    ]
    assert checkout.state() == before


def test_json(checkout: Any) -> None:
    """--json prints the report and nothing else; --dry-run leaves the tree as it is."""
    before = checkout.state()
    done = checkout.regenerate("--spec", changed(checkout, RENAMED, more=PING), "--dry-run", "--json")
    found = report(done)
    assert done.returncode == 1
    assert done.stderr.startswith("done ")
    assert (found["accepted"], found["level"], found["required_version"]) == (False, "breaking", "0.3.0")
    assert [(change["where"], change["class"]) for change in found["changes"]] == [
        ("#/components/schemas/SendMessageRequest/properties/externalRef", "wire"),
        ("#/paths/~1api~1core~1ping", "additive"),
    ]
    assert found["unconfirmed"] == found["overlay"] == []
    assert all(seconds >= 0 for seconds in found["seconds"].values())
    assert "lint (redocly)" in found["seconds"]
    assert "compare the documents (oasdiff)" in found["seconds"]
    assert checkout.state() == before


def test_json_of_what_cannot_be_judged(checkout: Any, tmp_path: Path) -> None:
    """A document that cannot even be read gives a report, too, and the reason on standard error."""
    done = checkout.regenerate("--spec", tmp_path / "nowhere.yaml", "--dry-run", "--json")
    assert done.returncode == 1
    assert report(done)["accepted"] is False
    message = (
        f"{tmp_path}/nowhere.yaml: cannot be read: No such file or directory\nName a file that holds the document."
    )
    assert report(done)["refusals"] == [message]
    assert done.stderr.endswith(f"error: {message}\n")


def test_the_fourth_number(checkout: Any) -> None:
    """A document that changes at the same version raises the SDK's fourth number; a new version removes it."""
    version = checkout.root / "overlay/redcloud_core/_version.py"
    version.write_text(version.read_text().replace("= None", "= 1"))
    done = checkout.regenerate("--spec", changed(checkout, REWORDED))
    assert done.returncode == 0, done.stderr
    assert shown(done)[0].endswith("words only; the client is in place, as version 0.2.0.2 of the SDK")
    assert "\nREVISION: int | None = 2\n" in version.read_text()
    assert (checkout.root / "scripts/changelog.d/+document-0-2-0-2.spec.md").exists()
    done = checkout.regenerate("--spec", changed(checkout, VERSION))
    assert shown(done) == [
        "accepted: 0.2.0 -> 0.3.0, nothing changes for callers; the client is in place, as version 0.3.0 of the SDK"
    ]
    assert "\nREVISION: int | None = None\n" in version.read_text()


def test_towncrier_takes_the_fragment(checkout: Any) -> None:
    """The changelog is made of the machine's fragment and people's own."""
    spec = changed(checkout, RENAMED)
    done = checkout.regenerate("--spec", spec, "--accept-break", "nobody has called\nit yet")
    assert done.returncode == 0, done.stderr
    (checkout.root / "scripts/changelog.d/12.added.md").write_text("`client.ping()`.\n")
    shutil.copy(Path(__file__).parents[2] / "CHANGELOG.md", checkout.root)
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.2.0.1"]
    made = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, check=True).stdout
    wanted = [
        "## 0.2.0.1",
        "- Document 0.2.0, changed at the same version. Changes that break callers: 1.",
        "- accepted by a maintainer (accept-break): nobody has called it yet",
        "- breaks: `SendMessageRequest.externalReference` is called `externalRef` now",
        "- `client.ping()`.",
    ]
    lines = [line.strip() for line in made.splitlines()]
    assert [line for line in wanted if not any(found.startswith(line) for found in lines)] == []


def test_a_guard(checkout: Any, refused: Refusal) -> None:
    """A document must not repair a spelling, unless a maintainer says why; the changelog keeps the reason."""
    spec = changed(checkout, VERSION, ("campaignregId", "campaignRegId"))
    before = checkout.state()
    said = refused(checkout.regenerate("--spec", spec))
    assert "`campaignRegId` is `campaignregId` in requests, as the API implements it" in said
    assert "say so: --accept-campaign-spelling REASON. Else correct the document." in said
    assert checkout.state() == before
    done = checkout.regenerate("--spec", spec, "--accept-campaign-spelling", "API notice 12")
    assert done.returncode == 0, done.stderr
    assert "accepted by a maintainer (accept-campaign-spelling): API notice 12" in done.stdout
    assert "API notice 12" in (checkout.root / "scripts/changelog.d/+document-0-3-0.spec.md").read_text()
    done = checkout.regenerate("--spec", changed(checkout, REWORDED), "--dry-run")
    assert done.returncode == 0, "what was accepted once is not asked again"


MINIMAL = "openapi: 3.1.0\ninfo: {title: Pets, version: 9.0.0}\npaths: {/pets: {}}\n"

UNFIT = [
    ("another API", MINIMAL, "this is the document of another API: `Pets` has no path in common with openapi.yaml"),
    (
        "back",
        [("\n  version: 0.2.0", "\n  version: 0.1.9")],
        "version 0.1.9 goes back: the committed document has 0.2.0",
    ),
    ("no version", [("\n  version: 0.2.0", "\n  version: next")], "info.version `next` is no version of a document"),
    (
        "no camelCase",
        [VERSION, ("operationId: whoami", "operationId: who_am_i")],
        "An operationId is written in camelCase",
    ),
    (
        "no OpenAPI",
        [("operationId: whoami", "operationId: true")],
        "Expected type `string` but got `boolean`. (struct)",
    ),
    ("20 MB", "x: " + "a" * 20_000_000, "new.yaml: has 20.0 MB, and no more than 5.2 MB are compared"),
]


@pytest.mark.parametrize(("change", "message"), [row[1:] for row in UNFIT], ids=[row[0] for row in UNFIT])
def test_unfit_documents(checkout: Any, refused: Refusal, change: Any, message: str) -> None:
    """A document that cannot be the next one is refused, with what to do, and the tree is as it was."""
    path = checkout.root.parent / "new.yaml"
    if isinstance(change, str):
        path.write_text(change)
    else:
        changed(checkout, *change)
    before = checkout.state()
    assert message in refused(checkout.regenerate("--spec", path))
    assert checkout.state() == before


def test_corrections_come_first(checkout: Any) -> None:
    """What corrects an assumption comes first, with why it was assumed, and breaks no promise."""
    spec = changed(checkout, ("    patch:\n", "    put:\n"), REWORDED)
    done = checkout.regenerate("--spec", spec, "--dry-run")
    assert done.returncode == 0, done.stderr
    first, _, title, what, why, *_ = shown(done)
    assert first.startswith("accepted: 0.2.0, words only")
    assert title == "corrects assumptions, which breaks no promise"
    assert what == "  `updateNumber` is PUT /api/core/numbers/{numberId} now"
    assert why.startswith("  was assumed: ")


def test_the_ledger_tells_what_moved(checkout: Any) -> None:
    """What is no longer guarded, or new and waived, is told."""
    spec = changed(checkout, VERSION, ("          minItems: 1\n", "          not: {maxItems: 0}\n"))
    done = checkout.regenerate("--spec", spec, "--dry-run")
    assert done.returncode == 0, done.stderr
    place = "#/components/schemas/SendMessageRequest/properties/to/not"
    assert f"  constraint at {place} is waived, new: `not` is not checked" in shown(done)


def test_colours_on_a_terminal_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colours, a file the same without, whatever the environment says; a document paints nothing."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    change = Change("#/paths/~1a", "`a\x1b[31m` is gone\nrefused", "wire")
    found = Report(before="0.2.0", after="0.3.0", level="breaking", required_version="0.3.0", changes=(change,))
    show(found, place="in place")
    plain = capsys.readouterr().out
    assert plain.splitlines()[1:] == [
        "accepted: 0.2.0 -> 0.3.0, breaks callers; in place",
        "",
        "breaks callers on the wire",
        r"  `a\x1b[31m` is gone\nrefused",
    ]
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        show(found, place="in place")
        terminal.flush()
        painted = b""
        while plain.encode().splitlines()[-1] not in painted:
            painted += os.read(ours, 65536)
    os.close(ours)
    assert b"\x1b[1;32maccepted: 0.2.0 -> 0.3.0" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted.decode()).split() == plain.split()


def test_a_long_report_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal is told of the first twenty, words in one line; the JSON names all."""
    changes = tuple(Change("#", f"`field{number}` is gone", "wire") for number in range(25))
    words = tuple(Change("#", f"`text{number}` has another `description`", "words") for number in range(9))
    found = Report("0.2.0", "0.3.0", "breaking", "0.3.0", changes=changes + words)
    show(found, place="in place")
    lines = capsys.readouterr().out.splitlines()
    assert "  ... and 5 more; --json names all" in lines
    assert lines[-1] == "  `text0` has another `description`, and 8 more places"
    assert len(found.to_json({})["changes"]) == 34


def test_a_tool_that_fails(checkout: Any, refused: Refusal, tmp_path: Path) -> None:
    """Without its tools the gate fails, by the tool's name and with what to do, and the tree is as it was."""
    venv.create(tmp_path / "bare", symlinks=True)
    env = checkout.environment()
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env["PYTHONPATH"] += os.pathsep + sysconfig.get_path("purelib")
    before = checkout.state()
    command = [str(tmp_path / "bare/bin/python"), *checkout.command("--spec", changed(checkout, VERSION, RENAMED))[1:]]
    done = subprocess.run(command, cwd=checkout.root, env=env, capture_output=True, text=True, check=False)
    message = "`redocly` is not installed\nrun `./scripts/test --setup-only` to install all tools"
    assert refused(done, 2) == message
    assert checkout.state() == before
