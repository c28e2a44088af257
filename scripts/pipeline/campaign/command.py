"""The command `./scripts/campaign`."""

import argparse
import signal
from collections.abc import Sequence

from .. import steps
from .figures import table
from .mutants import MUTANTS
from .run import campaign


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of `./scripts/campaign`."""
    parser = argparse.ArgumentParser(
        prog="./scripts/campaign",
        description="Have processes share an outbox, add to it and drain it against a sandbox that misbehaves. Kill "
        "them, stop them, have their clocks jump; then count what became of the messages. The exit code is 1 if one "
        "was lost or doubled, or reported as what it is not.",
        epilog=f"Mutants: {', '.join(MUTANTS)}. A seed decides what happens, but not how far a worker has come then.",
    )
    parser.add_argument("--kills", type=_positive, required=True, metavar="N", help="how many processes to kill")
    parser.add_argument("--seed", type=_whole, required=True, metavar="S", help="decides what happens")
    parser.add_argument("--mutant", choices=MUTANTS, metavar="NAME", help="break the outbox first: it must show")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends its processes, as after Ctrl-C
    return steps.run(lambda: _run(options.kills, options.seed, options.mutant))


def _run(kills: int, seed: int, mutant: str | None) -> int:
    if mutant is not None:
        MUTANTS[mutant](setattr)
    with steps.step(f"seed {seed}, mutant {mutant}" if mutant else f"seed {seed}"):
        report = campaign(kills, seed)
    print(table(report.happened, report.figures))
    for surprise in report.surprises[:5]:
        print(steps.printable(f"  surprise: {surprise}"))
    return 0 if report.figures.is_good else 1


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _positive(text: str) -> int:
    if _whole(text) == 0:
        raise argparse.ArgumentTypeError("give 1 or more")
    return int(text)
