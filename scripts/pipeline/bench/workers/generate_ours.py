"""Generate the client of any document into a folder, as `./scripts/regenerate --into` does before it tries the result.

Usage: `python generate_ours.py DOCUMENT FOLDER`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from pipeline import account, reader
from pipeline.document import load
from pipeline.generate import generate

document = load(Path(sys.argv[1]))
contract = reader.read(document)
account.check_complete(document, contract)
generate(document, contract, Path(sys.argv[2]), locked=False)
