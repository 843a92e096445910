"""Slows those down who guess passwords or tokens, without shutting staff out.

An attempt counts for its address and for its account. A browser in which somebody has logged in
before carries a signed cookie; its attempts count for itself alone, so a stranger who keeps an
account busy, or shares an address with staff, cannot keep them from it. django-axes was weighed:
it has no such thing, knows nothing of tokens, and brings four tables.
"""

import ipaddress
import secrets
from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.http import HttpRequest

from classification.api.callers import client_address
from logins.models import AttemptCount

ACCOUNT_ATTEMPTS = 10
ADDRESS_ATTEMPTS = 30
DEVICE_ATTEMPTS = 10
DEVICE_COOKIE = "device"
DEVICE_SECONDS = 180 * 24 * 3600
SALT = "logins.device"


def seconds_to_wait(request: HttpRequest, username: str) -> int:
    """Count an attempt to log in; 0, or the seconds until the next one may be made."""
    if device := known_device(request, username):
        return AttemptCount.objects.attempt("device", device, DEVICE_ATTEMPTS)
    return AttemptCount.objects.attempt(
        "address", network(request.META), ADDRESS_ATTEMPTS
    ) or AttemptCount.objects.attempt("account", username, ACCOUNT_ATTEMPTS)


def succeeded(request: HttpRequest, username: str) -> None:
    """The attempt was a login: it leaves nothing behind."""
    if device := known_device(request, username):
        AttemptCount.objects.forget("device", device)
        return
    AttemptCount.objects.forget("account", username)
    AttemptCount.objects.forgive("address", network(request.META))


def normal(username: str) -> str:
    """The account that a name stands for; databases do not tell case apart."""
    return username.strip().casefold()


def network(meta: Mapping[str, Any]) -> str:
    """The caller's address; of IPv6 the /64, which is one household."""
    address = client_address(meta) or ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def known_device(request: HttpRequest, username: str) -> str:
    """The id of a browser in which this account has logged in before, or nothing."""
    try:
        value = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=SALT, max_age=DEVICE_SECONDS
        )
    except signing.BadSignature:
        return ""
    return str(value["id"]) if value["account"] == username else ""


def device_cookie(request: HttpRequest, username: str) -> str:
    """The value that makes this browser known to the account."""
    device = known_device(request, username) or secrets.token_hex(8)
    return signing.dumps({"id": device, "account": username}, salt=SALT)
