"""An export of the contract, and the tools of other languages that read it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.environment import node

CHECK = Path(__file__).with_name("check.mjs")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export, as the command writes it."""
    folder = tmp_path_factory.mktemp("languages") / "contract"
    command = [sys.executable, "-m", "redcloud_core.export", "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def node_command() -> Callable[..., list[str]]:
    """Gives the command line of the environment's own Node."""
    tsc = node("tsc")

    def command(*arguments: object) -> list[str]:
        return [*tsc[:-1], *map(str, arguments)]

    return command


@pytest.fixture(scope="session")
def ajv(node_command: Callable[..., list[str]]) -> Callable[..., list[str | None]]:
    """Validates values, each by a schema of files that know nothing of each other; returns what is wrong with each."""
    modules = Path(node("tsc")[-1]).parents[2]

    def validate(files: dict[str, Any], cases: list[tuple[str, str, Any]]) -> list[str | None]:
        given = json.dumps({"modules": str(modules), "files": files, "cases": cases})
        done = subprocess.run(node_command(CHECK), input=given, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        found: list[str | None] = json.loads(done.stdout)
        return found

    return validate
