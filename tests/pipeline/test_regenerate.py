"""`regenerate` in copies of the tree: all or nothing, one clear message, and nothing left behind."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

Refusal = Callable[..., str]

MINIMAL = "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\npaths: {}\n"

# What a document adds: two operations, with schemas of all kinds. `not` is checked by the API, and not by the client.
SCHEMAS = """
    ReminderState:
      type: string
      enum: [OPEN, DONE]
    NewReminder:
      type: object
      required: [due, channels]
      properties:
        due: {type: string, format: date-time}
        channels: {type: array, minItems: 1, items: {type: array, items: {type: string}}}
        state: {$ref: '#/components/schemas/ReminderState'}
        labels: {type: object, additionalProperties: {type: string}}
        note: {type: string, not: {const: forbidden}}
    Reminder:
      type: object
      required: [reminderId, due, channels, state, labels]
      properties:
        reminderId: {type: string}
        due: {type: string, format: date-time}
        channels: {type: array, items: {type: array, items: {type: string}}}
        state: {$ref: '#/components/schemas/ReminderState'}
        labels: {type: object, additionalProperties: {type: string}}
        note: {type: [string, 'null']}
"""
PATHS = """
  /api/core/reminders/{reminderId}:
    get:
      operationId: getReminder
      tags: [CORE]
      summary: Read a reminder
      parameters:
        - {name: reminderId, in: path, required: true, schema: {type: string}}
        - {name: fields, in: query, schema: {type: array, items: {type: string, pattern: '^[a-z]+$'}}}
        - {name: since, in: query, schema: {type: string, format: date}}
      responses: &responses
        '200': &reminder
          description: The reminder.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Reminder'}
              example:
                reminderId: rem_1
                due: '2027-01-02T03:04:05Z'
                channels: [[sms, mms], []]
                state: OPEN
                labels: {team: red}
        '400':
          description: Refused.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/CoreErrorResponse'}
        '401': {$ref: '#/components/responses/Unauthorized'}
  /api/core/reminders:
    post:
      operationId: createReminder
      tags: [CORE]
      summary: Create a reminder
      parameters:
        - {name: Idempotency-Key, in: header, required: true, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewReminder'}
      responses:
        '201': *reminder
        '400':
          description: Refused.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/CoreErrorResponse'}
        '401': {$ref: '#/components/responses/Unauthorized'}
"""

# A caller of what the document adds. The type checker must see what is right, and that the rest is wrong.
CALLER = """
import asyncio
import datetime

from redcloud_core import (
    AsyncRedCloud,
    BadRequestError,
    InvalidCallError,
    RedCloud,
    RedCloudError,
    SendOutcomeUnknown,
)
from redcloud_core.models import Reminder, ReminderState
from redcloud_core.sandbox import Sandbox


def check(reminder: Reminder) -> None:
    due: datetime.datetime = reminder.due
    channels: list[list[str]] = reminder.channels
    labels: dict[str, str] = reminder.labels
    assert due == datetime.datetime(2027, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert (channels, labels, reminder.state) == ([["sms", "mms"], []], {"team": "red"}, ReminderState.OPEN)


def sync(client: RedCloud) -> None:
    read = client.get_reminder(reminderId="rem_1", fields=["state"], since=datetime.date(2026, 1, 2))
    check(read)
    check(client.create_reminder(idempotency_key="k1", due=read.due, channels=read.channels, state="DONE"))
    try:
        client.create_reminder(idempotency_key="k2", due=read.due, channels=read.channels, note="forbidden")
    except BadRequestError as error:
        assert (error.status, error.code) == (400, "INVALID_REQUEST"), error
    else:
        raise AssertionError("the API must refuse the note")
    try:
        labels: dict[str, str] = {"a": 1}  # type: ignore[dict-item]
        client.create_reminder(idempotency_key="k3", due=read.due, channels=[], labels=labels)
    except InvalidCallError as error:
        assert {violation.place for violation in error.violations} == {"channels", "labels.a"}
    else:
        raise AssertionError("the client must refuse the call")


async def asynchronous(client: AsyncRedCloud) -> None:
    read = await client.get_reminder(reminderId="rem_1")
    check(read)
    check(await client.create_reminder(idempotency_key="k4", due=read.due, channels=read.channels))
    try:
        await client.create_reminder(idempotency_key="k5", due=read.due, channels=[["a"]], note="forbidden")
    except BadRequestError as error:
        assert error.code == "INVALID_REQUEST"
    else:
        raise AssertionError("the API must refuse the note")


def endings(client: RedCloud, sandbox: Sandbox) -> None:
    due = datetime.datetime(2027, 1, 2, tzinfo=datetime.UTC)
    dropped, forbidden = {"kind": "drop_after"}, {"kind": "status", "status": 400}
    for number, (script, expected) in enumerate(
        [
            ([dropped], None),
            ([forbidden], BadRequestError),
            ([dropped] * 4, SendOutcomeUnknown),
            ([dropped, forbidden], SendOutcomeUnknown),
            ([{"kind": "drift", "body": {"of": "another shape"}}], SendOutcomeUnknown),
        ]
    ):
        sandbox.add_fault({"operation": "createReminder", "script": script})
        end: type | None = None
        try:
            client.create_reminder(idempotency_key=f"end_{number}", due=due, channels=[["sms"]])
        except RedCloudError as error:
            end = type(error)
            if isinstance(error, SendOutcomeUnknown):
                assert (error.send.operation_id, error.send.key) == ("createReminder", f"end_{number}")
                assert (error.drift is not None) == (number == 4), error
        assert end is expected, (number, end)


def never(client: RedCloud) -> None:
    client.get_reminder(reminderID="rem_1")  # type: ignore[call-arg]
    client.create_reminder(idempotency_key="k", due="tomorrow", channels=[])  # type: ignore[arg-type]
    client.get_reminder(reminderId="rem_1").status  # type: ignore[attr-defined]


if __name__ == "__main__":
    with Sandbox() as sandbox:
        with RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret=sandbox.client_secret) as redcloud:
            sync(redcloud)
            endings(redcloud, sandbox)
        assert sandbox.ledger()["token_requests"] == 1

        async def main() -> None:
            async with AsyncRedCloud(
                sandbox.url, client_id=sandbox.client_id, client_secret=sandbox.client_secret
            ) as redcloud:
                await asynchronous(redcloud)

        asyncio.run(main())
    print("called")
"""


@pytest.fixture(scope="module")
def extended_tree(new_tree: Callable[[], Any]) -> Any:
    """Give a tree into which a document with two more operations came."""
    tree = new_tree()
    changes = [("\n  schemas:\n", f"\n  schemas:\n{SCHEMAS}"), ("\n  version: 0.2.0", "\n  version: 0.2.1")]
    done = tree.regenerate("--spec", tree.write_document("extended.yaml", *changes, more=PATHS))
    assert done.returncode == 0, done.stderr
    tree.said = done.stdout
    return tree


@pytest.fixture
def extended(extended_tree: Any) -> Path:
    """Give a document with two more operations."""
    path: Path = extended_tree.root.parent / "extended.yaml"
    return path


@pytest.fixture
def beside(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file beside the tree, and give its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def current_version() -> str:
    """Return the version of the committed document; that of the copies is always 0.2.0."""
    text = (Path(__file__).parents[2] / "openapi.yaml").read_text(encoding="utf-8")
    return next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("  version: "))


def lines(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return the lines of a command, without the seconds that its steps took."""
    return [re.sub(r" +\d+\.\d s +", " ", line) for line in done.stdout.splitlines()]


def make_read_only(root: Path) -> list[str]:
    """Take write permission from all folders, and return what makes root obey: a command to run others under."""
    for folder in [path for path in [root, *root.rglob("*")] if path.is_dir()]:
        folder.chmod(0o555)
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to stop it")
    return ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]


def test_twice_is_once(warm: Path, checkout: Any) -> None:
    """Regenerating what is committed changes nothing, so the tree that is tested here is the committed one."""
    root = Path(__file__).parents[2]
    before = checkout.state()
    done = checkout.regenerate()
    assert done.returncode == 0, done.stderr
    assert checkout.state() == before
    version = f"from version {current_version()} of".encode()
    for path in (root / "generated/redcloud_core_client").rglob("*.py"):
        made = (warm / path.relative_to(root)).read_bytes()
        if path.name != "_provenance.py":
            assert made == path.read_bytes().replace(version, b"from version 0.2.0 of"), f"{path.name} has drifted"


def test_steps_are_plain_lines(checkout: Any) -> None:
    """Without a terminal each step is one plain line, and the end says what is in place."""
    done = checkout.regenerate()
    first, second, *side_by_side, others, last = lines(done)[:6]
    assert re.fullmatch(r"done read the document: \d+ operations, \d+ schemas", first)
    assert [first, second, *sorted(side_by_side), others, last] == [
        first,
        "done write the client",
        "done check the types of the client and the overlay (mypy --strict)",
        "done try it in a process of its own",
        "done write the schemas and types for other languages",
        "done swap",
    ], "a note on the overlay here means that it no longer type-checks"
    verdict = "accepted: 0.2.0, nothing changes for callers; the client is in place, as version 0.2.0 of the SDK"
    assumed = checkout.document.read_text().count("x-unconfirmed: ")
    assert lines(done)[6:] == ["", verdict, f"  note: {assumed} nodes of the document are assumptions (x-unconfirmed)"]
    assert "\x1b" not in done.stdout + done.stderr


def test_help(checkout: Any) -> None:
    """--help names every option and every exit code."""
    done = checkout.regenerate("--help")
    assert done.returncode == 0
    words = ["--spec", "--check", "--into", "--dry-run", "--json", "0: done", "1: refused", "2: a tool failed"]
    words += [
        f"--accept-{name} REASON" for name in ("break", "campaign-spelling", "send-from", "idempotency-key", "title")
    ]
    for word in words:
        assert word in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "options",
    [
        ["--check", "--into", "x"],
        ["--nonsense"],
        ["--spec"],
        ["--check", "--json"],
        ["--dry-run", "--into", "x"],
        ["--accept-break", "why"],
        ["--spec", "openapi.yaml", "--accept-break", " "],
    ],
)
def test_wrong_options(checkout: Any, options: list[str]) -> None:
    """Wrong options are refused with the usage, and do nothing."""
    before = checkout.state()
    done = checkout.regenerate(*options)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ./scripts/regenerate")
    assert checkout.state() == before


def test_the_launcher(checkout: Any) -> None:
    """./scripts/regenerate does the same in an environment that is there already."""
    (checkout.root / ".venv").symlink_to(sys.prefix)
    before = checkout.state()
    command = [sys.executable, "scripts/regenerate", "--check"]
    done = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert checkout.state() == before


def test_an_added_operation_is_callable(extended_tree: Any, extended: Path) -> None:
    """A document with new operations makes them callable on both clients: typed, authenticated, with typed errors."""
    assert extended_tree.document.read_bytes() == extended.read_bytes()
    done = extended_tree.python(CALLER)
    assert (done.returncode, done.stdout) == (0, "called\n"), done.stderr


def test_an_added_operation_is_typed(extended_tree: Any, tmp_path: Path) -> None:
    """A caller of new operations passes mypy --strict, which also sees what is wrong."""
    program = tmp_path / "caller.py"
    program.write_text(CALLER)
    folders = [str(extended_tree.root / "overlay"), str(extended_tree.generated)]
    environment = {**os.environ, "PYTHONPATH": "", "MYPYPATH": os.pathsep.join(folders)}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--explicit-package-bases"]
    command += ["--cache-dir", str(extended_tree.root / ".mypy_cache" / "regenerate"), str(program)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_an_added_operation_is_committed_whole(extended_tree: Any) -> None:
    """After another document came in, the tree is what that document gives, and the overlay fits it."""
    assert "mend it here" not in extended_tree.said
    done = extended_tree.regenerate("--check")
    assert done.returncode == 0, done.stderr


def test_an_overlay_that_does_not_fit_is_listed(checkout: Any) -> None:
    """A renamed schema does not hold back the swap: where the overlay binds it is listed, with file and line."""
    changes = [("results", "outcomes"), ("operationId: updateNumber", "operationId: changeNumber")]
    renamed = checkout.write_document("renamed.yaml", *changes, ("version: 0.2.0", "version: 0.3.0"))
    done = checkout.regenerate("--spec", renamed)
    assert done.returncode == 0, done.stderr
    lines_of_overlay = (checkout.root / "overlay/redcloud_core/_sending.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines_of_overlay, 1) if "said.results" in text)
    assert f"overlay/redcloud_core/_sending.py:{line}: error: " in done.stdout
    unknown = "generator-config.yml: overridden_operations names `updateNumber`, which the document does not have"
    assert f"\n  {unknown}\n" in done.stdout
    assert checkout.document.read_bytes() == renamed.read_bytes()
    assert "outcomes: list" in (checkout.package / "models/send_message_response.py").read_text()


REFUSED_DOCUMENTS = [
    ("missing.yaml", None, "missing.yaml: cannot be read: No such file or directory"),
    ("broken.yaml", "a: [b\nc: d", "broken.yaml: is no YAML at line 2: "),
    ("swagger.yaml", MINIMAL.replace("openapi: 3.1.0", "swagger: '2.0'"), "swagger.yaml: #: this is no OpenAPI"),
    ("binary.yaml", b"\xff\xfe\x00", "binary.yaml: is no UTF-8 text"),
    (
        "dangling.yaml",
        MINIMAL.replace("{}", "{/a: {get: {responses: {'200': {$ref: '#/nowhere'}}}}}"),
        "dangling.yaml: #/paths/~1a/get/responses/200/$ref: the $ref `#/nowhere` leads nowhere",
    ),
    (
        "twice.yaml",
        MINIMAL.replace("{}", "{/a: {get: {operationId: x, responses: {}}, put: {operationId: x, responses: {}}}}"),
        "twice.yaml: #/paths/~1a/put: the operationId `x` is used twice, first at #/paths/~1a/get",
    ),
]


@pytest.mark.parametrize(
    ("name", "content", "message"), REFUSED_DOCUMENTS, ids=[row[0].partition(".")[0] for row in REFUSED_DOCUMENTS]
)
def test_refused_documents(
    checkout: Any, beside: Any, refused: Refusal, name: str, content: Any, message: str, tmp_path: Path
) -> None:
    """A document that cannot be used is refused with its place, and the tree is as it was, as is the folder."""
    path = beside(name, content) if content is not None else tmp_path / name
    before = checkout.state()
    for options in ([], ["--into", tmp_path / "into"]):
        assert message in refused(checkout.regenerate("--spec", path, *options))
    assert checkout.state() == before
    assert not (tmp_path / "into").exists()


BROKEN_TEMPLATES = [
    ("an import that fails", "answers.py.jinja", None, "\nraise OSError('broken')\n", "OSError: broken"),
    ("a type that does not hold", "answers.py.jinja", None, '\nwrong: int = "text"\n', "answers.py:"),
    (
        "a property that is dropped",
        "model_object.jinja",
        ("{% for property in model.properties %}", "{% for property in model.properties[1:] %}"),
        "",
        "#/components/schemas/",
    ),
    (
        "an operation that is dropped",
        "operations.py.jinja",
        ("contract.operations %}", "contract.operations[1:] %}"),
        "",
        "issueToken",
    ),
    ("no Python", "codec.py.jinja", None, "\nif True\n", "codec"),
    ("no Jinja", "codec.py.jinja", None, "\n{% if %}\n", "codec.py.jinja"),
    ("an unknown name", "codec.py.jinja", None, "\n{{ nobody_knows }}\n", "nobody_knows"),
]


@pytest.mark.parametrize(
    ("name", "change", "more", "message"),
    [row[1:] for row in BROKEN_TEMPLATES],
    ids=[row[0] for row in BROKEN_TEMPLATES],
)
def test_a_client_that_does_not_hold_is_refused(
    checkout: Any, name: str, change: tuple[str, str] | None, more: str, message: str
) -> None:
    """What blocks the swap is the generated package itself: one message, and the tree is as it was."""
    template = checkout.root / "templates" / name
    text = template.read_text()
    assert change is None or change[0] in text
    template.write_text((text.replace(*change) if change else text) + more)
    before = checkout.state()
    done = checkout.regenerate()
    assert done.returncode in (1, 2), done.stdout
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert checkout.state() == before


def test_check_passes_on_what_is_committed(checkout: Any) -> None:
    """--check passes on the tree as it is, and writes nothing, not even where it may not."""
    before = checkout.state()
    under = make_read_only(checkout.root)
    done = checkout.regenerate("--check", under=under)
    assert done.returncode == 0, done.stderr
    assert checkout.state() == before


def changed(tree: Any) -> None:
    path = tree.package / "codec.py"
    path.write_text(path.read_text() + "\n")


def missing(tree: Any) -> None:
    (tree.package / "api/core/whoami.py").unlink()


def stale(tree: Any) -> None:
    (tree.package / "api/core/old_one.py").write_text("")


def gone(tree: Any) -> None:
    shutil.rmtree(tree.package)


def unlocked(tree: Any) -> None:
    (tree.package / "_provenance.py").unlink()


def reworded(tree: Any) -> None:
    tree.document.write_text(tree.document.read_text().replace("The city.", "The town."))


def configured(tree: Any) -> None:
    path = tree.root / "generator-config.yml"
    path.write_text(path.read_text() + "# more\n")


def retouched(tree: Any) -> None:
    path = tree.root / "templates/codec.py.jinja"
    path.write_text(path.read_text() + "{# more #}\n")


@pytest.mark.parametrize(
    ("drift", "message"),
    [
        (changed, "codec.py differs"),
        (missing, "api/core/whoami.py is missing"),
        (stale, "api/core/old_one.py is stale"),
        (gone, "client.py is missing"),
        (unlocked, "_provenance.py is missing"),
        (reworded, "openapi.yaml differs"),
        (configured, "_provenance.py differs"),
        (retouched, "_provenance.py differs"),
    ],
)
def test_check_fails_on_drift(checkout: Any, refused: Refusal, drift: Callable[[Any], None], message: str) -> None:
    """--check names what differs, is missing or is stale, and writes nothing."""
    drift(checkout)
    before = checkout.state()
    assert message in refused(checkout.regenerate("--check"))
    assert checkout.state() == before


def test_a_plain_run_mends_drift(checkout: Any, refused: Refusal) -> None:
    """All drift at once is listed at once, and a plain run mends it."""
    before = checkout.state()
    for drift in (changed, missing, stale, unlocked):
        drift(checkout)
    message = refused(checkout.regenerate("--check"))
    assert [line.split()[0] for line in message.splitlines()[1:-1]] == [
        "_provenance.py",
        "api/core/old_one.py",
        "api/core/whoami.py",
        "codec.py",
    ]
    assert message.endswith("Run `./scripts/regenerate`, and commit what it writes.")
    assert checkout.regenerate().returncode == 0
    assert checkout.state() == before


def test_into(checkout: Any, tmp_path: Path) -> None:
    """--into writes the package of the tree's own document, without what only the tree needs."""
    (tmp_path / "into").mkdir()
    before = checkout.state()
    for name in ("into", "new"):
        done = checkout.regenerate("--into", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in (tmp_path / name).iterdir()] == ["redcloud_core_client"]
        made = tmp_path / name / "redcloud_core_client"
        assert {path.stem for path in made.glob("api/*/*.py")} >= {"issue_token", "send_message", "whoami"}
        assert (made / "models/number.py").read_bytes() == (checkout.package / "models/number.py").read_bytes()
        assert not (made / "_provenance.py").exists()
    assert checkout.state() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["into", "new", "tree"]


def full(tmp_path: Path) -> Path:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/.hidden").touch()
    return tmp_path / "full"


def file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file"


def nowhere(tmp_path: Path) -> Path:
    return tmp_path / "no/such/folder"


@pytest.mark.parametrize(
    ("target", "message"), [(full, "is no empty folder"), (file, "is no empty folder"), (nowhere, "cannot be written")]
)
def test_into_what_it_must_not(
    checkout: Any, refused: Refusal, tmp_path: Path, target: Callable[[Path], Path], message: str
) -> None:
    """--into takes an empty folder or one that does not exist yet; anything else stays as it is."""
    folder = target(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert message in refused(checkout.regenerate("--into", folder))
    assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in path.parts] == [
        path for path in before if "__pycache__" not in path.parts
    ]


def test_two_into_at_once(checkout: Any, tmp_path: Path) -> None:
    """Several may run at once, beside a run that holds the tree, and give the same bytes."""
    running = [checkout.start("--into", tmp_path / name) for name in ("one", "two")]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two


def test_json_document(checkout: Any, beside: Any, tmp_path: Path) -> None:
    """A document in JSON gives the client that the same one in YAML gives."""
    data = YAML(typ="safe", pure=True).load(checkout.document)
    path = beside("api.json", json.dumps(data))
    assert checkout.regenerate("--spec", path, "--into", tmp_path / "into").returncode == 0
    made = tmp_path / "into/redcloud_core_client"
    for name in [path.relative_to(made) for path in made.rglob("*.py")]:
        if name.name != "fields.py":  # the tree's own has TypedDicts for the overlay
            own = (checkout.package / name).read_bytes()
            assert (made / name).read_bytes() == own or name.name == "methods.py"


def test_document_without_ids_and_tags(checkout: Any, beside: Any, tmp_path: Path) -> None:
    """Operations without operationId and tags are callable under names made of method and path, which are reported."""
    paths = "{/things: {get: {responses: {'200': {description: x}}}, post: {responses: {'201': {description: x}}}}}"
    path = beside("api.yaml", MINIMAL.replace("{}", paths))
    done = checkout.regenerate("--spec", path, "--into", tmp_path / "into")
    assert done.returncode == 0, done.stderr
    assert "note: #/paths/~1things/post: without operationId, the method is called `post_things`" in done.stdout
    assert {path.stem for path in (tmp_path / "into").rglob("api/default/*.py")} == {
        "__init__",
        "get_things",
        "post_things",
    }


def test_document_without_operations(checkout: Any, beside: Any, tmp_path: Path) -> None:
    """A document without operations and schemas gives a package that holds none."""
    done = checkout.regenerate("--spec", beside("api.yaml", MINIMAL), "--into", tmp_path / "into")
    assert done.returncode == 0, done.stderr


def test_read_only_tree(checkout: Any, refused: Refusal) -> None:
    """A tree that may not be written is refused at once, by its folder."""
    before = checkout.state()
    under = make_read_only(checkout.root)
    message = refused(checkout.regenerate(under=under))
    assert message == f"{checkout.generated}: cannot be written: Permission denied\nNothing was changed."
    assert checkout.state() == before


WITHOUT_MYPY = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == "mypy" else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if found is PathFinder else found for found in sys.meta_path]
"""


def test_missing_mypy(checkout: Any, refused: Refusal, tmp_path: Path) -> None:
    """Without mypy a run fails by the tool's name, and the tree is as it was."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(WITHOUT_MYPY)
    before = checkout.state()
    done = checkout.regenerate(env=checkout.environment(tmp_path / "site"))
    assert "`mypy` is not installed\n" in refused(done, 2)
    assert checkout.state() == before


def test_missing_formatter(checkout: Any, refused: Refusal, tmp_path: Path) -> None:
    """Without ruff a run fails by the tool's name, and the tree is as it was."""
    venv.create(tmp_path / "bare", symlinks=True)
    before = checkout.state()
    env = {**checkout.environment(), "PATH": str(tmp_path)}
    env["PYTHONPATH"] += os.pathsep + sysconfig.get_path("purelib")
    command = [str(tmp_path / "bare/bin/python"), *checkout.command()[1:]]
    done = subprocess.run(command, cwd=checkout.root, env=env, capture_output=True, text=True, check=False)
    assert "`ruff` is not installed\n" in refused(done, 2)
    assert checkout.state() == before


def test_failing_formatter(checkout: Any, refused: Refusal) -> None:
    """A tool that fails is quoted with its command and what it said."""
    config = checkout.root / "generator-config.yml"
    config.write_text(config.read_text().replace("ruff format .", "ruff format --nonsense ."))
    before = checkout.state()
    message = refused(checkout.regenerate(), 2)
    assert message.startswith("`ruff format --nonsense . ")
    assert "unexpected argument" in message
    assert checkout.state() == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("overridden_operations", "overriden_operations", "knows overriden_operations"),
        ("post_hooks:", "post_hooks: [", "generator-config.yml: "),
        ("  - sendMessage", "  sendMessage: x: y", "generator-config.yml: "),
    ],
)
def test_broken_config(checkout: Any, refused: Refusal, old: str, new: str, message: str) -> None:
    """A generator-config.yml that says nothing clear is refused by its name."""
    config = checkout.root / "generator-config.yml"
    config.write_text(config.read_text().replace(old, new))
    before = checkout.state()
    assert message in refused(checkout.regenerate())
    assert checkout.state() == before


@pytest.mark.parametrize("step", ["read the document", "write the client", "try it"])
def test_interrupted(checkout: Any, step: str) -> None:
    """Ctrl-C during the step after this one leaves the tree as it was, with nothing beside it."""
    before = checkout.state()
    process = checkout.start()
    next(line for line in process.stdout if f"s  {step}" in line)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert checkout.state() == before


INTERRUPTING = """
import os, signal

def interrupting(act, call):
    def wrapped(*arguments, **options):
        result = act(*arguments, **options)
        if any(part in str(arguments) for part in (".regenerate-", "redcloud_core_client")):
            os.kill(os.getpid(), signal.SIGINT)
        return result
    return wrapped

os.{call} = interrupting(os.{call}, "{call}")
"""


@pytest.mark.parametrize("call", ["mkdir", "rename", "replace"])
def test_interrupted_at_the_worst_moment(checkout: Any, extended: Path, tmp_path: Path, call: str) -> None:
    """Ctrl-C right behind any change to the tree leaves the old tree or the new one, whole, and nothing beside it."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(INTERRUPTING.replace("{call}", call))
    before = checkout.state()
    done = checkout.regenerate("--spec", extended, env=checkout.environment(tmp_path / "site"))
    assert done.returncode in (0, 130), done.stderr
    assert "Traceback" not in done.stderr
    assert not list(checkout.generated.glob(".regenerate-*"))
    if checkout.document.read_bytes() == extended.read_bytes():
        assert checkout.regenerate("--check").returncode == 0
    else:
        assert checkout.state() == before


def without_leftovers(tree: Any) -> dict[str, bytes | None]:
    """Return the state of a tree without the folders that killed runs leave behind."""
    return {name: content for name, content in tree.state().items() if "/.regenerate-" not in name}


def titles(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return the titles of the steps of a run, in the order in which they ended."""
    return [line.removeprefix("done ").partition(": ")[0] for line in lines(done) if line.startswith("done ")]


def test_killed_at_every_step(checkout: Any, extended: Path) -> None:
    """A kill at any step before the swap leaves the old tree; the next plain run clears what was left and says so."""
    before = checkout.state()
    *steps, last = titles(checkout.regenerate("--spec", extended, "--dry-run"))
    assert len(steps) == 10
    assert last.endswith("for other languages"), "behind this one comes the swap, which is killed below"
    for title in steps:
        process = checkout.start("--spec", extended)
        next(line for line in process.stdout if f" s  {title}" in line)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert without_leftovers(checkout) == before, title
    assert len(list(checkout.generated.glob(".regenerate-*"))) == 1, "each run clears what the one before had left"
    assert checkout.regenerate("--check").returncode == 0
    done = checkout.regenerate()
    assert lines(done)[-1] == "  mended: a folder that a killed run had left behind was removed"
    assert checkout.state() == before


KILLED = """
import os, signal, sys

moves = iter(range({moves}))

def strike(event, arguments):
    if event == "os.rename" and "/.regenerate-" in str(arguments) and next(moves, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(strike)
"""


UNDONE = {
    1: "generated/redcloud_core_client",
    4: "generated/public_api.txt, generated/redcloud_core_client, scripts/changelog.d/+document-0-2-1.spec.md",
}


@pytest.mark.parametrize("moves", UNDONE)
def test_killed_while_swapping(checkout: Any, extended: Path, refused: Refusal, tmp_path: Path, moves: int) -> None:
    """A kill in the swap: --check reports it, and the next plain run puts back what had moved and says so."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(KILLED.format(moves=moves))
    before = checkout.state()
    done = checkout.regenerate("--spec", extended, env=checkout.environment(tmp_path / "site"))
    assert done.returncode == -signal.SIGKILL
    assert without_leftovers(checkout) != before
    refused(checkout.regenerate("--check"))
    done = checkout.regenerate()
    assert done.returncode == 0, done.stderr
    assert f"  mended: the swap of a killed run was undone: {UNDONE[moves]}\n" in done.stdout
    assert checkout.state() == before


def test_a_package_that_was_set_aside(checkout: Any, refused: Refusal) -> None:
    """Where the package is missing, --check reports it, and a plain run mends it and says so."""
    before = checkout.state()
    (checkout.generated / ".regenerate-killed").mkdir()
    checkout.package.rename(checkout.generated / ".regenerate-killed/before")
    refused(checkout.regenerate("--check"))
    done = checkout.regenerate()
    assert done.returncode == 0, done.stderr
    assert lines(done)[-2:] == [
        "  mended: a folder that a killed run had left behind was removed",
        "  mended: generated/redcloud_core_client was missing or not whole",
    ]
    assert checkout.state() == before


def test_a_second_run_is_refused(checkout: Any, refused: Refusal, tmp_path: Path) -> None:
    """While one run holds the tree, another is refused; --check and --into are not, since they write elsewhere."""
    before = checkout.state()
    lock = os.open(checkout.generated, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        message = refused(checkout.regenerate())
        assert message == "another regenerate is running in this tree\nWait until it is done."
        assert checkout.regenerate("--check").returncode == 0
        assert checkout.regenerate("--into", tmp_path / "into").returncode == 0
    finally:
        os.close(lock)
    assert checkout.state() == before


def test_machine_written_files_say_so() -> None:
    """Every committed module of the client says on its first line which command wrote it, from what."""
    package = Path(__file__).parents[2] / "generated" / "redcloud_core_client"
    modules = sorted(package.rglob("*.py"))
    head = f"# Machine-written by ./scripts/regenerate from version {current_version()} of the document; do not edit.\n"
    assert [path for path in modules if not path.read_text().startswith(head)] == []
    assert len(modules) > 30
    assert (package / "py.typed").exists()


def test_provenance(checkout: Any) -> None:
    """The lock is importable and says what went in, by hash and version; the document travels beside it."""
    code = "import json; from redcloud_core_client._provenance import PROVENANCE; print(json.dumps(PROVENANCE))"
    facts = json.loads(checkout.python(code).stdout)
    content = checkout.document.read_bytes()
    assert facts["document"] == {"version": "0.2.0", "sha256": sha256(content).hexdigest()}
    assert facts["config"]["sha256"] == sha256((checkout.root / "generator-config.yml").read_bytes()).hexdigest()
    assert facts["generator"] == {"name": "openapi-python-client", "version": "0.29.1"}
    assert facts["formatter"]["name"] == "ruff"
    assert facts["typescript"] == {"name": "openapi-typescript", "version": "7.13.0"}
    assert set(facts) == {"document", "config", "templates", "output", "generator", "formatter", "typescript"}
    assert (checkout.package / "openapi.yaml").read_bytes() == content
    data = json.loads((checkout.package / "openapi.json").read_text())
    assert data == YAML(typ="safe", pure=True).load(content)
