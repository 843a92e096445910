"""Run a command while no other one holds the same lock: python3 locked.py FILE COMMAND...

Two `make run` that start at once in one folder would both set it up. macOS has no flock(1), so
this is Python's, of the standard library only: it runs before anything is installed.
"""

import fcntl
import subprocess
import sys
from pathlib import Path


def main(lock: str, *command: str) -> int:
    """Wait for the lock, run the command, and return its exit status."""
    path = Path(lock)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("Waiting for another make in this folder.\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        return subprocess.run(command, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
