"""Strict parsers of URLs and hosts in settings.

Each function raises ImproperlyConfigured with a message that names the variable and never repeats
the value, which may contain a password.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ENCODE = (
    "Percent-encode what is special in its user and password: / is %2F, ? is %3F, # is %23, "
    "@ is %40, % is %25, [ is %5B."
)
HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.?")
# Web apps wrapped as mobile apps have schemes of their own.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([A-Za-z0-9_.*-]+|\[[0-9a-f:]+\])(:\d{1,5})?")


def url(name: str, text: str, schemes: Sequence[str], *, needs_host: bool = True) -> SplitResult:
    """The parts of a URL with one of `schemes`."""
    if text.partition("://")[0] not in schemes:
        raise ImproperlyConfigured(
            f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}."
        )
    try:
        parts = urlsplit(text)
        is_cut = bool(parts.fragment) or parts.port == 0
    except ValueError:  # an invalid port, or brackets: most likely part of a password
        is_cut = True
    if is_cut or "#" in text or "@" in f"{parts.path}{parts.query}" or not text.isprintable():
        raise ImproperlyConfigured(f"{name} cannot be taken apart. {ENCODE}")
    if " " in text or (needs_host and not parts.hostname):
        raise ImproperlyConfigured(f"{name} must name a host, and have no blanks.")
    return parts


def email(name: str, text: str) -> dict[str, Any]:
    """Django's settings of the mail server at an address such as smtp+tls://user:pass@host:587."""
    parts = url(name, text, ("smtp", "smtp+tls", "smtp+ssl"))
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 25,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtp+ssl",
    }


def host(name: str, text: str) -> str:
    """A host name or IP address, without the brackets of IPv6."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_address(bare) or (HOST_NAME.fullmatch(text) and not text.replace(".", "").isdigit()):
        return bare
    raise ImproperlyConfigured(
        f"{name} must be the name or the address of a host, without a port and without http://."
    )


def pattern(name: str, text: str) -> str:
    """A host in the syntax of ALLOWED_HOSTS: also `*`, `.example.com`, and IPv6 in brackets."""
    if text == "*":
        return text
    try:
        bare = host(name, text.removeprefix("."))
    except ImproperlyConfigured:
        raise ImproperlyConfigured(
            f"{name} must be names of hosts separated by commas, without ports and https://."
        ) from None
    return f"[{bare}]" if ":" in bare else text


def origin(name: str, text: str) -> str:
    """An origin: scheme, host and optional port; a trailing slash is removed."""
    bare = text.removesuffix("/")
    if not ORIGIN.fullmatch(bare):
        raise ImproperlyConfigured(
            f"{name} must be addresses such as https://photos.example.com, separated by commas."
        )
    return bare


def listening(name: str, text: str) -> str:
    """The IP address to listen on for a host name, IPv4 if it has both."""
    bare = host(name, text)
    if _is_address(bare):
        return bare
    try:
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM)
    except OSError:
        raise ImproperlyConfigured(
            f"{name} must be an address of this machine, such as 127.0.0.1 or 0.0.0.0: the name "
            "is not known here."
        ) from None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


def without_password(address: str) -> str:
    """A URL that is safe to show: without user, password and query."""
    parts = urlsplit(address)
    if not parts.hostname:
        return address
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
