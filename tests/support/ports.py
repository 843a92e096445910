"""Ports for the servers that tests and benchmarks start."""

import secrets
import socket
from contextlib import suppress


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that the kernel gives to no client.

    Those that it gives start at 32768: somebody's connection might take one of them between
    this look and the server that is meant to listen there.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port
