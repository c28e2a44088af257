"""Cold start: what a fresh interpreter takes to import, to make a client and to send once, and how much memory."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from ..publish.loopback import without_proxy
from ..steps import execute, step
from .comparisons import Comparison
from .contenders import BARE, OPENAPI_GENERATOR, OURS, STOCK, library, ready
from .environments import Contender
from .interleaving import WORKERS, interleaved
from .results import Result
from .server import Certificate, make_certificate, serving

_NAMES = (OURS, BARE, STOCK, OPENAPI_GENERATOR, "telnyx", "twilio", "stripe", "vonage")
_MIB = 1024.0 * 1024.0

_NOTES = (
    f"{OURS} imports lazily: what is not in its first figure is in the second.",
    "A fresh process for each sample, with bytecode on the disk. The clock starts after the interpreter has.",
    f"Two requests each: {OURS}, {BARE}, {STOCK}, {OPENAPI_GENERATOR} (a token, then the send). "
    "One: telnyx, twilio, stripe, vonage (they have API keys).",
    "All verify the server with the same bundle: certifi's, and the certificate of the run.",
    "stripe sends no messages: it makes a customer under an idempotency key.",
)

Sample = Mapping[str, float]


def measure(quick: bool) -> Result:
    """Measure cold starts."""
    possible = ready(_NAMES)
    rounds = 3 if quick else 15
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        with serving(certificate) as url, step(f"start {len(possible)} clients cold, {rounds} times each"):
            takers = {name: partial(_sample, known, url, certificate) for name, known in possible.items()}
            interleaved(takers, 1)  # writes the bytecode that is missing
            samples = interleaved(takers, rounds)
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("cold", "Cold start over https", _comparisons(samples), versions, _NOTES)


def _sample(contender: Contender, url: str, certificate: Certificate) -> Sample:
    bundle = str(certificate.bundle)
    trust = {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle}
    command = [str(contender.python), "-I", str(WORKERS / "cold.py"), str(library(contender.name)), url]
    found: Sample = json.loads(execute(command, env={**without_proxy(), **trust}).stdout)
    return found


def _comparisons(samples: Mapping[str, Sequence[Sample]]) -> list[Comparison]:
    def of(title: str, unit: str, key: str, scale: float) -> Comparison:
        taken = {name: [sample[key] * scale for sample in own] for name, own in samples.items()}
        return Comparison(title, unit, BARE, taken)

    found = [
        of("import alone", "ms", "import", 1000),
        of("import, client and first send", "ms", "first send", 1000),
    ]
    if "peak" in next(iter(samples.values()))[0]:
        found += [of(f"memory after it, {key}", "MiB", key, 1 / _MIB) for key in ("peak", "current")]
    return found
