"""Transactions that are retried after a conflict."""

import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from core.database.errors import is_conflict

Arguments = ParamSpec("Arguments")
Written = TypeVar("Written")
# Seconds before each retry, with jitter, so that the same transactions do not collide again.
PAUSES = (0.01, 0.05, 0.2)


def write_atomically(
    write: Callable[Arguments, Written], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Written:
    """Call `write` in a transaction, and again after a conflict: a deadlock, or a conflict with
    another node of a cluster, even at the commit.

    Inside another transaction it runs once, since only the outer one can be retried. Raises what
    `write` raises, and DatabaseError.
    """
    for pause in PAUSES:
        try:
            with transaction.atomic():
                return write(*args, **kwargs)
        except OperationalError as error:
            if not is_conflict(error) or connection.in_atomic_block:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
    with transaction.atomic():
        return write(*args, **kwargs)
