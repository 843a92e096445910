"""Determines the client's IP address of a request."""

import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings


def client_address(meta: Mapping[str, Any]) -> str | None:
    """The client's address, or None. X-Forwarded-For is trusted only for hops added by
    TRUSTED_PROXIES: anyone can send that header."""
    remote: str = meta.get("REMOTE_ADDR", "")
    if not settings.TRUSTED_PROXIES:
        return remote[:45] or None
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    for hop in [remote, *reversed(forwarded.split(","))]:
        address = _address(hop)
        if address is None:
            break
        remote = str(address)
        if not any(address in network for network in settings.TRUSTED_PROXIES):
            break
    return remote[:45] or None


@functools.lru_cache(maxsize=1024)
def client_network(address: str | None) -> str:
    """What limits count a client's address as: of IPv6 its /64 network, which is one household; of
    IPv4 the address alone, also as sockets for both kinds write it (::ffff:192.0.2.1). Anything
    else is returned as it is, and None as ""."""
    parsed = _address(address or "")
    if parsed is None:
        return address or ""
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse an address as proxies write it: possibly with a port, in brackets, or with a zone
    id."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
