"""The wire corpus: every example of the old document as a call, or as an answer, of the old and the new client.

What leaves and what is understood are compared, so that a break shows in bytes, whatever the documents say. A caller
calls by name: an operation is found in the new client under the name that its method had in the old one.
"""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import attrs

from ..loading import is_array, is_object
from ..operations import is_json
from ..steps import TAIL, ToolFailed, printable
from .evidence import Class, Evidence
from .examples import NONE, Answer, Call, Corpus, completed, gather
from .sides import Side

PATIENCE = 60.0
"""Seconds after which the program that runs a package is stopped."""


Finding = tuple[str, Class, str]
"""Rule, weight and sentence of evidence."""

_FORM = "application/x-www-form-urlencoded"


@attrs.frozen
class Sent:
    """What a call makes leave; names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def media(self) -> str:
        """The content type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@attrs.frozen
class Read:
    """What a client understood of an answer: whether it is a success, and its value as JSON."""

    success: bool
    value: Any


@attrs.frozen
class Failure:
    """Why a client made no request, or could not read an answer.

    Attributes:
        error: The class of the exception.
        message: What it says.
        unknown: The keywords that the method does not take.
        missing: The keywords that the method asks for and did not get.
    """

    error: str
    message: str
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@attrs.frozen
class Outcomes:
    """What a client makes of a corpus, in its order; None where the client has no such method."""

    calls: tuple[Sent | Failure | None, ...]
    answers: tuple[Read | Failure | None, ...]


@attrs.frozen
class Trial:
    """What both clients make of the old document's corpus."""

    old: Side
    new: Side
    corpus: Corpus
    before: Outcomes
    after: Outcomes


def run_both(old: Side, new: Side) -> Trial:
    """Let both clients make the calls and read the answers of the old document, side by side.

    Raises:
        ToolFailed: A package could not be run.
    """
    corpus = _corpus(old)
    with ThreadPoolExecutor(2) as threads:
        before = threads.submit(_own_outcomes, old)
        after = threads.submit(run, new, completed(corpus, new))
    return Trial(old, new, corpus, before.result(), after.result())


@lru_cache(maxsize=8)
def _corpus(side: Side) -> Corpus:
    """Return the calls and answers of a side, gathered once when it is compared with several."""
    return gather(side)


@lru_cache(maxsize=8)
def _own_outcomes(side: Side) -> Outcomes:
    """Return what a client makes of its own corpus."""
    return run(side, _corpus(side))


def run(side: Side, corpus: Corpus) -> Outcomes:
    """Return what the client of a document makes of a corpus, in a process of its own.

    Raises:
        ToolFailed: The program died, hung, or printed what nobody understands.
    """
    ids = {operation.name: operation.id.get_untrusted_value() for operation in side.contract.operations}
    found = _ask(side.folder, asked(corpus, ids))
    try:
        calls, answers = [_sent(made) for made in found["calls"]], [_read(made) for made in found["answers"]]
        return Outcomes(_aligned(corpus.calls, ids, calls), _aligned(corpus.answers, ids, answers))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unclear(side.folder) from None


def asked(corpus: Corpus, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return what the program `wire.py` is asked, as JSON.

    Args:
        corpus: The calls and answers; those of methods that the client does not have are left out.
        ids: The client's methods, each with its operationId.
    """
    return {
        "calls": [
            {"operation": ids[call.operation], "keywords": call.keywords}
            for call in corpus.calls
            if call.operation in ids
        ],
        "answers": [
            {
                "operation": ids[answer.operation],
                "status": answer.status,
                "media": answer.media,
                "content": b64encode(_content(answer)).decode(),
            }
            for answer in corpus.answers
            if answer.operation in ids
        ],
    }


def evidence(trial: Trial) -> list[Evidence]:
    """Return where the new client does other than the old one."""
    calls = zip(trial.corpus.calls, trial.before.calls, trial.after.calls, strict=True)
    answers = zip(trial.corpus.answers, trial.before.answers, trial.after.answers, strict=True)
    findings: list[tuple[Call | Answer, Finding | None]] = [
        *((call, finding_of_call(call, before, after)) for call, before, after in calls),
        *((answer, _of_answer(answer, before, after)) for answer, before, after in answers),
    ]
    places = {operation.name: operation.pointer for operation in trial.new.contract.operations}
    found = [
        Evidence("corpus", rule, weight, printable(says), case.pointer, places.get(case.operation, ""))
        for case, finding in findings
        if finding
        for rule, weight, says in [finding]
    ]
    return list(dict.fromkeys(found))


def _ask(folder: Path, questions: dict[str, Any]) -> Any:
    program = Path(__file__).with_name("wire.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(program), str(folder)],
            input=json.dumps(questions),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed(
            f"the client in {folder} had not made its calls after {PATIENCE:g} s and was stopped\n"
            "Look into its document for a pattern that takes forever, or report it."
        ) from None
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-TAIL:]) or "(it printed nothing)"
        raise ToolFailed(f"the client in {folder} died at its calls (exit code {done.returncode})\n{tail}", done.stderr)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise _unclear(folder) from None


def _unclear(folder: Path) -> ToolFailed:
    return ToolFailed(
        f"what the client in {folder} made of its calls cannot be read\nThis is a fault of the pipeline: report it."
    )


def _aligned(cases: Sequence[Call | Answer], ids: Mapping[str, str], found: Sequence[Any]) -> tuple[Any, ...]:
    """Return what was found in the order of all cases, None for those that the client was not asked for."""
    if len(found) != sum(case.operation in ids for case in cases):
        raise ValueError("another number of outcomes than of questions")
    outcomes = iter(found)
    return tuple(next(outcomes) if case.operation in ids else None for case in cases)


def _sent(found: Mapping[str, Any]) -> Sent | Failure:
    if "error" in found:
        return _failure(found)
    headers = {name.lower(): value for name, value in found["headers"].items()}
    return Sent(found["method"], found["target"], headers, b64decode(found["content"], validate=True))


def _read(found: Mapping[str, Any]) -> Read | Failure:
    if "error" in found:
        return _failure(found)
    return Read(found["success"], json.loads(b64decode(found["content"], validate=True)))


def _failure(found: Mapping[str, Any]) -> Failure:
    return Failure(found["error"], found["message"], tuple(found.get("unknown", ())), tuple(found.get("missing", ())))


def _content(answer: Answer) -> bytes:
    if is_json(answer.media):
        return json.dumps(answer.value).encode()
    return (answer.value if isinstance(answer.value, str) else json.dumps(answer.value)).encode()


def finding_of_call(call: Call, before: Sent | Failure | None, after: Sent | Failure | None) -> Finding | None:
    """Return what is wrong with a call now; None if nothing is."""
    if not isinstance(before, Sent):
        return None  # the example is bad
    if after is None:
        return "call-refused", "python", f"there is no `{call.operation}` any more"
    if isinstance(after, Sent):
        says = list(_other_bytes(before, after))
        return ("call-differs", "wire", f"{call.title}: {', and '.join(says)}") if says else None
    if after.error == "TypeError":
        return "call-refused", "python", f"{call.title} {_misfit(after)}"
    return "call-refused", "wire", f"{call.title} is refused: {after.message}"


def _of_answer(answer: Answer, before: Read | Failure | None, after: Read | Failure | None) -> Finding | None:
    """Return rule, weight and sentence of what is wrong with an answer now; None if nothing is."""
    if not isinstance(before, Read) or after is None:
        return None  # the example is bad, or the operation is gone, which its calls tell
    if isinstance(after, Failure):
        return "answer-unreadable", "wire", f"{answer.title} can no longer be read: {after.message}"
    if before.success != after.success:
        kind = "a success" if after.success else "an error"
        return "answer-unreadable", "wire", f"{answer.title} is {kind} now"
    lost = [found for found in differences(before.value, after.value, "") if found.before is not NONE]
    return ("answer-differs", "wire", f"{answer.title} {_told(lost)}") if lost else None


def _misfit(failure: Failure) -> str:
    parts = [
        f"no longer takes {_listed(failure.unknown)}" if failure.unknown else "",
        f"now asks for {_listed(failure.missing)}" if failure.missing else "",
    ]
    return " and ".join(filter(None, parts)) or f"raises TypeError: {failure.message}"


def _other_bytes(before: Sent, after: Sent) -> Iterator[str]:
    """Yield what an API sees of the difference between two requests; it does not see the order of names."""
    if before.method != after.method:
        yield f"it is sent by {after.method} where it was sent by {before.method}"
    if _parted(before.target) != _parted(after.target):
        yield f"it goes to `{after.target}` where it went to `{before.target}`"
    for name in sorted({*before.headers, *after.headers}):
        old, new = before.headers.get(name), after.headers.get(name)
        if new is None:
            yield f"it is sent without the header `{name}`"
        elif old is None:
            yield f"it is sent with the header `{name}`"
        elif old != new:
            yield f"the header `{name}` says `{new}` where it said `{old}`"
    if before.media == after.media and before.content != after.content:
        found = list(differences(_meaning(before), _meaning(after), ""))
        if found:
            yield f"the body {_told(found)}"


def _parted(target: str) -> tuple[str, dict[str, list[str]]]:
    path, _, query = target.partition("?")
    return path, parse_qs(query, keep_blank_values=True)


def _meaning(sent: Sent) -> Any:
    """Return what a body says: as JSON, or the fields of a form by their names, else its bytes."""
    try:
        if sent.content and is_json(sent.media):
            return json.loads(sent.content)
        if sent.media == _FORM:
            return parse_qs(sent.content.decode(), keep_blank_values=True)
    except ValueError:
        pass  # a text that only calls itself JSON
    return sent.content


@attrs.frozen
class Difference:
    """A place in JSON that two values disagree on; `NONE` stands for the value of one that has no such place."""

    place: str
    before: Any
    after: Any


def differences(before: Any, after: Any, place: str) -> Iterator[Difference]:
    """Yield the places, below one, at which two values of JSON disagree."""
    if is_object(before) and is_object(after):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{place}.{name}" if place else name
            yield from differences(before.get(name, NONE), after.get(name, NONE), inner)
    elif is_array(before) and is_array(after) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{place}[{number}]")
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Difference(place, before, after)


def _told(found: list[Difference]) -> str:
    """Say what differs: a name that stands for another one, else what is gone, new and other."""
    lost = [each for each in found if each.after is NONE]
    gained = [each for each in found if each.before is NONE]
    if len(found) == 2 and lost and gained and lost[0].before == gained[0].after:
        return f"says `{gained[0].place}` where it said `{lost[0].place}`"
    other = [each.place for each in found if each not in lost and each not in gained]
    parts = [
        f"no longer says {_listed(each.place for each in lost)}" if lost else "",
        f"also says {_listed(each.place for each in gained)}" if gained else "",
        f"says another {_listed(other)}" if any(other) else "is another one" if other else "",
    ]
    return " and ".join(filter(None, parts))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
