"""Graceful shutdown of a server's workers, and the header that identifies them.

If a worker closes a keep-alive connection just when a proxy sends a request on it, the request is
lost; and a POST cannot be repeated, since it may have reached a paid model. So a stopping worker
first drains its connections: each response says `Connection: close`, and the proxy closes idle ones
itself after KEPT_SECONDS. Only then does the worker stop.
"""

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from operations.server import liveness

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

# `keepalive_timeout` of the upstream in deploy/nginx/photo-classifier.conf.
KEPT_SECONDS = 5.0
DRAIN_SECONDS = KEPT_SECONDS + 1
ORPHAN_SECONDS = 1.0
# Ctrl-C in a terminal reaches the workers too, and Granian hangs when it is told to stop twice.
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}

_draining = threading.Event()


def with_connection_headers(application: "WSGIApplication") -> "WSGIApplication":
    """Wrap `application` to add the headers that proxies and the watchdog need."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            # Checked here rather than at the start of the request, which may have waited for a
            # model.
            if _draining.is_set():
                headers = [*headers, ("Connection", "close")]
            if environ["PATH_INFO"] == liveness.LIVE_PATH:
                headers = [*headers, (liveness.WORKER_HEADER, liveness.header_value())]
            return start_response(status, headers, *rest)

        return application(environ, start)

    return wrapped


def stop_with_the_server(*, drain: bool) -> None:
    """Stop this worker at its server's SIGTERM, or when the server has died; with `drain`, only
    after proxies have closed their connections.

    The server starts workers with STOP_SIGNALS blocked, so that none is lost while they load. One
    thread waits for SIGTERM; SIGINT, which a terminal sends to the whole process group, is left to
    the server.
    """
    if signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, []):
        return  # not started by our server
    # Granian installs its own handler once the application is loaded.
    inherited = signal.getsignal(signal.SIGTERM)

    def wait() -> None:
        server = os.getppid()
        while not signal.sigtimedwait({signal.SIGTERM}, ORPHAN_SECONDS):
            if os.getppid() != server:
                break
        # Still pending after Ctrl-C in a terminal: then there is no draining.
        if drain and signal.SIGINT not in signal.sigpending():
            logger.info("Letting proxies close their connections, %d s.", DRAIN_SECONDS)
            _draining.set()
            time.sleep(DRAIN_SECONDS)
        while (stop := signal.getsignal(signal.SIGTERM)) is inherited:
            time.sleep(0.05)
        stop(signal.SIGTERM, None)  # type: ignore[operator, misc]

    threading.Thread(target=wait, name="stop", daemon=True).start()
