"""A decoder process, from its parent's side."""

import json
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "classification.image_decoding")
# It ends itself by CPU time; this is for a process that gets no CPU.
MAX_WAIT_SECONDS = 30
# The rest of the environment holds secrets, which the decoder does not need.
ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")


class Answer(NamedTuple):
    """The facts about the picture, or the code of an error; the reduced JPEG; and the peak memory
    of the process so far, in bytes."""

    facts: dict[str, Any]
    jpeg: bytes
    peak_bytes: int


class DecoderDied(Exception):
    """The process ended before it answered. `is_fault_of_file` is False if it had died before it
    got the file."""

    def __init__(self, *, is_fault_of_file: bool) -> None:
        super().__init__()
        self.is_fault_of_file = is_fault_of_file


class DecoderProcess:
    """A child process of a niceness (0 to 19), started on construction; used by one thread at a
    time, and closed by its user once it is no longer usable."""

    def __init__(self, niceness: int) -> None:
        self.niceness = niceness
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [*COMMAND, str(theirs.fileno()), str(niceness)],
                cwd=ROOT,
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self.is_usable = True

    def ask(self, request: dict[str, Any], data: bytes) -> Answer:
        """Send a request, as `image_decoding.__main__` describes it, and return the child's answer.

        Raises DecoderDied, or TimeoutError if the machine was too busy to decode anything.
        """
        # Whatever interrupts this: the rest of the answer would be taken for the next file's.
        self.is_usable = False
        try:
            self._connection.send_bytes(json.dumps(request).encode())
            self._connection.send_bytes(data)
        except OSError as error:
            raise DecoderDied(is_fault_of_file=False) from error
        if not self._connection.poll(MAX_WAIT_SECONDS):
            raise TimeoutError
        try:
            facts = json.loads(self._connection.recv_bytes())
            jpeg = self._connection.recv_bytes()
        except (OSError, EOFError) as error:
            raise DecoderDied(is_fault_of_file=True) from error
        self.is_usable = not facts.pop("is_last")
        return Answer(facts, jpeg, peak_bytes=facts.pop("peak_bytes"))

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """Kill the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
