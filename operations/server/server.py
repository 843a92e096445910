"""Granian with two fixes: killed workers are always restarted, and no signal is lost."""

import os
import signal
from collections.abc import Iterable
from typing import Any

from granian import Granian

from operations.server.workers import STOP_SIGNALS


class Server(Granian):  # type: ignore[misc]
    """A server whose workers are started with STOP_SIGNALS blocked: see workers.py."""

    def _spawn_workers(self, *args: Any, **kwargs: Any) -> None:
        inherited = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            super()._spawn_workers(*args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, inherited)

    def _respawn_workers(self, workers: Iterable[int], *args: Any, **kwargs: Any) -> None:
        """Restart workers. Killed ones do not count towards Granian's crash loop detection, which
        stops the whole server: that is for workers that fail to start."""
        ended = {index: self.wrks[index].inner for index in workers}
        inherited = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            super()._respawn_workers(list(ended), *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, inherited)
        for index, process in ended.items():
            if process.exitcode is not None and process.exitcode < 0:
                self.respawned_wrks.pop(index, None)
            _forget_gauges(process.pid)


def _forget_gauges(pid: int | None) -> None:
    """Remove the gauges of a dead worker from /metrics, before its pid is reused."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        # Must not be imported before `serve` has set the directory.
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
