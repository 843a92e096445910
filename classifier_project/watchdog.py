"""Tells systemd that the server is ready, and then that it lives: only while every worker answers.

The question goes the way of a client's: to the server's port, for the liveness address. Where
another server shares the port, as during an update, answers of its workers do not count.
"""

import http.client
import logging
import os
import socket
import threading
import time

from classifier_project.workers import LIVE_PATH, WORKER_HEADER

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
ROUND_SECONDS = 15.0
PAUSE_SECONDS = 0.1


def start(*, address: str, port: int, host: str, workers: int) -> None:
    """Report from a thread of this process, the parent of the workers, if systemd asks for it.

    `host` is the name the site is asked by, and `workers` how many have to answer.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    # systemd's limit in microseconds; a few reports may fail before it is reached.
    interval = int(os.environ.get("WATCHDOG_USEC", "60000000")) / 1_000_000 / 6

    def report() -> None:
        while True:
            if every_worker_answers(address, port, host, workers):
                _notify("READY=1\nWATCHDOG=1")
                time.sleep(interval)

    threading.Thread(target=report, name="watchdog", daemon=True).start()


def every_worker_answers(address: str, port: int, host: str, workers: int) -> bool:
    """Whether that many workers of this process answer within ROUND_SECONDS.

    The kernel deals connections out by chance, so we ask until each has had its turn.
    """
    answered: set[str] = set()
    until = time.monotonic() + ROUND_SECONDS
    while time.monotonic() < until:
        server, _, worker = _ask(address, port, host).partition("/")
        if server == str(os.getpid()):
            answered.add(worker)
        if len(answered) >= workers:
            return True
        time.sleep(PAUSE_SECONDS)
    return False


def _ask(address: str, port: int, host: str) -> str:
    """Who answered, as workers.WORKER_HEADER says it; empty where nobody did."""
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", LIVE_PATH, headers={"Host": host, "Connection": "close"})
        response = connection.getresponse()
        is_alive = response.status < http.client.INTERNAL_SERVER_ERROR
        return (response.getheader(WORKER_HEADER) or "") if is_alive else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def _notify(state: str) -> None:
    """sd_notify(3): one datagram to the socket systemd gave; a leading @ is an abstract one."""
    path = os.environ["NOTIFY_SOCKET"]
    if path.startswith("@"):
        path = "\0" + path[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state.encode(), path)
    except OSError as error:
        logger.warning("systemd cannot be told: %s", error)
