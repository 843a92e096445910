"""Builds CACHES from CACHE_URL: in Redis, shared by all processes and hosts, or in the memory of
each process.

`default` behaves as Django specifies. `answers` holds hot answers; without Redis, in a memory cache
that is several times as fast as Django's, with fewer features.
"""

import hashlib
import json
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.configuration import addresses

SECONDS = 0.5
SCHEMES = ("redis", "rediss")
MAX_ANSWERS = 100_000


class JSONSerializer:
    """Stores JSON in Redis: a pickle planted there would run code."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, default=str).encode()

    def loads(self, data: bytes) -> Any:
        """The value; None, which counts as a miss, for invalid JSON."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


def configure(url: str, installation: str) -> dict[str, dict[str, Any]]:
    """CACHES for the Redis at `url`, or for each process's memory if `url` is empty.

    Keys are prefixed with `installation`, so that several can share a Redis. Raises
    ImproperlyConfigured naming CACHE_URL.
    """
    if not url:
        answers = {
            "BACKEND": "core.memory_cache.MemoryCache",
            "OPTIONS": {"MAX_ENTRIES": MAX_ANSWERS},
        }
        default = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        return {"default": default, "answers": answers}
    _check(url)
    return {
        alias: {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": f"{installation}.{alias}",
            "OPTIONS": {
                "socket_connect_timeout": SECONDS,
                "socket_timeout": SECONDS,
                "serializer": "core.configuration.caches.JSONSerializer",
            },
        }
        for alias in ("default", "answers")
    }


def _check(url: str) -> None:
    # Only where there is a Redis: each process would load its client for a tenth of a second.
    from redis import ConnectionPool

    parts = addresses.url("CACHE_URL", url, SCHEMES)
    try:
        if number := parts.path.strip("/"):
            int(number)
        pool = ConnectionPool.from_url(url)
        # Does not connect, but rejects unknown options.
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError, AttributeError):
        raise ImproperlyConfigured(
            "CACHE_URL must be like redis://:password@host:6379/0, where 0 is the number of the "
            "database, and have no options that Redis' client does not know."
        ) from None


def installation(secret: str, database: dict[str, Any]) -> str:
    """An id of the installation with this secret and database, the same on all its hosts."""
    hosts = database.get("OPTIONS", {}).get("hosts")
    # Hosts may list the nodes of a cluster in different orders.
    place = [sorted(hosts)] if hosts else [database.get("HOST", ""), database.get("PORT", "")]
    parts = (secret, *map(str, (*place, database.get("NAME", ""))))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
