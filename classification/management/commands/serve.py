"""Serve the site and the API with Granian, as the settings say."""

import os
import shutil
import tempfile
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from classification import configured
from classifier_project import watchdog, workers

MAX_CONNECTIONS = 8192
# A worker has 140 MB of its own, and photos on their way; one that keeps more is replaced.
MAX_WORKER_MEGABYTES = 1024
MEMORY_SAMPLES = 4  # of 30 seconds each


class Command(BaseCommand):
    help = (
        "Serve on APP_HOST:APP_PORT with WEB_WORKERS processes of WEB_THREADS threads. Several "
        "servers may share the port, so that a new one takes over from an old one: start it, "
        "then stop the old one with SIGTERM."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.METRICS_TOKEN:
            # What the workers count is kept in files that they share, anew for each server.
            folder = settings.VAR_DIR / "metrics" / str(settings.APP_PORT)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        self.stdout.write(f"Serving on http://{settings.APP_HOST}:{settings.APP_PORT}/")
        watchdog.start(
            address=settings.APP_HOST,
            port=settings.APP_PORT,
            # A pattern stands for any name that fits it.
            host=settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost",
            workers=settings.WEB_WORKERS,
        )
        with tempfile.NamedTemporaryFile(prefix="model-slots-") as slots:
            os.environ[configured.SLOTS_FILE] = slots.name
            Granian(
                target="classifier_project.wsgi:application",
                address=settings.APP_HOST,
                port=settings.APP_PORT,
                interface=Interfaces.WSGI,
                # Told apart by the first bytes otherwise; a proxy and apps speak HTTP/1.1 here.
                http=HTTPModes.http1,
                workers=settings.WEB_WORKERS,
                # The server's own lines look like ours, and go where they go.
                log_dictconfig=settings.LOGGING,
                blocking_threads=settings.WEB_THREADS,
                # Counts connections, idle ones too: a low limit would shut out apps that keep
                # theirs.
                backpressure=MAX_CONNECTIONS,
                backlog=MAX_CONNECTIONS,
                # A worker that was killed comes back; one that is stopped may finish its answers.
                respawn_failed_workers=True,
                workers_kill_timeout=settings.LLM_TIMEOUT + 10 + int(workers.DRAIN_SECONDS),
                workers_max_rss=MAX_WORKER_MEGABYTES,
                rss_samples=MEMORY_SAMPLES,
            ).serve()
