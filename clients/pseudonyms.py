"""Pseudonymises user ids and addresses as USER_IDS and IP_ADDRESSES say.

Tables, buffers and statistics only see the results. Hashes are keyed by SECRET_KEY, so the database
alone does not allow brute-forcing ids or addresses.
"""

import functools
import hashlib
import hmac
import ipaddress

from django.conf import settings

KEEP, HASH, DROP, TRUNCATE = "keep", "hash", "drop", "truncate"
# The prefix length kept of an address, by IP version; longer ones identify households.
TRUNCATED_BITS = {4: 24, 6: 48}
# The existing column is not wider; 160 bits do not collide.
ADDRESS_DIGITS = 40


def keep_user_id(user_id: str | None) -> str | None:
    """A user id as it is stored; None if there is none, or none is stored."""
    if not user_id or settings.USER_IDS == DROP:
        return None
    return hashed_user_id(user_id) if settings.USER_IDS == HASH else user_id


def keep_address(address: str | None) -> str | None:
    """An address as it is stored; None if there is none, or none is stored."""
    if not address or settings.IP_ADDRESSES == DROP:
        return None
    if settings.IP_ADDRESSES == HASH:
        return keyed_digest("clients.address", address)[:ADDRESS_DIGITS]
    return _network(address) if settings.IP_ADDRESSES == TRUNCATE else address


def hashed_user_id(user_id: str, secret: str | None = None) -> str:
    """The user id as USER_IDS=hash stores it, with SECRET_KEY or an older secret."""
    return keyed_digest("clients.user_id", user_id, secret)


def keyed_digest(purpose: str, text: str, secret: str | None = None) -> str:
    """A keyed hash of 64 hex digits, different for each purpose."""
    key = _key(purpose, settings.SECRET_KEY if secret is None else secret)
    return hmac.digest(key, text.encode(), "sha256").hex()


@functools.lru_cache(maxsize=64)
def _key(purpose: str, secret: str) -> bytes:
    return hashlib.sha256(f"{purpose}\0{secret}".encode()).digest()


def _network(address: str) -> str | None:
    """The network of an address; None for an invalid one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    network = ipaddress.ip_network((parsed, TRUNCATED_BITS[parsed.version]), strict=False)
    return str(network.network_address)
