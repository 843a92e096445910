"""Classify photos from files, the same way as the API does."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from classification.errors import ServiceError
from classification.pipeline import classify
from classification.pipeline.request_log import ClientInfo
from classification.pipeline.write_behind import buffer
from clients.directory import ANONYMOUS_APP
from clients.quotas import Requester
from core.request_id import new_request_id

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".heif", ".avif"}


class Command(BaseCommand):
    help = "Classify files, or the photos in folders; known photos come from the cache."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="file or folder")
        parser.add_argument("--json", action="store_true", help="print one JSON object per line")

    def handle(self, *args: Any, **options: Any) -> None:
        files = list(_files(options["paths"]))
        failed = 0
        try:
            for path in tqdm(files, unit="photo", file=sys.stderr, disable=None):
                row = _classify(path)
                failed += row["error_code"] is not None
                self.stdout.write(
                    json.dumps(row, ensure_ascii=False) if options["json"] else _line(row)
                )
        finally:
            buffer.flush()
        if failed:
            raise CommandError(f"{failed} of {len(files)} photos got no answer.")


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        elif path.is_file():
            yield path
        else:
            raise CommandError(f"No such file: {path}.")


def _classify(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(
        ("category", "confidence", "description", "source", "error_code")
    )
    client = ClientInfo(new_request_id(), Requester(ANONYMOUS_APP, "command"))
    try:
        result = classify.classify_upload(upload=path.read_bytes(), given_hash=None, client=client)
    except ServiceError as error:
        row["error_code"] = error.code
    else:
        answer = result.answer()
        row["category"] = answer.category
        row["confidence"] = answer.confidence
        row["description"] = answer.description
        row["source"] = result.source
        row["degraded"] = result.is_degraded
    return {"file": str(path)} | row | {"processing_time_ms": client.elapsed_ms}


def _line(row: dict[str, Any]) -> str:
    answer = row["category"] or row["error_code"]
    confidence = "" if row["confidence"] is None else f"{row['confidence']:.2f}"
    columns = f"{answer:<18} {confidence:>4} {row['source'] or '-':<6}"
    return f"{columns} {row['processing_time_ms']:>6} ms  {row['file']}  {row['description'] or ''}"
