"""Throttles password and token guessing without locking staff out.

An attempt counts for its address and for its account. A browser that has logged in before has a
signed cookie; its attempts count for that browser only, so an attacker who exhausts an account, or
shares an address with staff, cannot lock them out. django-axes was considered: it has no such
mechanism, does not cover tokens, and adds four tables.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest

from accounts.models import AttemptCount
from core.client_address import client_address, client_network

ACCOUNT_ATTEMPTS = 10
ADDRESS_ATTEMPTS = 30
DEVICE_ATTEMPTS = 10
DEVICE_COOKIE = "device"
DEVICE_SECONDS = 180 * 24 * 3600
SALT = "logins.device"
LONGEST_NAME = 150


def seconds_to_wait(request: HttpRequest, username: str) -> int:
    """Count a login attempt; return 0, or the seconds until the next one is allowed."""
    if device := known_device(request, username):
        return AttemptCount.objects.attempt("device", device, DEVICE_ATTEMPTS)
    return AttemptCount.objects.attempt(
        "address", network(request.META), ADDRESS_ATTEMPTS
    ) or AttemptCount.objects.attempt("account", username, ACCOUNT_ATTEMPTS)


def succeeded(request: HttpRequest, username: str) -> None:
    """Uncount the attempt of a successful login."""
    if device := known_device(request, username):
        AttemptCount.objects.forget("device", device)
        return
    AttemptCount.objects.forget("account", username)
    AttemptCount.objects.forgive("address", network(request.META))


def account(username: str) -> str:
    """The canonical name of an account, found as the login finds it.

    The form normalises Unicode, and the database may ignore case and accents: another spelling must
    not start a new count.
    """
    name = unicodedata.normalize("NFKC", username).strip()
    found = (
        User.objects.filter(username=name).values_list("username", flat=True).first()
        if len(name) <= LONGEST_NAME and "\0" not in name
        else None
    )
    return (found or name).casefold()


def network(meta: Mapping[str, Any]) -> str:
    """The network of the client, whose attempts are counted together."""
    return client_network(client_address(meta))


def known_device(request: HttpRequest, username: str) -> str:
    """The id of a browser that this account has logged in with before; "" otherwise."""
    try:
        value = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=SALT, max_age=DEVICE_SECONDS
        )
    except signing.BadSignature:
        return ""
    return str(value["id"]) if value["account"] == username else ""


def device_cookie(request: HttpRequest, username: str) -> str:
    """The signed cookie value that identifies this browser to the account."""
    device = known_device(request, username) or secrets.token_hex(8)
    return signing.dumps({"id": device, "account": username}, salt=SALT)
