"""Determines which worker responds at an address, by a request to the liveness endpoint."""

import functools
import hashlib
import http.client
import os
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

LIVE_PATH = "/api/v1/live"
# Identifies the worker, since several servers may share a port: the fields of Worker joined by
# slashes.
WORKER_HEADER = "X-Worker"
ANSWER_SECONDS = 5.0
THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1")


class Worker(NamedTuple):
    """A worker of a server; the first release does not send its installation."""

    server_pid: int
    worker_pid: int
    installation: str = ""


@functools.cache
def installation() -> str:
    """An id of the installation, by its database.

    Neither the folder nor a secret is part of it: both may change between releases.
    """
    database = settings.DATABASES["default"]
    host, port = database.get("HOST", ""), database.get("PORT") or 3306
    name = database["NAME"]
    if "sqlite" in database["ENGINE"]:
        host, port, name = "", 0, Path(name).resolve()
    host = "localhost" if host in THIS_MACHINE else host
    return hashlib.sha256(f"{host}\0{port}\0{name}".encode()).hexdigest()[:16]


def header_value() -> str:
    """This worker's value of WORKER_HEADER."""
    return "/".join(map(str, Worker(os.getppid(), os.getpid(), installation())))


def ask(address: str, port: int, host: str) -> Worker | None:
    """The worker that responds; None if it is another program, or unhealthy.

    `host` is the Host header to send. Raises TimeoutError if there is no response within
    ANSWER_SECONDS.
    """
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", LIVE_PATH, headers={"Host": host, "Connection": "close"})
        response = connection.getresponse()
        if response.status >= http.client.INTERNAL_SERVER_ERROR:
            return None
        server, worker, *rest = (response.getheader(WORKER_HEADER) or "").split("/")
        return Worker(int(server), int(worker), *rest[:1])
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
