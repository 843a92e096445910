"""Serve the site and the API with Granian."""

import multiprocessing
import os
import tempfile
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from granian.constants import HTTPModes, Interfaces

from classification.providers import registry
from operations.server import listening, watchdog, workers
from operations.server.listening import CannotListen
from operations.server.server import Server

MAX_CONNECTIONS = 8192
# A worker takes 140 MB plus photos in progress; one that keeps more than this is replaced.
MAX_WORKER_MEGABYTES = 1024
MEMORY_SAMPLES = 4  # of 30 seconds each


class Command(BaseCommand):
    help = (
        "Serve on APP_HOST:APP_PORT with WEB_WORKERS processes of WEB_THREADS threads. Several "
        "servers may share the port, so that a new one takes over from an old one: start it, "
        "then stop the old one with SIGTERM."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # A wildcard stands for any matching name.
        host = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
        try:
            listening.check(settings.APP_HOST, settings.APP_PORT, host)
        except CannotListen as error:
            raise CommandError(str(error)) from None
        shown = f"[{settings.APP_HOST}]" if ":" in settings.APP_HOST else settings.APP_HOST
        # The default from Python 3.14 on: workers would share nothing that is loaded here, and
        # its own processes end after the server.
        if multiprocessing.get_start_method() == "forkserver":
            multiprocessing.set_start_method("fork", force=True)
        if multiprocessing.get_start_method() == "fork":
            registry.load()
        self.stdout.write(f"Serving on http://{shown}:{settings.APP_PORT}/")
        watchdog.start(
            address=settings.APP_HOST,
            port=settings.APP_PORT,
            host=host,
            workers=settings.WEB_WORKERS,
        )
        with (
            tempfile.NamedTemporaryFile(prefix="model-slots-") as slots,
            # The workers share files with their metrics, new for each server.
            tempfile.TemporaryDirectory(prefix="metrics-") as metrics,
        ):
            os.environ[registry.SLOTS_FILE] = slots.name
            if settings.METRICS_TOKEN:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
            _server().serve()


def _server() -> Server:
    return Server(
        target="classifier_project.wsgi:application",
        address=settings.APP_HOST,
        port=settings.APP_PORT,
        interface=Interfaces.WSGI,
        websockets=False,  # else it logs that WSGI has none
        # No protocol detection: proxies and apps speak HTTP/1.1.
        http=HTTPModes.http1,
        workers=settings.WEB_WORKERS,
        # Granian logs in our format, to the same place.
        log_dictconfig=settings.LOGGING,
        blocking_threads=settings.WEB_THREADS,
        # Counts idle connections too: a low limit would lock out apps that keep theirs open.
        backpressure=MAX_CONNECTIONS,
        backlog=MAX_CONNECTIONS,
        # A killed worker is restarted; a stopped one may finish its requests.
        respawn_failed_workers=True,
        workers_kill_timeout=settings.LLM_TIMEOUT + 10 + int(workers.DRAIN_SECONDS),
        workers_max_rss=MAX_WORKER_MEGABYTES,
        rss_samples=MEMORY_SAMPLES,
    )
