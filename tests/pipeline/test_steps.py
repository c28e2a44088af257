"""What commands show of their steps, how they end, and what is said of tools that fail."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.environment import ROOT
from pipeline.steps import ToolFailed, execute

PROGRAM = """
import sys
from pipeline import steps

def main():
    with steps.step("build the [wheel]") as step:
        step.note("one.whl")
    with steps.step("install it"):
        {}

sys.exit(steps.run(main))
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "TERM": "xterm", "COLUMNS": "80"}


def _run(ending: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM.format(ending)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def _run_on_terminal(ending: str, **variables: str) -> str:
    terminal, inner = pty.openpty()
    command = [sys.executable, "-c", PROGRAM.format(ending)]
    with subprocess.Popen(command, env={**ENVIRONMENT, **variables}, stdin=inner, stdout=inner, stderr=inner):
        os.close(inner)
        shown = b""
        try:
            while chunk := os.read(terminal, 65536):
                shown += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
    os.close(terminal)
    return shown.decode()


def test_steps_in_a_pipe_are_plain_lines() -> None:
    """A pipe gets one line a step, without colours or control characters."""
    done = _run("pass")
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"done +\d\.\d s  build the \[wheel\]: one\.whl", first)
    assert re.fullmatch(r"done +\d\.\d s  install it", second)
    assert "\x1b" not in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_steps_on_a_terminal_are_live() -> None:
    """A terminal shows a running step before it ends, and its line in colour after."""
    shown = _run_on_terminal("import time; time.sleep(0.3)")
    assert shown.count("install it") > 1
    assert "\x1b[32mdone\x1b[0m" in shown
    assert "build the [wheel]: one.whl" in shown


def test_no_color_is_honoured() -> None:
    """NO_COLOR takes the colours from a terminal, not the lines."""
    shown = _run_on_terminal("pass", NO_COLOR="1")
    assert "\x1b[32m" not in shown
    assert "build the [wheel]: one.whl" in shown


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        ("raise steps.Refused('the tree is dirty\\ncommit first')", 1, "error: the tree is dirty\ncommit first\n"),
        ("raise steps.ToolFailed('pip failed')", 2, "error: pip failed\n"),
        ("raise KeyboardInterrupt", 130, "interrupted\n"),
    ],
)
def test_failures_end_in_one_message(ending: str, code: int, message: str) -> None:
    """A failing step is marked as failed, and the command ends with one message and its exit code."""
    done = _run(ending)
    assert re.fullmatch(r"failed +\d\.\d s  install it", done.stdout.splitlines()[-1])
    assert (done.returncode, done.stderr) == (code, message)


def test_execute_gives_what_a_tool_printed() -> None:
    """What a tool printed is captured, from the folder and with the environment that it was given."""
    done = execute(
        [sys.executable, "-c", "import os; print(os.getcwd(), os.environ['X'])"], cwd=Path("/"), env={"X": "1"}
    )
    assert done.stdout == "/ 1\n"


def test_execute_names_the_command_that_failed() -> None:
    """A failed tool's error names the command, its exit code and the end of its output; it carries all of it."""
    program = "import sys; print('\\n'.join(map(str, range(100)))); sys.exit(3)"
    with pytest.raises(ToolFailed, match="ended with exit code 3") as failure:
        execute([sys.executable, "-c", program])
    assert sys.executable in str(failure.value)
    assert str(failure.value).endswith("\n98\n99")
    assert "\n50\n" not in str(failure.value)
    assert "\n50\n" in failure.value.output


def test_execute_tells_of_a_signal() -> None:
    """A tool that was killed is said to be killed."""
    with pytest.raises(ToolFailed, match="was killed by signal 9"):
        execute([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])


@pytest.mark.parametrize("command", [["no-such-tool", "--help"], [sys.executable, "-m", "no_such_tool"]])
def test_execute_says_how_to_get_a_missing_tool(command: list[str]) -> None:
    """A missing tool's error names it and how to install it."""
    with pytest.raises(ToolFailed, match=r"`no.such.tool` is not installed\nrun `./scripts/test --setup-only`"):
        execute(command)


def test_execute_tells_a_missing_folder_from_a_missing_tool(tmp_path: Path) -> None:
    """A folder that is not there is not taken for a missing tool."""
    with pytest.raises(ToolFailed, match="there is no such folder"):
        execute([sys.executable, "--version"], cwd=tmp_path / "gone")
