"""Runs queued erasures in server processes, and resumes those of dead processes."""

import logging
import threading
from typing import Any

from django.db import connection
from django.dispatch import receiver

from classification.signals import process_observed
from privacy import erasure as erasures
from privacy.models import Erasure

logger = logging.getLogger(__name__)

_working = threading.Lock()


@receiver(process_observed)
def start_if_wanted(**_: Any) -> None:
    """Start a thread, unless one is running in this process or there is nothing to do."""
    if not Erasure.objects.filter(finished_at=None).exists():
        return
    if _working.acquire(blocking=False):
        threading.Thread(target=_work, name="erasures", daemon=True).start()


def run_all() -> None:
    """Run all erasures that no process is working on."""
    while wanted := Erasure.objects.claim():
        erasures.run(wanted)


def _work() -> None:
    try:
        run_all()
    except Exception as error:
        # The database's message may contain a user id.
        logger.error("Forgetting was interrupted, and goes on: %s", type(error).__name__)
    finally:
        connection.close()
        _working.release()
