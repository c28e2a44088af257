"""Environments for all who are compared, under `.bench/`: made once, and kept while their pins are the same."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import attrs

from ..environment import REQUIREMENTS, ROOT
from ..publish.caller import usual_index
from ..steps import ToolFailed, execute, step

FOLDER = ROOT / ".bench"
"""Ignored by git."""

_DOCUMENT = ROOT / "openapi.yaml"
_JAR = "openapi_generator_cli/openapi-generator.jar"


@attrs.frozen
class Contender:
    """Somebody who is compared.

    Attributes:
        name: What the output calls it, and the folder of its environment.
        requirements: What is installed, pinned; what this comes with has the versions of `.venv` where that has it.
        generate: What writes a client of the document into the environment besides.
        needs: A program of the machine without which it is left out.
    """

    name: str
    requirements: Sequence[str]
    generate: Callable[["Contender"], None] | None = None
    needs: str | None = None

    @property
    def folder(self) -> Path:
        """The environment."""
        return FOLDER / "environments" / self.name

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Where its packages are."""
        return self.folder / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"

    def is_possible(self) -> bool:
        """Tell whether the machine has what it needs."""
        return self.needs is None or shutil.which(self.needs) is not None

    def versions(self) -> dict[str, str]:
        """Return the versions of all that is installed."""
        listed = execute(["uv", "pip", "list", "--no-config", "--python", str(self.python), "--format", "json"])
        return {package["name"]: package["version"] for package in json.loads(listed.stdout)}


def prepare(contenders: Sequence[Contender]) -> list[Contender]:
    """Make the environments that are missing or outdated.

    Returns:
        The contenders that this machine can run.

    Raises:
        ToolFailed: One of them cannot be made.
    """
    possible = [contender for contender in contenders if contender.is_possible()]
    for contender in possible:
        if not _is_ready(contender):
            with step(f"install {contender.name}"):
                _make(contender)
    return possible


def wheel() -> Path:
    """Build the tree's wheel, with the pinned backend; the same tree gives the same bytes."""
    folder = FOLDER / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--no-build-isolation", "--python", sys.executable, "--no-config", "--out-dir", str(folder)]
    with step("build the wheel") as building:
        execute(["uv", "build", "--wheel", *options], cwd=ROOT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        (built,) = folder.glob("*.whl")
        building.note(built.name)
    return built


def write_stock_client(contender: Contender) -> None:
    """Write what openapi-python-client makes of the document by itself.

    The module of the token operation lacks an import, because its body has two content types; that line is mended.
    """
    # not below .bench/ at first: its formatter passes over what git ignores
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "stock_client"
        execute(stock_command(_DOCUMENT, target))
        broken = target / "api" / "authentication" / "issue_token.py"
        code = broken.read_text(encoding="utf-8")
        broken.write_text(code.replace("import UNSET, Response", "import UNSET, Response, Unset"), encoding="utf-8")
        shutil.copytree(target, contender.packages / target.name)


def stock_command(document: Path, target: Path) -> list[str]:
    """Give the command line of the stock generator, on its own templates and configuration."""
    program = str(Path(sys.executable).with_name("openapi-python-client"))
    return [program, "generate", "--path", str(document), "--output-path", str(target), "--meta", "none", "--overwrite"]


def write_openapi_generator_client(contender: Contender) -> None:
    """Write what openapi-generator makes of the document."""
    target = contender.folder / "generated"
    options = ["--package-name", "oag_client", "--output", str(target)]
    jar = str(contender.packages / _JAR)
    execute(["java", "-jar", jar, "generate", "--generator-name", "python", "--input-spec", str(_DOCUMENT), *options])
    shutil.copytree(target / "oag_client", contender.packages / "oag_client", dirs_exist_ok=True)


def _is_ready(contender: Contender) -> bool:
    stamp = contender.folder / "stamp"
    return stamp.is_file() and stamp.read_text() == _fingerprint(contender)


def _make(contender: Contender) -> None:
    shutil.rmtree(contender.folder, ignore_errors=True)
    execute(["uv", "venv", "--no-config", "--python", sys.executable, str(contender.folder)])
    # everybody gets the HTTP library and the rest in the versions that we are tested with
    options = ["--python", str(contender.python), "--constraints", str(REQUIREMENTS)]
    try:
        execute(["uv", "pip", "install", *options, *contender.requirements], cwd=FOLDER, env=usual_index())
    except ToolFailed as failure:
        hint = "Can uv reach the package index that it, or pip, is configured for? Run the command again when it can."
        raise ToolFailed(f"{failure}\n{hint}", failure.output) from None
    if contender.generate:
        contender.generate(contender)
    execute([str(contender.python), "-m", "compileall", "-q", str(contender.packages)])
    (contender.folder / "stamp").write_text(_fingerprint(contender))


def _fingerprint(contender: Contender) -> str:
    files = [REQUIREMENTS, *([_DOCUMENT] if contender.generate else [])]
    files += [Path(name) for name in contender.requirements if name.endswith(".whl")]
    contents = [sys.version, sys.base_prefix, str(contender.folder), *contender.requirements]
    return sha256(b"\0".join([*map(str.encode, contents), *(path.read_bytes() for path in files)])).hexdigest()
