"""Store many messages, read them all, send some of them, and print as JSON how many bytes of memory that took.

Usage: `python -I outbox_memory.py LIBRARY URL PATH STORED SENT`, where LIBRARY is a file with `keeper(url, path)`.
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Take the sample."""
    library, url, path, stored, sent = sys.argv[1:]
    sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(library).parent)]
    batch: int = import_module("pipeline.bench.workers.wire").BATCH
    add_many, read_all, send = import_module(Path(library).stem).keeper(url, path)
    for at in range(0, int(stored), batch):
        add_many([f"order-{number}" for number in range(at, at + batch)])
    if (found := read_all()) != int(stored):
        raise RuntimeError(f"{found} of {stored} messages are there")
    send(int(sent))
    print(json.dumps(import_module("pipeline.bench.workers.cold").memory()))


main()
