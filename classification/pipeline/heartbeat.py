"""The heartbeat by which other processes see that the holder of a lease is alive."""

import threading

from django.db.models import F

from classification.models import Lease
from core.background import BackgroundLoop

HEARTBEAT_SECONDS = 1.0


class Heartbeat:
    """Renews the leases that this process holds."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._lock = threading.Lock()
        self._loop = BackgroundLoop("heartbeat", self._renew, HEARTBEAT_SECONDS)

    def register(self, token: str) -> None:
        """Start renewing this lease every HEARTBEAT_SECONDS."""
        with self._lock:
            self._tokens.add(token)
            self._loop.start()

    def unregister(self, token: str) -> None:
        with self._lock:
            self._tokens.discard(token)

    def _renew(self) -> None:
        with self._lock:
            tokens = list(self._tokens)
        if tokens:
            Lease.objects.filter(token__in=tokens).update(renewals=F("renewals") + 1)


heartbeat = Heartbeat()
