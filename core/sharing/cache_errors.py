"""What the cache raises while it is down, which it can be only if it is Redis."""

import sys


def cache_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """For `except cache_errors():`, which is evaluated once something has been raised; `others` are
    caught too.

    Nothing can have raised the errors of a client that is not loaded; loading it takes a quarter of
    the time of Django and all applications.
    """
    client = sys.modules.get("redis.exceptions")
    return (client.RedisError, *others) if client else others
