"""The command `./scripts/bench`: groups in their order, each with its numbers, its JSON and its chart."""

import argparse
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from .. import steps
from ..environment import ROOT
from . import call, codec, cold, outbox, regeneration, results, throughput, token_life
from .environments import FOLDER
from .results import Result
from .summary import markdown

GROUPS: Mapping[str, Callable[[bool], Result]] = {
    "cold": cold.measure,
    "call": call.measure,
    "codec": codec.measure,
    "throughput": throughput.measure,
    "token": token_life.measure,
    "outbox": outbox.measure,
    "regeneration": regeneration.measure,
}
"""What measures each group; told whether to be quick about it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of `./scripts/bench`."""
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description="Compare the SDK with its peers in one interleaved run. They are installed into environments of "
        "their own below .bench/; numbers and charts go to .bench/results/.",
        epilog=f"Groups: {', '.join(GROUPS)}. Ratios are what counts: times depend on the machine.",
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="what to measure; everything without it")
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it works, not to believe it")
    parser.add_argument("--table", action="store_true", help="only print README's table, of the last results")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.groups if name not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]!r}: choose from {', '.join(GROUPS)}")
    if options.table:
        return steps.run(lambda: print(markdown(FOLDER / "results")))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends its servers, as after Ctrl-C
    chosen = [name for name in GROUPS if name in options.groups or not options.groups]
    return steps.run(lambda: _measure(chosen, quick=options.quick))


def _measure(names: Sequence[str], *, quick: bool) -> None:
    began = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    folder = FOLDER / ("quick" if quick else "results")
    results.show_machine()
    for name in names:
        result = GROUPS[name](quick)
        files = results.write(result, folder)
        results.show(result)
        print("\n  " + ", ".join(str(path.relative_to(ROOT)) for path in files) + "\n")
    print(f"measured in {time.monotonic() - began:.0f} s: {', '.join(names)}")
