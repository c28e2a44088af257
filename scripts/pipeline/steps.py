"""What every command shows of its steps, and the two ways in which it fails.

On a terminal a step is a live line with a spinner; elsewhere it is one plain line when it ends. Either way it ends as
`done    1.2 s  build the wheel: redcloud_core-0.2.0-py3-none-any.whl`.
"""

import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from .environment import SetupFailed

TAIL = 40
"""How many lines of a failed tool's output its error shows."""


Verdict = Literal["done", "failed"]


class Refused(Exception):
    """What was asked for is not done, for a reason that the message tells: exit code 1."""


class ToolFailed(Exception):
    """A tool that the command needs failed or is missing: exit code 2."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output
        """All that the tool printed."""


class Step:
    """One step of a command, while it runs."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.seconds = 0.0
        self._note = ""

    def note(self, text: str) -> None:
        """Say what came of the step, on the line that ends it."""
        self._note = text

    def line(self, verdict: Verdict) -> str:
        """Give the line that ends the step."""
        note = f": {self._note}" if self._note else ""
        return f"{verdict:6} {self.seconds:5.1f} s  {self.title}{note}"


class _Elapsed(ProgressColumn):
    """The seconds that a step has taken so far."""

    max_refresh = 0.1

    def render(self, task: Task) -> Text:
        return Text(f"{task.elapsed or 0.0:5.1f} s ")


class _Display:
    """The lines of all running steps; steps may run in threads of their own."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self.ended: list[Step] = []
        self._lock = threading.Lock()
        self._live: Progress | None = None

    def begin(self, step: Step) -> TaskID | None:
        """Show a live line, where there is a terminal to show it on."""
        console = self._console()
        # not console.is_terminal: variables such as FORCE_COLOR make that true for a file, too
        if not console.file.isatty() or console.is_dumb_terminal:
            return None
        with self._lock:
            if self._live is None:
                spinner, title = SpinnerColumn("line", style="cyan"), TextColumn("{task.description}", markup=False)
                self._live = Progress(spinner, TextColumn("    "), _Elapsed(), title, console=console, transient=True)
                self._live.start()
            return self._live.add_task(step.title, total=None)

    def end(self, step: Step, verdict: Verdict, task: TaskID | None) -> None:
        """Put the step's last line in the place of its live line."""
        self.ended.append(step)
        line = Text(step.line(verdict))
        line.stylize("green" if verdict == "done" else "bold red", 0, len(verdict))
        with self._lock:
            if self._live is None or task is None:
                print(line.plain, file=self.stream or sys.stdout, flush=True)
                return
            self._live.console.print(line)
            self._live.remove_task(task)
            if not self._live.tasks:
                self._live.stop()
                self._live = None

    def _console(self) -> Console:
        return Console(file=self.stream or sys.stdout, highlight=False, soft_wrap=True)


_display = _Display()


def show_on(stream: TextIO) -> None:
    """Show all further steps there, for a command whose standard output is for a machine to read."""
    _display.stream = stream


def seconds_taken() -> dict[str, float]:
    """Return how many seconds each step has taken that ended so far, by its title."""
    return {ended.title: round(ended.seconds, 3) for ended in _display.ended}


@contextmanager
def step(title: str) -> Generator[Step]:
    """Show a step while the block runs, and how it ended."""
    current = Step(title)
    began = time.monotonic()
    verdict: Verdict = "failed"
    task = _display.begin(current)
    try:
        yield current
        verdict = "done"
    finally:
        current.seconds = time.monotonic() - began
        _display.end(current, verdict, task)


def run(main: Callable[[], int | None]) -> int:
    """Run a command and give its exit code; its failures end in one clear message instead of a traceback."""
    try:
        return main() or 0
    except Refused as refusal:
        return _report(refusal, 1)
    except (ToolFailed, SetupFailed) as failure:
        return _report(failure, 2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def execute(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    patience: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a tool and capture what it prints.

    Args:
        command: The tool and its arguments.
        cwd: The folder to run it in, if not the current one.
        env: Its whole environment, if not this process's own.
        patience: Seconds after which it counts as hung and is killed; unlimited if None.

    Raises:
        ToolFailed: The tool is missing, hangs, or its exit code is not 0; the message ends with what it printed last.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"`{shlex.join(command)}` was not done after {patience:g} s and was stopped") from None
    except FileNotFoundError:
        if cwd and not cwd.is_dir():
            raise ToolFailed(f"`{command[0]}` cannot run in {cwd}: there is no such folder") from None
        raise _missing(command[0]) from None
    if _lacks_module(command, done.stderr):
        raise _missing(command[command.index("-m") + 1])
    if done.returncode:
        raise _failed(command, done)
    return done


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server, gently first."""
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _lacks_module(command: Sequence[str], errors: str) -> bool:
    """Tell whether `python -m tool` failed because Python does not know the tool."""
    missing = re.search(r": No module named '?([\w.]+)", errors)
    return missing is not None and "-m" in command and missing[1] == command[command.index("-m") + 1]


def _missing(tool: str) -> ToolFailed:
    return ToolFailed(f"`{tool}` is not installed\nrun `./scripts/test --setup-only` to install all tools")


def _failed(command: Sequence[str], done: subprocess.CompletedProcess[str]) -> ToolFailed:
    output = (done.stdout + done.stderr).strip()
    how = (
        f"ended with exit code {done.returncode}" if done.returncode > 0 else f"was killed by signal {-done.returncode}"
    )
    tail = "\n".join(output.splitlines()[-TAIL:]) or "(it printed nothing)"
    return ToolFailed(f"`{shlex.join(command)}` {how}\n{tail}", output)


def printable(text: str, *, lines: bool = False) -> str:
    """Return a text without anything that acts on a terminal: what a document says is shown, never obeyed.

    Args:
        text: The text.
        lines: Whether it may have several lines.
    """
    return "".join(found if found.isprintable() or (lines and found == "\n") else ascii(found)[1:-1] for found in text)


def _report(error: Exception, code: int) -> int:
    print(f"error: {printable(str(error), lines=True)}", file=sys.stderr)
    return code
