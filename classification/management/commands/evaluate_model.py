"""Measure the on-device model on photos whose category is known."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classification import configured, photos
from classification.categories import BY_KEY
from classification.errors import Refusal
from classification.evaluation import Judged, report, table
from classification.providers.base import ProviderError


class Command(BaseCommand):
    help = (
        "Measure the on-device model: accuracy, precision and recall of each category, confusion,"
        " calibration, and time a photo. Nothing is cached, logged or paid."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="one sub-folder per category")
        parser.add_argument("--json", action="store_true", help="figures and misses as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        judged = [
            _judge(path, category)
            for category in BY_KEY
            for path in sorted((folder / category).glob("*"))
            if path.is_file()
        ]
        if not judged:
            raise CommandError(f"{folder} has no photos in folders named {', '.join(BY_KEY)}.")
        figures = report(judged)
        self.stdout.write(
            json.dumps(figures, ensure_ascii=False, indent=2) if options["json"] else table(figures)
        )


def _judge(path: Path, category: str) -> Judged:
    started = time.perf_counter()
    try:
        photo = photos.prepare(
            path.read_bytes(),
            allowed_formats=settings.ALLOWED_IMAGE_FORMATS,
            max_side=settings.LLM_IMAGE_MAX_SIDE,
        )
        answer = configured.on_device().classify(photo, "")
    except (Refusal, ProviderError) as error:
        raise CommandError(f"{path}: {error}") from error
    milliseconds = (time.perf_counter() - started) * 1000
    found = answer.classification
    return Judged(str(path), category, found.category, found.confidence, milliseconds)
