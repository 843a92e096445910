"""The HTTP session for providers: no retries, no redirects, and calls that can be aborted.

The SDK would resend after any lost connection, which may be billed twice, and its timeouts are per
read, so that a server that drips bytes would hold a worker forever.
"""

import contextlib
import errno
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from core.sharing import cpu_gate

KEEP_ALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]
for _name, _value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 3)):
    if hasattr(socket, _name):  # not on every system
        KEEP_ALIVE.append((socket.IPPROTO_TCP, getattr(socket, _name), _value))

# Shorter than any provider keeps idle connections: with a request sent on a connection that is just
# being closed, nobody knows whether it was read.
IDLE_SECONDS = 10.0


class ConnectionLost(Exception):
    """The connection failed, or ended before the whole response was read.

    Not a requests.ConnectionError, after which the SDK would resend the request.
    """


def root_cause(error: BaseException) -> str:
    """The name of the first failure behind an exception, such as "ConnectionRefusedError
    ECONNREFUSED", "gaierror" (the name was not resolved) or "SSLCertVerificationError
    CERTIFICATE_VERIFY_FAILED". Leaves out messages, which may contain a URL with a password."""
    while behind := error.__cause__ or error.__context__:
        error = behind
    detail: str | None = ""
    if isinstance(error, ssl.SSLError):
        detail = error.reason
    elif isinstance(error, OSError):
        detail = errno.errorcode.get(error.errno or 0)
    return f"{type(error).__name__} {detail or ''}".strip()


class Exchange:
    """One call's access to its socket, so that another thread can abort it.

    `sent` tells whether the whole request may have reached the provider. `response` is the raw
    response with its body, if there was one.
    """

    def __init__(self) -> None:
        self.sent = False
        self.response: requests.Response | None = None
        self._socket: socket.socket | None = None
        self._aborted = False
        self._lock = threading.Lock()

    def begin(self, sock: Any) -> None:
        """Register the socket before anything is written to it."""
        with self._lock:
            if self._aborted:
                raise ConnectionLost("The call was over before it was sent.")
            self._socket, self.sent = sock, True

    def end(self) -> bool:
        """Release the socket before another call gets it; return whether it is still usable."""
        with self._lock:
            self._socket = None
            return not self._aborted

    def abort(self) -> None:
        """Abort the call from another thread: its read returns at once."""
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                # Not SSLSocket's own method, which would discard the TLS state under the reader.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Current(threading.local):
    """This thread's exchange, and its hold on the CPU gate until the request is sent."""

    exchange: Exchange
    cpu: contextlib.ExitStack


_current = _Current()


class _Held:
    """A connection that registers its socket with the exchange of the thread that uses it."""

    sock: Any
    idle_since: float | None = None

    def request(self, *args: Any, **kwargs: Any) -> Any:
        if self.idle_since and time.monotonic() - self.idle_since > IDLE_SECONDS:
            self.close()  # type: ignore[attr-defined]
        self.idle_since = None
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        _current.exchange.begin(self.sock)
        try:
            return super().request(*args, **kwargs)  # type: ignore[misc]
        except OSError:
            # An incomplete request cannot be processed, nor billed.
            _current.exchange.sent = False
            raise


class _HeldHTTP(_Held, HTTPConnection):
    pass


class _HeldHTTPS(_Held, HTTPSConnection):
    pass


class _Pool:
    """Takes connections back only after their exchange has released them."""

    def _put_conn(self, connection: Any) -> None:
        if connection is not None:
            connection.idle_since = time.monotonic()
            if not _current.exchange.end():
                connection.close()
        super()._put_conn(connection)  # type: ignore[misc]


class _HTTPPool(_Pool, HTTPConnectionPool):
    ConnectionCls = _HeldHTTP


class _HTTPSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _HeldHTTPS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=KEEP_ALIVE, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class Session(requests.Session):
    """A session for up to `connections` concurrent calls; enter `exchange` around each call."""

    def __init__(self, connections: int) -> None:
        super().__init__()
        # No .netrc entry or proxy variable may divert the key or the photo.
        self.trust_env = False
        adapter = _Adapter(pool_connections=1, pool_maxsize=connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    @contextlib.contextmanager
    def exchange(self, exchange: Exchange) -> Iterator[None]:
        """Bind this thread's request within the block to `exchange`; at most one. Holds the CPU
        gate until it is sent, since encoding a photo takes a while."""
        _current.exchange = exchange
        try:
            with contextlib.ExitStack() as _current.cpu:
                _current.cpu.enter_context(cpu_gate.hold())
                yield
        finally:
            exchange.end()
            del _current.exchange, _current.cpu

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs["allow_redirects"] = False
        # Uploading a photo and waiting for the model take seconds without CPU. The call does not
        # wait for the gate again, which could exceed its deadline.
        _current.cpu.close()
        try:
            response = super().send(request, **kwargs)
        except requests.Timeout:
            raise
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise ConnectionLost(root_cause(error)) from error
        _current.exchange.response = response
        return response
