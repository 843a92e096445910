"""The HTTP session that the SDK is handed: no resending, no redirects, and a hard end.

The SDK resends on any lost connection, which may be a second bill, and its time-outs are per
socket read, so that a server that drips bytes would hold a worker for ever.
"""

import contextlib
import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from classification import turns

KEEP_ALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]
for _name, _value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 3)):
    if hasattr(socket, _name):  # not on every system
        KEEP_ALIVE.append((socket.IPPROTO_TCP, getattr(socket, _name), _value))


class ConnectionLost(Exception):
    """The connection could not be made, or ended before a whole answer was read.

    Not a requests.ConnectionError, on which the SDK would send the request again.
    """


class Exchange:
    """One call's hold on its socket, so that another thread can end it.

    `sent` tells whether a request may have reached the provider. `was_reused` tells that the
    connection was an idle one, which the provider may have closed meanwhile.
    """

    def __init__(self) -> None:
        self.sent = False
        self.was_reused = False
        self._socket: socket.socket | None = None
        self._aborted = False
        self._lock = threading.Lock()

    def begin(self, sock: Any, *, reused: bool) -> None:
        """Take hold of the socket before anything is written to it."""
        with self._lock:
            if self._aborted:
                raise ConnectionLost("The call was over before it was sent.")
            self._socket, self.sent, self.was_reused = sock, True, reused

    def end(self) -> None:
        """Let go of the socket: it goes back to the pool, for another call."""
        with self._lock:
            self._socket = None

    def abort(self) -> None:
        """End the call from another thread: its read returns at once."""
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                # The plain method: SSLSocket's own would pull the TLS state away from the reader.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_current = threading.local()


class _Held:
    """A connection that shows its socket to the exchange of the thread that uses it."""

    sock: Any

    def request(self, *args: Any, **kwargs: Any) -> Any:
        reused = self.sock is not None
        if not reused:
            self.connect()  # type: ignore[attr-defined]
        _current.exchange.begin(self.sock, reused=reused)
        return super().request(*args, **kwargs)  # type: ignore[misc]


class _HeldHTTP(_Held, HTTPConnection):
    pass


class _HeldHTTPS(_Held, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HeldHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HeldHTTPS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=KEEP_ALIVE, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class Session(requests.Session):
    """A session for `connections` calls at once; set `exchange` for each call's thread."""

    def __init__(self, connections: int) -> None:
        super().__init__()
        # A .netrc entry or a proxy variable must not touch the key or the photo.
        self.trust_env = False
        adapter = _Adapter(pool_connections=1, pool_maxsize=connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    @contextlib.contextmanager
    def exchange(self, exchange: Exchange) -> Any:
        """Requests of this thread within the block are held by `exchange`."""
        _current.exchange = exchange
        try:
            yield
        finally:
            exchange.end()
            del _current.exchange

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs["allow_redirects"] = False
        try:
            with turns.give_way():  # a slow line takes seconds for a photo, the model for an answer
                return super().send(request, **kwargs)
        except requests.Timeout:
            raise
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise ConnectionLost(type(error).__name__) from error
