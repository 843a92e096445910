"""Checks that the server can listen on its port."""

import errno
import os
import socket
import time

from operations.server import liveness

# How long a busy server of this installation may take to respond.
PATIENCE_SECONDS = 10.0


class CannotListen(Exception):
    """The server cannot listen; the message names the setting."""


def check(address: str, port: int, host: str) -> None:
    """Raise CannotListen unless the port is free, or used by servers of this installation only,
    which share it while a new server replaces an old one.

    `host` is the Host header to send.
    """
    if _bind_error(address, port, shared=False) is None:
        return
    error = _bind_error(address, port, shared=True)
    if error is None:
        _check_occupant(address, port, host)
    elif error == errno.EADDRINUSE:
        raise _taken_by("Another program", port)
    elif error == errno.EACCES:
        raise CannotListen(f"This user may not listen on port {port}: set APP_PORT above 1023.")
    else:
        raise CannotListen(f"APP_HOST={address} cannot be listened on: {os.strerror(error)}.")


def _bind_error(address: str, port: int, *, shared: bool) -> int | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((address, port))
    except OSError as error:
        return error.errno
    return None


def _check_occupant(address: str, port: int, host: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            worker = liveness.ask(address, port, host)
        except TimeoutError:
            if time.monotonic() < until:
                continue
            raise _taken_by("A program that does not answer", port) from None
        if worker is None:
            raise _taken_by("Another program", port)
        if worker.installation not in ("", liveness.installation()):
            raise _taken_by("Another installation of this service, with another database,", port)
        return


def _taken_by(whom: str, port: int) -> CannotListen:
    return CannotListen(f"{whom} already uses port {port}: stop it, or set APP_PORT to another.")
