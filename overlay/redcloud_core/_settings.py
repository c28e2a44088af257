"""What a client is told when it is made: checked there, so that a mistake shows where it was made."""

import inspect
import ipaddress
import math
import re
import ssl
from collections.abc import Callable, Mapping, Set
from typing import Any, Literal, TypedDict, get_args
from urllib.parse import urlsplit

from ._binding import httpx
from ._secrets import Secret
from ._token_cache import TokenCache

AuthMethod = Literal["client_secret_basic", "client_secret_post"]
"""How the credentials travel, in the words of RFC 7591: HTTP Basic, or fields of the form."""

OWN_HEADERS = frozenset(
    {"authorization", "content-length", "content-type", "host", "idempotency-key", "transfer-encoding"}
)
"""Headers that the SDK sets itself."""

# The SDK's own variables first, then those of the API's quickstart; never a mixture.
_ENVIRONMENT = (
    ("REDCLOUD_BASE_URL", "REDCLOUD_CLIENT_ID", "REDCLOUD_CLIENT_SECRET"),
    ("BASE_URL", "RC_CLIENT_ID", "RC_CLIENT_SECRET"),
)

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


class Options(TypedDict, total=False):
    """What `with_options` changes."""

    timeout: float
    """Seconds that no byte may come; 30 at first."""
    deadline: float
    """Seconds that a whole call may take, the token included; 45 at first."""
    attempts: int
    """How often a call is tried at the most; 4 at first."""
    headers: Mapping[str, str]
    """More headers for every request."""
    guards: bool
    """Whether mistakes that the API punishes late are refused before anything leaves; True at first."""
    preflight: bool
    """Whether sendFrom is checked against the list of numbers before a send; False at first."""


class Settings(Options, total=False):
    """What both clients take besides where the API is and who asks."""

    verify: ssl.SSLContext | bool
    """The TLS context, or whether certificates are verified."""
    proxy: str
    """The URL of a proxy, instead of those that the environment names."""
    token_transport: httpx.BaseTransport
    """Another transport for the token endpoint."""
    token_cache: TokenCache
    """Where tokens live; in the memory of this client at first."""
    token_endpoint_auth_method: AuthMethod
    """How the credentials travel: `client_secret_basic`, at first, or `client_secret_post`."""


def require_known(method: str, given: Mapping[str, Any], kind: type[Any]) -> None:
    """Refuse a keyword that a method does not have, as Python itself does where there is no `**`."""
    for name in given:
        if name not in kind.__optional_keys__:
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}")


def checked_url(base_url: str) -> str:
    """Return the base URL without a slash at its end.

    Raises:
        ValueError: It is no URL of a host, or plain http that leaves the machine.
    """
    parts = _split(base_url)
    if set("@?#") & set(base_url):
        raise ValueError("base_url: must hold no credentials, query or fragment, only the host and perhaps a path.")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"base_url: must be a URL such as https://api.example.com, not {_shown(base_url)}.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(
            "base_url: must begin with https://, since the secret and tokens would go in the clear to "
            f"{parts.hostname}; plain http is for loopback only."
        )
    return base_url.rstrip("/")


def checked_credential(name: str, value: str) -> str:
    """Return a credential.

    Raises:
        ValueError: It is no text, is empty, or holds control characters. The message does not hold it.
    """
    problem = _problem_of_credential(value)
    if problem is not None:
        raise ValueError(f"{name}: {problem}.")
    return value


def hidden(client_secret: str | Callable[[], str]) -> Secret | Callable[[], str]:
    """Return a secret that no traceback shows; a function that returns one stays as it is."""
    return client_secret if callable(client_secret) else Secret(client_secret)


def checked_secret_source(source: Secret | Callable[[], str]) -> Secret | Callable[[], str]:
    """Return a secret, or the function that is asked for one; ValueError if it cannot be that."""
    if isinstance(source, Secret):
        return checked_secret(source)
    if inspect.iscoroutinefunction(source):
        raise ValueError("client_secret: must be an ordinary function; it is called on a thread of its own.")
    return source


def checked_secret(secret: Secret) -> Secret:
    """Return a secret.

    Raises:
        ValueError: As `checked_credential` does; no frame of it holds the secret.
    """
    problem = _problem_of_credential(secret.reveal())
    if problem is not None:
        raise ValueError(f"client_secret: {problem}.")
    return secret


def checked_cache(cache: TokenCache) -> TokenCache:
    """Return a token cache; ValueError if it is none, such as the path of a file."""
    if not all(callable(getattr(cache, method, None)) for method in ("load", "store", "lock")):
        raise ValueError(
            "token_cache: must have load, store and lock, as FileTokenCache(path) and MemoryTokenCache do."
        )
    return cache


def checked_count(name: str, value: int) -> int:
    """Return a number of things; ValueError unless it is an integer from 1."""
    if type(value) is not int or value < 1:
        raise ValueError(f"{name}: must be an integer, 1 or more, not {value!r}.")
    return value


def checked_switch(name: str, value: bool) -> bool:
    """Return True or False; ValueError if it is neither."""
    if value is not True and value is not False:
        raise ValueError(f"{name}: must be True or False, not {value!r}.")
    return value


def checked_auth_method(value: AuthMethod) -> AuthMethod:
    """Return a way for credentials to travel; ValueError if there is no such way."""
    if value not in get_args(AuthMethod):
        raise ValueError(f"token_endpoint_auth_method: must be one of {', '.join(get_args(AuthMethod))}.")
    return value


def checked_seconds(name: str, value: float) -> float:
    """Return a number of seconds; ValueError unless it is a positive one."""
    if not _is_number(value) or not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name}: must be a positive number of seconds, not {value!r}.")
    return float(value)


def with_headers(headers: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return headers with others added, which replace those of the same name in any case.

    Raises:
        ValueError: An added one is the SDK's own, or no header.
    """
    for name, value in added.items():
        _require_header(name, value)
    names = {name.lower() for name in added}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **added}


def environment_family(given: Set[str]) -> tuple[str, str, str]:
    """Return the names of the variables that hold base URL, client id and secret.

    Args:
        given: The names of all variables that are not empty.

    Raises:
        ValueError: A variable of the family is missing.
    """
    own, quickstart = _ENVIRONMENT
    # BASE_URL is everybody's variable: alone it says nothing, and a secret must not follow it by accident.
    family = quickstart if given.isdisjoint(own) else own
    missing = [name for name in family if name not in given]
    if missing:
        raise ValueError(f"environment: {', '.join(missing)} must be set; use {', '.join(own)} together.")
    return family


def _split(base_url: str) -> Any:
    if not _is_text(base_url) or not base_url.isprintable() or " " in base_url:
        raise ValueError("base_url: must be a URL such as https://api.example.com, without blanks or line breaks.")
    try:
        parts, port = urlsplit(base_url), urlsplit(base_url).port
        httpx.URL(base_url)  # what it cannot read would fail in every call
    except (ValueError, httpx.InvalidURL):
        parts, port = None, None
    if parts is None or port == 0 or ".." in (parts.hostname or ""):
        raise ValueError(f"base_url: must be a URL such as https://api.example.com, not {_shown(base_url)}.")
    return parts


def _problem_of_credential(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return "must be a text, and not an empty one"
    return None if value.isprintable() else "must not hold control characters, such as a line break at its end"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_header(name: str, value: str) -> None:
    if not _is_text(name) or not _is_text(value) or not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"headers: {_shown(str(name))} is no name of a header, or its value is no text.")
    if name.lower() in OWN_HEADERS:
        raise ValueError(f"headers: {name} is set by the SDK itself.")
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError(f"headers: the value of {name} must be printable ASCII without blanks at its ends.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _shown(value: str) -> str:
    return ascii(value if len(value) <= 40 else f"{value[:37]}...")
