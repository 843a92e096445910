"""Tokens for an app's users: JWTs that an app's server obtains with its key and passes to devices.

The signing secret is derived from SECRET_KEY and the app's key: neither a stolen database nor a
stolen key suffices to forge one, and a token ends with its key.
"""

import functools
import time
from typing import NamedTuple

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac

from clients.directory import KeyInfo

ALGORITHM = "HS256"
AUDIENCE = "photo-classification"
SALT = "clients.tokens"


class Claims(NamedTuple):
    """The claims of a token; `expires_at` is in seconds since 1970."""

    user_id: str
    expires_at: int


def issue(key: KeyInfo, user_id: str, ttl_seconds: int) -> tuple[str, int]:
    """Issue a token for a user; return it and its expiry (seconds since 1970), which is not later
    than its key's."""
    now = int(time.time())
    expires_at = now + ttl_seconds
    if key.expires_at is not None:
        expires_at = min(expires_at, int(key.expires_at))
    payload = {"sub": user_id, "aud": AUDIENCE, "iat": now, "exp": expires_at}
    secret = _secret(key.digest, settings.SECRET_KEY)
    token = jwt.encode(payload, secret, ALGORITHM, headers={"kid": key.prefix})
    return token, expires_at


@functools.lru_cache(maxsize=4096)
def key_prefix_of(token: str) -> str:
    """The prefix of the key that a token claims to be issued with, unverified; "" if it is not a
    token."""
    try:
        prefix = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        return ""
    return prefix if isinstance(prefix, str) else ""


def user_of(token: str, key: KeyInfo) -> str | None:
    """The user of a valid token issued with this key, else None."""
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        claims = _verified(token, _secret(key.digest, secret_key))
        if claims:
            return claims.user_id if time.time() < claims.expires_at else None
    return None


@functools.lru_cache(maxsize=4096)
def _verified(token: str, secret: bytes) -> Claims | None:
    """The claims of a token with a valid signature, expired or not; cached, since devices send the
    same token every time."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            # Times are not part of what is cached; and the clock of the host that issued it may be
            # a little ahead of ours.
            options={"require": ["sub", "exp", "iat"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    return Claims(claims["sub"], int(claims["exp"]))


@functools.lru_cache(maxsize=1024)
def _secret(key_digest: str, secret_key: str) -> bytes:
    """The secret that signs the tokens issued with a key."""
    return salted_hmac(SALT, key_digest, secret=secret_key, algorithm="sha256").digest()


def forget_verified() -> None:
    """Clear the caches of verified tokens, which contain user ids."""
    key_prefix_of.cache_clear()
    _verified.cache_clear()
