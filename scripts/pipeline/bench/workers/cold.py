"""One sample of a cold start: what a fresh interpreter takes to import a library, make its client, and send once.

Usage: `python -I cold.py LIBRARY URL`, where LIBRARY is a file with `load()` and `connect(url)`. Before the clock stops
nothing is imported but what the interpreter has at its start, or the library would get it for nothing.
The sample is printed as JSON: seconds, and bytes of memory.
"""

import os  # in every interpreter
import sys
import time

_UNITS = {"VmHWM": "peak", "VmRSS": "current"}


def memory() -> dict[str, int]:
    """Return the memory of this process in bytes, where the system tells."""
    try:
        with open("/proc/self/status") as status:
            lines = [line.partition(":") for line in status]
    except FileNotFoundError:
        return {}
    return {_UNITS[name]: int(value.split()[0]) * 1024 for name, _, value in lines if name in _UNITS}


def main() -> None:
    """Take the sample."""
    folder, name = os.path.split(sys.argv[1])
    scripts = __file__.rpartition("/pipeline/")[0]
    sys.path[:0] = [scripts, folder]
    library = __import__(name.removesuffix(".py"))
    began = time.perf_counter()
    library.load()
    imported = time.perf_counter()
    library.connect(sys.argv[2])(f"idem_cold_{os.getpid()}")
    sent = time.perf_counter()
    used = memory()
    import json

    print(json.dumps({"import": imported - began, "first send": sent - began, **used}))


if __name__ == "__main__":
    main()
