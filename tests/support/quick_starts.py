"""Python processes that start fast: forked from one that has imported our dependencies.

It imports none of our modules, so that each process reads the environment as if started by itself.
It reads one order per line from standard input, and writes the exit status of each process.
"""

import gc
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = "django.core.management", "redis"


class QuickStarts:
    """Starts Python at the root of the project, with only the variables that it is given."""

    def __init__(self, server: "subprocess.Popen[str]", folder: Path) -> None:
        self._server = server
        self._output, self._errors = folder / "output", folder / "errors"

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the interpreter with these arguments: -c and a program, or a file and its own
        arguments. Returns the finished process and its output."""
        order = {
            "arguments": arguments,
            "variables": _inherited() | variables,
            "outputs": [str(self._output), str(self._errors)],
        }
        assert self._server.stdin
        assert self._server.stdout
        print(json.dumps(order), file=self._server.stdin, flush=True)
        status = int(self._server.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, status, self._output.read_text(), self._errors.read_text()
        )


@contextmanager
def quick_starts(root: Path, folder: Path) -> Iterator[QuickStarts]:
    """Start the process to fork from, in `root`; the output of its children goes to `folder`."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=root,
        env=_inherited(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield QuickStarts(server, folder)


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "SystemRoot") if name in os.environ}


def _serve() -> None:
    for name in IMPORTED:
        __import__(name)
    gc.freeze()  # else each child would free all of it at its end
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _become(**order)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(arguments: list[str], variables: dict[str, str], outputs: list[str]) -> NoReturn:
    os.environ.clear()
    os.environ.update(variables)
    for number, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    program, *own = arguments
    sys.argv = ["-c"] if program == "-c" else arguments
    namespace: dict[str, Any] = {"__name__": "__main__"}
    if program == "-c":
        exec(own[0], namespace)  # noqa: S102
    else:
        runpy.run_path(program, run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _serve()
