"""Single flight within a process: of concurrent uploads of a new photo, one does the work."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from classification.errors import ServiceError
from core.sharing import cpu_gate

Value = TypeVar("Value")


class SingleFlight(Generic[Value]):
    """Runs one call per key at a time; concurrent callers with the same key get its result."""

    def __init__(self) -> None:
        self._running: dict[str, Future[Value]] = {}
        self._lock = threading.Lock()

    def run(self, key: str, work: Callable[[], Value], *, timeout: float) -> tuple[Value, bool]:
        """What `work` returns or raises, and whether this caller ran it.

        Others wait at most `timeout` seconds; raises ServiceError(model_timeout) after that.
        """
        with self._lock:
            future = self._running.get(key)
            if is_leader := future is None:
                future = self._running[key] = Future()
        if not is_leader:
            try:
                with cpu_gate.released():
                    return future.result(timeout), False
            except FutureTimeout:
                raise ServiceError("model_timeout") from None
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                del self._running[key]
        return future.result(), True
