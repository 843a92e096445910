"""Run `migrate`, killing it after every few schema changes, until it completes.

`python -m tests.support.interrupted_migrate STEPS` prints how often it was killed. A process
is forked for each attempt, so that Django is loaded once.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


def main(steps: int) -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    kills = 0
    while True:
        child = os.fork()
        if not child:
            # Each attempt gets a little further, also through a step that is done as a whole.
            with connection.execute_wrapper(_killed_after(steps + kills)):
                call_command("migrate", verbosity=0)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            break
        kills += 1
    print(kills)  # noqa: T201
    sys.exit(os.waitstatus_to_exitcode(status))


def _killed_after(steps: int) -> Callable[..., Any]:
    """A wrapper that ends the process with SIGKILL once so many statements have written."""
    done = 0

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal done
        result = execute(sql, params, many, context)
        if sql.split(" ", 1)[0] in {"CREATE", "ALTER", "UPDATE", "INSERT"}:
            done += 1
        if done == steps:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapper


if __name__ == "__main__":
    main(int(sys.argv[1]))
