"""The standard library's json, into plain data."""

import json

from pipeline.bench.workers.wire import MESSAGE


def encoder():
    """Give a function that encodes a send."""
    return lambda: json.dumps({**MESSAGE}).encode()


def number_decoder():
    """Give a function that decodes anything."""
    return json.loads


def result_decoder():
    """Give a function that decodes anything."""
    return json.loads
