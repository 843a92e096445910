"""A decoder's process, beside a worker that is killed."""

import json
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import Any

from classification.images.decoder_process import ROOT
from tests.support.pictures import photo


def test_it_ends_without_a_word_when_its_worker_is_killed() -> None:
    """With an answer unread, the kernel tells the decoder of a reset instead of an end."""
    ours, theirs = socket.socketpair()
    with theirs:
        decoder = subprocess.Popen(
            [sys.executable, "-m", "classification.image_decoding", str(theirs.fileno()), "0"],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
    connection = Connection(ours.detach())
    request: dict[str, Any] = {"allowed_formats": ["jpeg"], "max_side": 1024}
    request |= {"max_cost": 2, "max_seconds": 5}
    connection.send_bytes(json.dumps(request).encode())
    connection.send_bytes(photo())
    assert connection.poll(60)
    connection.close()
    _, said = decoder.communicate(timeout=60)

    assert (decoder.returncode, said) == (0, b"")
