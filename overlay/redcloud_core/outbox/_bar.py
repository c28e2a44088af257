"""A progress bar for a drain, on a terminal."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ._shift import Progress


@contextmanager
def progress_bar() -> Generator[Callable[[Progress], None]]:
    """Show how far a drain has come, on standard error, if that is a terminal.

    Use it as `with progress_bar() as progress: outbox.drain(client, progress=progress)`.

    Raises:
        ImportError: The extra is not installed.
    """
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ModuleNotFoundError:
        raise ImportError("the progress bar needs rich: install `redcloud-core[progress]`") from None
    with Bar(console=Console(file=sys.stderr), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("sending", total=None)

        def show(progress: Progress) -> None:
            done = progress.accepted + progress.refused + progress.unknown
            words = f"{progress.accepted} accepted, {progress.refused} refused, {progress.postponed} tries postponed"
            bar.update(task, completed=done, total=max(progress.total, done), description=words)

        yield show
