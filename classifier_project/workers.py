"""What a server's worker does besides answering: it says who it is, and stops gently.

A proxy sends a request on a connection that it kept, and a worker that closes it at that moment
drops the request; a POST cannot be repeated, as it may have reached a paid model. So a worker
that shall stop first asks the proxy to close: each answer says `Connection: close`, and what
lies idle the proxy closes itself after KEPT_SECONDS. Only then does the worker stop, with no
idle connection left.
"""

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LIVE_PATH = "/api/v1/live"
# Who answered: the server's process and the worker's, since several servers may share a port.
WORKER_HEADER = "X-Worker"

# `keepalive_timeout` of the upstream in deploy/nginx/photo-classifier.conf.
KEPT_SECONDS = 5.0
DRAIN_SECONDS = KEPT_SECONDS + 1

_draining = threading.Event()


def with_manners(application: "WSGIApplication") -> "WSGIApplication":
    """The application with the headers that a proxy and a watchdog need."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            # Asked for here, not when the request came: it may have waited for a model since.
            if _draining.is_set():
                headers = [*headers, ("Connection", "close")]
            if environ["PATH_INFO"] == LIVE_PATH:
                headers = [*headers, (WORKER_HEADER, f"{os.getppid()}/{os.getpid()}")]
            return start_response(status, headers, *rest)

        return application(environ, start)

    return wrapped


def drain_on_sigterm() -> None:
    """Make SIGTERM stop this worker gently; to be called in its main thread, before any other
    thread is started: each inherits that it does not take the signal.

    The server stops at SIGINT or SIGTERM, at once for what is idle. Here a thread of our own
    takes SIGTERM, and sends SIGINT when nothing is idle any more.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_drain, name="drain", daemon=True).start()


def _drain() -> None:
    signal.sigwait({signal.SIGTERM})
    _draining.set()
    time.sleep(DRAIN_SECONDS)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
