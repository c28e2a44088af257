"""All that CI runs: drift, lint, format, types for the running Python and the newest, then the tests."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from . import environment, steps
from .environment import ROOT, node

NEWEST_PYTHON = "3.14"
"""The newest Python that the packages promise to run on; types are checked for it, too."""


class Check(NamedTuple):
    """A command that judges the tree by its exit code."""

    name: str
    command: Sequence[str]


class Verdict(NamedTuple):
    """What a check came to: nothing said means that it passed."""

    check: Check
    complaint: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of `./scripts/test`."""
    parser = argparse.ArgumentParser(
        prog="./scripts/test",
        description="Run all that CI runs. With arguments of pytest, run only pytest.",
        epilog="Example: ./scripts/test tests/overlay -k campaign",
        usage="%(prog)s [--help] [--setup-only] [pytest arguments ...]",
        allow_abbrev=False,
    )
    parser.add_argument("--setup-only", action="store_true", help="make the environment .venv and stop")
    options, pytest_arguments = parser.parse_known_args(arguments)
    if options.setup_only:
        return steps.run(_set_up)
    if pytest_arguments:
        return steps.run(lambda: _pytest(pytest_arguments))
    return steps.run(_check_all)


def static_checks() -> Sequence[Check]:
    """List the checks that only read, those that take longest first."""
    python = sys.executable
    running = "{}.{}".format(*sys.version_info)
    versions = sorted({running, NEWEST_PYTHON})
    pyright = node("pyright", "--project", "pyproject.toml")  # or a pyrightconfig.json in a folder above would win
    lint_config = "scripts/pipeline/node/redocly.yaml"
    return (
        Check("regenerate --check", [python, "scripts/regenerate", "--check"]),
        *(Check(f"pyright for {version}", [*pyright, "--pythonversion", version]) for version in versions),
        # mypy keeps a cache per version by itself
        *(Check(f"mypy for {version}", [python, "-m", "mypy", "--python-version", version]) for version in versions),
        Check("redocly lint", node("redocly", "lint", "openapi.yaml", "--config", lint_config)),
        Check("ruff check", [python, "-m", "ruff", "check"]),
        Check("ruff format", [python, "-m", "ruff", "format", "--check"]),
    )


def _set_up() -> int:
    if not environment.is_ready():
        raise steps.ToolFailed("the environment lacks this tree's own packages, see above")
    print("ready: .venv")
    return 0


def _check_all() -> int:
    verdicts = _judge(static_checks())
    failures = [verdict for verdict in verdicts if verdict.complaint]
    for check, complaint in failures:
        print(f"\n---- {check.name} ----\n{complaint}")
    print(f"\n{len(verdicts) - len(failures)} of {len(verdicts)} checks passed; now the tests", flush=True)
    tests = _pytest(["-n", str(os.cpu_count() or 1)])
    names = [check.name for check, _ in failures] + (["pytest"] if tests else [])
    if names:
        print(f"failed: {', '.join(names)}", file=sys.stderr)
    return 1 if names else 0


def _judge(checks: Sequence[Check]) -> Sequence[Verdict]:
    """Run the checks side by side, as many as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(_run, check) for check in checks]
        try:
            return [verdict.result() for verdict in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has not begun need not begin
            raise


def _run(check: Check) -> Verdict:
    try:
        with steps.step(check.name):
            steps.execute(check.command, cwd=ROOT)
    except steps.ToolFailed as failure:
        return Verdict(check, failure.output or str(failure))
    return Verdict(check)


def _pytest(arguments: Sequence[str]) -> int:
    """Run the tests; what they print goes straight through, so that their closing line is seen."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
