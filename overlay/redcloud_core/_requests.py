"""Requests made of a caller's keywords; everything that guards and document refuse is named before anything leaves."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ._binding import InvalidRequest, Operation, Request, Violation
from ._errors import GuardError, InvalidCallError
from ._guards import GuardViolation, violations_of, without_campaigns
from ._idempotency import with_plain_key

T = TypeVar("T")


def build(make: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
    """Make a request.

    Args:
        make: The operation's own `build`.
        arguments: Its keywords.

    Raises:
        InvalidCallError: The document does not allow it; everything that is wrong is named.
    """
    arguments, wrong = with_plain_key(arguments)
    try:
        request = make(**arguments)
    except InvalidRequest as error:
        operation_id, wrong = error.operation_id, (*wrong, *error.violations)
    except RecursionError:
        raise InvalidCallError.at("body", "is nested deeper than JSON can be written") from None
    else:
        if not wrong:
            return request
        operation_id = request.operation.id
    raise InvalidCallError.of(operation_id, wrong)


def build_guarded(
    operation: Operation[T],
    make: Callable[..., Request[T]],
    arguments: Mapping[str, Any],
    known: GuardViolation | None = None,
    *,
    guards: bool = True,
    **options: bool,
) -> Request[T]:
    """Make a request, unless the guards refuse the call; what the document does not allow is named with it.

    Args:
        operation: What is called.
        make: Makes its request.
        arguments: Its keywords.
        known: What preflight knows to be wrong; it says more than a guard of the same place.
        guards: Whether they are asked.
        options: Keywords for them alone.

    Raises:
        GuardError: The guards refuse it.
        InvalidCallError: The document alone does.
    """
    refused = violations_of(operation.id, {**arguments, **options}) if guards else ()
    if known is not None:
        refused = (known, *(violation for violation in refused if violation.place != known.place))
    if not refused:
        return build(make, arguments)
    others: tuple[Violation, ...] = ()
    try:
        build(make, without_campaigns(operation.id, arguments))
    except InvalidCallError as error:
        others = error.violations
    places = {violation.place for violation in refused}
    others = tuple(violation for violation in others if violation.place not in places)
    raise GuardError.of(operation.id, (*refused, *others))
