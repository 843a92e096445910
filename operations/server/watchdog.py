"""The systemd watchdog: reports readiness and liveness, but only while every worker responds.

It sends requests to the liveness endpoint on the server's port, as clients do. If another server
shares the port, as during an update, responses of its workers do not count.
"""

import contextlib
import logging
import os
import socket
import threading
import time

from operations.server import liveness

logger = logging.getLogger(__name__)

ROUND_SECONDS = 15.0
PAUSE_SECONDS = 0.1


def start(*, address: str, port: int, host: str, workers: int) -> None:
    """Start reporting in a thread of this process, the parent of the workers, if systemd expects
    it.

    `host` is the Host header to send, and `workers` how many have to respond.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    # A fraction of systemd's limit (in microseconds), so that a few reports may fail.
    interval = int(os.environ.get("WATCHDOG_USEC", "60000000")) / 1_000_000 / 6

    def report() -> None:
        while True:
            if every_worker_answers(address, port, host, workers):
                _notify("READY=1\nWATCHDOG=1")
                time.sleep(interval)

    threading.Thread(target=report, name="watchdog", daemon=True).start()


def every_worker_answers(address: str, port: int, host: str, workers: int) -> bool:
    """Whether `workers` workers of this process respond within ROUND_SECONDS.

    The kernel distributes connections randomly, so requests are repeated until each has responded.
    """
    answered: set[int] = set()
    until = time.monotonic() + ROUND_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            worker = liveness.ask(address, port, host)
            if worker and worker.server_pid == os.getpid():
                answered.add(worker.worker_pid)
        if len(answered) >= workers:
            return True
        time.sleep(PAUSE_SECONDS)
    return False


def _notify(state: str) -> None:
    """sd_notify(3): one datagram to systemd's socket; a leading @ means an abstract one."""
    path = os.environ["NOTIFY_SOCKET"]
    if path.startswith("@"):
        path = "\0" + path[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state.encode(), path)
    except OSError as error:
        logger.warning("systemd could not be notified: %s", error)
