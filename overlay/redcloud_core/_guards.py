"""The guards: mistakes that the API punishes late or silently, refused before anything leaves, in words that mend."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from unicodedata import category, decimal, normalize

from ._binding import UNSET, Number, Violation, is_array, is_mapping, send_message, update_number

CAMPAIGN_SET, CAMPAIGN_READ = "campaignregId", "campaignRegId"
"""The campaign's two spellings: of the request that updates a number, and of a number that is read."""

LONGEST_SHOWN = 40
"""Characters of a value that a violation shows."""

PHONE_DIGITS = range(7, 19)
"""How many digits a phone number has: seven without an area code, up to fifteen with 011 before them."""

_PLUS = frozenset("+\u2795\ufb29")  # beside those that NFKC makes one of
_MINUS = "\u2212"
_MOST_LETTERS = 10
"""Letters that a phone number may hold: a scheme and the mark of an extension."""

_BETWEEN = frozenset(" +-.()/\\~,")
_SCHEMES = ("tel:", "sms:", "smsto:", "mms:", "mmsto:", "callto:")
_EXTENSIONS = (";ext=", ";", "ext.", "ext", "x", "#")


class DuplicateRecipientWarning(UserWarning):
    """A message names the same recipient twice."""


class GuardViolation(Violation, frozen=True):
    """Something in a call that a guard refuses."""

    value: str
    """What was given, shortened, its digits masked."""
    instead: str
    """What to write instead."""

    def __str__(self) -> str:
        return f"{self.place}: {self.value} {self.reason}; {self.instead}"


Guard = Callable[[Mapping[str, Any]], Iterator[Violation]]


def violations_of(operation_id: str, arguments: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Return what the guards refuse of a call, all of it.

    Args:
        operation_id: What is called.
        arguments: Its keywords, unknown ones included.
    """
    guard = _GUARDS.get(operation_id)
    return tuple(guard(arguments)) if guard is not None else ()


def without_campaigns(operation_id: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords without those that the guards refuse by their name, so that the others can be judged."""
    return {name: value for name, value in arguments.items() if not _is_wrong_campaign(name, operation_id)}


def is_phone_number(text: str) -> bool:
    """Tell whether a text is a phone number in any common spelling; an id that holds digits beside letters is none.

    It takes time in proportion to the text, whatever it holds.
    """
    if sum(map(str.isalpha, text)) > _MOST_LETTERS:
        return False
    plain = _plain(text).strip().lower()
    for scheme in _SCHEMES:
        plain = plain.removeprefix(scheme)
    plain = _without_extension(plain)
    digits = sum(character.isdigit() for character in plain)
    return digits in PHONE_DIGITS and all(character.isdigit() or character in _BETWEEN for character in plain)


def is_e164(text: str) -> bool:
    """Tell whether a text is a phone number as the API takes it: a plus sign and up to fifteen digits."""
    digits = text[1:]
    return text[:1] == "+" and 2 <= len(digits) <= 15 and digits.isascii() and digits.isdigit() and digits[0] != "0"


def check_number(message: Mapping[str, Any], numbers: Sequence[Number]) -> GuardViolation | None:
    """Return what is wrong with sendFrom, by the list of the numbers that the API client owns.

    Args:
        message: The keywords of a send.
        numbers: What list_numbers() said.
    """
    sender, kind = message.get("sendFrom"), str(message.get("messageType"))
    if not isinstance(sender, str):
        return None
    number = next((number for number in numbers if number.numberId == sender), None)
    if number is None:
        return GuardViolation("sendFrom", "is no number of yours", _shown(sender), _owned_instead(sender, numbers))
    if number.status != "ACTIVE":
        return _unfit(number, f"is {number.status}, not ACTIVE", "send from another number")
    if not (number.mmsEnabled if kind.endswith("MMS") else number.smsEnabled):
        return _unfit(number, f"is not enabled for {kind}", "enable it by update_number, or send from another number")
    if not number.campaignRegId:
        return _unfit(number, "has no campaign", f"register it by update_number({CAMPAIGN_SET}=...)")
    return None


def masked(text: str) -> str:
    """Return a text whose digits are masked, but for the last two, if they may be a phone number."""
    digits = sum(character.isdigit() for character in text)
    if digits < PHONE_DIGITS.start:
        return text
    seen, out = 0, list[str]()
    for character in text:
        seen += character.isdigit()
        out.append("*" if character.isdigit() and seen <= digits - 2 else character)
    return "".join(out)


def _guard_send(arguments: Mapping[str, Any]) -> Iterator[Violation]:
    yield from _campaigns(arguments, send_message.OPERATION.id)
    sender = arguments.get("sendFrom")
    if isinstance(sender, str) and is_phone_number(sender):
        instead = "write a number id, a `numberId` of list_numbers() such as 'num_abc123'"
        yield GuardViolation("sendFrom", "is a phone number", _shown(sender), instead)
    yield from _recipients(arguments.get("to"))
    yield from _mode(arguments)
    if arguments.get("externalReference") == "":
        instead = "write your own key for this message, such as 'order_789'"
        yield GuardViolation("externalReference", "is empty", "''", instead)
    yield from _surrogates(arguments.get("text"))


def _guard_update(arguments: Mapping[str, Any]) -> Iterator[Violation]:
    yield from _campaigns(arguments, update_number.OPERATION.id)
    clears = arguments.get(CAMPAIGN_SET, UNSET) is None
    if clears and not arguments.get("clear_campaign"):
        reason = "clears the campaign, and a number without one cannot send"
        yield GuardViolation(CAMPAIGN_SET, reason, "None", "leave it out, or say clear_campaign=True as well")
    if arguments.get("clear_campaign") and not clears:
        reason = "contradicts what is said of the campaign"
        yield GuardViolation("clear_campaign", reason, "True", f"say {CAMPAIGN_SET}=None as well, or leave it out")


_GUARDS: Mapping[str, Guard] = {send_message.OPERATION.id: _guard_send, update_number.OPERATION.id: _guard_update}


def _campaigns(arguments: Mapping[str, Any], operation_id: str) -> Iterator[GuardViolation]:
    """Refuse every spelling of the campaign but the one of the update request, wherever it stands."""
    if operation_id == update_number.OPERATION.id:
        instead = f"write {CAMPAIGN_SET}, as the request spells it"
    else:
        instead = f"register the number by update_number({CAMPAIGN_SET}=...), once"
    for name, value in arguments.items():
        if _is_wrong_campaign(name, operation_id):
            yield GuardViolation(name, "is no field of this request", "it", instead)
        else:
            for place in _nested_campaigns(value, name):
                yield GuardViolation(place, "is no field of this request", "it", instead)


def _is_wrong_campaign(name: object, operation_id: str) -> bool:
    known = (CAMPAIGN_SET,) if operation_id == update_number.OPERATION.id else ()
    return isinstance(name, str) and name[:8].lower() == "campaign" and name not in known


def _nested_campaigns(value: object, place: str, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if is_mapping(value):
        for name, inner in value.items():
            if _is_wrong_campaign(name, ""):
                yield f"{place}.{name}"
            yield from _nested_campaigns(inner, f"{place}.{name}", depth + 1)
    elif is_array(value):
        for index, inner in enumerate(value):
            yield from _nested_campaigns(inner, f"{place}[{index}]", depth + 1)


_DEEPEST = 20
"""Levels of nesting that the guards look into."""


def _recipients(to: object) -> Iterator[GuardViolation]:
    if not is_array(to):
        return
    if not to:
        yield GuardViolation("to", "names no recipient", "[]", "write at least one phone number such as '+15551234567'")
    first: dict[object, int] = {}
    for index, recipient in enumerate(to):
        if not isinstance(recipient, str):
            continue
        if not is_e164(recipient):
            yield GuardViolation(
                f"to[{index}]", "is no E.164 phone number", _shown(recipient), _e164_instead(recipient)
            )
        elif first.setdefault(recipient, index) != index:
            words = f"to[{index}] repeats to[{first[recipient]}]: {masked(recipient)}"
            warnings.warn(words, DuplicateRecipientWarning, stacklevel=_level_of_caller())


def _level_of_caller() -> int:
    """Return how far above a function that warns the first line is that is not the SDK's own."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    return level


def _e164_instead(recipient: str) -> str:
    if is_phone_number(recipient):
        plain = _plain(recipient).strip()
        digits = _digits(plain)
        if plain.startswith("+") and is_e164(f"+{digits}"):
            return f"write {masked(f'+{digits}')!r}, without anything between"
    return "write a plus sign, the country and the number, digits alone: '+15551234567'"


def _mode(arguments: Mapping[str, Any]) -> Iterator[GuardViolation]:
    kind, media = str(arguments.get("messageType")), arguments.get("media", UNSET)
    if kind.endswith("SMS") and media is not UNSET:
        value = "an empty list" if media == [] else "it"
        reason = "is media all the same, and SMS forbids it" if media == [] else "is forbidden for SMS"
        yield GuardViolation("media", reason, value, "leave it out, or write messageType='MMS'")
    if kind.endswith("MMS") and (media is UNSET or media == []):
        yield GuardViolation("media", "is missing, and MMS requires it", "it", "add media, or write messageType='SMS'")


def _surrogates(text: object) -> Iterator[GuardViolation]:
    if not isinstance(text, str):
        return
    index = next((index for index, character in enumerate(text) if "\ud800" <= character <= "\udfff"), None)
    if index is not None:
        reason = f"holds half of a surrogate pair at index {index}, which cannot be encoded"
        yield GuardViolation("text", reason, "it", "write the whole character, or leave it out")


def _unfit(number: Number, reason: str, instead: str) -> GuardViolation:
    return GuardViolation("sendFrom", reason, _shown(number.numberId), instead)


def _owned_instead(sender: str, numbers: Iterable[Number]) -> str:
    owned = list(numbers)
    if is_phone_number(sender):
        digits = _digits(_plain(sender))
        for number in owned:
            if digits.removeprefix("011").removeprefix("00") in (number.e164[1:], number.e164[2:]):
                return f"write {number.numberId!r}, the id of that phone number"
    from difflib import get_close_matches

    near = get_close_matches(sender[:100], [number.numberId for number in owned], n=1)
    return f"did you mean {near[0]!r}?" if near else "list_numbers() shows the ids of yours"


def _digits(plain: str) -> str:
    return "".join(filter(str.isdigit, plain))


def _plain(text: str) -> str:
    """Return a text with the digits, dashes, blanks and plus signs of all scripts as ASCII has them."""
    return "".join(map(_plain_character, normalize("NFKC", text)))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    if character in _PLUS:
        return "+"
    if character == _MINUS:
        return "-"
    kind = category(character)
    if kind == "Nd":
        return str(decimal(character))
    return {"Pd": "-", "Zs": " ", "Zl": " ", "Zp": " ", "Cf": "", "Mn": "", "Me": ""}.get(kind, character)


def _without_extension(plain: str) -> str:
    for mark in _EXTENSIONS:
        number, found, extension = plain.rpartition(mark)
        if found and 0 < len(extension.strip()) <= 6 and extension.strip().isdigit():
            return number
    return plain


def _shown(value: str) -> str:
    short = value if len(value) <= LONGEST_SHOWN else f"{value[: LONGEST_SHOWN - 3]}..."
    return ascii(masked(short)) if not short.isprintable() else repr(masked(short))


def _tell_spelling(number: Number, name: str) -> Any:
    """Answer for an attribute that a number does not have; the request's spelling gets the answer's."""
    right = f": a number that is read spells it {CAMPAIGN_READ}" if name.lower() == CAMPAIGN_READ.lower() else ""
    raise AttributeError(f"{type(number).__name__!r} object has no attribute {name!r}{right}", name=name, obj=number)


# Not in the class itself: there a type checker would take it for leave to read any attribute.
setattr(Number, "__getattr__", _tell_spelling)  # noqa: B010
