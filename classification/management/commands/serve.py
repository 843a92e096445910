"""Serve the site and the API with Granian, as the settings say."""

import os
import tempfile
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from granian import Granian
from granian.constants import Interfaces

from classification import configured

MAX_CONNECTIONS = 8192


class Command(BaseCommand):
    help = "Serve on APP_HOST:APP_PORT with WEB_WORKERS processes of WEB_THREADS threads."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Serving on http://{settings.APP_HOST}:{settings.APP_PORT}/")
        with tempfile.NamedTemporaryFile(prefix="model-slots-") as slots:
            os.environ[configured.SLOTS_FILE] = slots.name
            Granian(
                target="classifier_project.wsgi:application",
                address=settings.APP_HOST,
                port=settings.APP_PORT,
                interface=Interfaces.WSGI,
                workers=settings.WEB_WORKERS,
                blocking_threads=settings.WEB_THREADS,
                # Counts connections, idle ones too: a low limit would shut out apps that keep
                # theirs.
                backpressure=MAX_CONNECTIONS,
                backlog=MAX_CONNECTIONS,
                # A worker that was killed comes back; one that is stopped may finish its answers.
                respawn_failed_workers=True,
                workers_kill_timeout=settings.LLM_TIMEOUT + 10,
            ).serve()
