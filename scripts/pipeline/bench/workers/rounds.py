"""Take samples of one task of one library, a round at a time, when told to.

Usage: `python -I rounds.py LIBRARY TASK [ARGUMENT]`, where LIBRARY is a file. Every line on standard input is how much
to do in a round; the seconds that it took are the line that answers it. The first line says that all is ready.
"""

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Answer each line."""
    library, task, *arguments = sys.argv[1:]
    sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(library).parent)]
    tasks = import_module("pipeline.bench.workers.tasks")
    measure = getattr(tasks, task)(import_module(Path(library).stem), *arguments)
    print("ready", flush=True)
    for line in sys.stdin:
        print(measure(int(line)), flush=True)


main()
