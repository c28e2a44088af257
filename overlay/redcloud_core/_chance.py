"""Random numbers for pauses, so that many clients do not come back at the same moment."""

import os


def chance() -> float:
    """Return a random number from 0 to 1, 1 excluded.

    The system's, since Python's own generator takes longer to import than a thousand of these.
    """
    return int.from_bytes(os.urandom(6), "big") / 2**48
