"""Identifies the sender of a request by its credential: an app's key, or a user's token."""

import functools
import hmac
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from clients import keys, tokens
from clients.directory import AppInfo, KeyInfo, directory
from clients.models import ANONYMOUS_ID

MAX_CREDENTIAL = 4096
_STAFF_TOKEN = re.compile(r"[0-9a-f]{40}")


class InvalidCredential(Exception):
    """A credential is wrong, expired or revoked; or missing, while `anonymous` is disabled."""


class Identity(NamedTuple):
    """The app of a request, its key (also that of a token), and the token's user."""

    app: AppInfo
    key: KeyInfo | None = None
    token_user: str | None = None


def identify(meta: Mapping[str, Any]) -> Identity:
    """The identity behind a request with these WSGI headers.

    Raises InvalidCredential, and DatabaseError where nothing is known of any app yet.
    """
    credentials = _credentials(meta)
    if not credentials:
        return anonymous()
    identities = [_identity_of(credential) for credential in credentials]
    if len(identities) == 1:  # nearly always
        return identities[0]
    if len({identity.app.id for identity in identities}) > 1:
        raise InvalidCredential
    # A token is more specific than a key sent along with it.
    return next((identity for identity in identities if identity.token_user), identities[0])


def has_credential(meta: Mapping[str, Any]) -> bool:
    """Whether the request carries anything that identify() would look at."""
    return bool(_credentials(meta))


def check_key(meta: Mapping[str, Any]) -> None:
    """Check the header X-API-Key of a request that another credential identifies. Raises
    InvalidCredential, and DatabaseError."""
    if "HTTP_X_API_KEY" in meta:
        _identity_of(meta["HTTP_X_API_KEY"])


def is_staff_token(meta: Mapping[str, Any]) -> bool:
    """Whether the request carries a staff token rather than an app's credential."""
    header = meta.get("HTTP_AUTHORIZATION")
    if not header:
        return False
    scheme, _, credential = header.partition(" ")
    is_bearer = scheme.lower() == "bearer"
    return scheme.lower() == "token" or (is_bearer and bool(_STAFF_TOKEN.fullmatch(credential)))


def anonymous() -> Identity:
    """The identity of requests without credentials; raises InvalidCredential while it is
    disabled."""
    return _active(Identity(directory.app(ANONYMOUS_ID)))


def staff() -> Identity:
    """The identity of staff: the app `anonymous`, enabled or not, without limits."""
    return Identity(directory.app(ANONYMOUS_ID).without_limits())


def _credentials(meta: Mapping[str, Any]) -> list[str]:
    found = [meta["HTTP_X_API_KEY"]] if "HTTP_X_API_KEY" in meta else []
    header = meta.get("HTTP_AUTHORIZATION")
    if header is None:
        return found
    # Other schemes are ignored, such as a proxy's Basic. An empty header is a wrong credential, as
    # the server reads one with a key that is not ASCII as empty.
    scheme, _, credential = header.partition(" ")
    return [*found, credential] if scheme.lower() in ("bearer", "") else found


def _identity_of(credential: str) -> Identity:
    credential = credential.strip()
    if not credential.isascii() or len(credential) > MAX_CREDENTIAL:
        raise InvalidCredential
    identity = _by_token(credential) if "." in credential else _by_key(credential)
    if identity.key:
        directory.count_use(identity.key)
    return _active(identity)


def _by_key(text: str) -> Identity:
    prefix, digest = _parts(text)
    key = directory.key(prefix) if prefix else None
    if key is None or not hmac.compare_digest(key.digest, digest):
        raise InvalidCredential
    return Identity(directory.app(key.app_id), key)


def _by_token(token: str) -> Identity:
    prefix = tokens.key_prefix_of(token)
    key = directory.key(prefix) if prefix else None
    user_id = tokens.user_of(token, key) if key else None
    if key is None or user_id is None:
        raise InvalidCredential
    return Identity(directory.app(key.app_id), key, user_id)


def _active(identity: Identity) -> Identity:
    if not identity.app.is_active:
        raise InvalidCredential
    return identity


@functools.lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[str, str]:
    """The prefix and the digest of a key; cached, since apps send the same key every time."""
    return keys.prefix_of(text), keys.digest(text)
