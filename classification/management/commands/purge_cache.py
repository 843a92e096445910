"""Remove cache entries, so that their photos are asked about again."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone
from tqdm import tqdm

from classification.categories import KEYS
from classification.management import arguments
from classification.models import CacheEntry
from classification.photos import HASH

BATCH_ROWS = 500
FILTERS = (
    "category",
    "model",
    "prompt_version",
    "older_than",
    "below_confidence",
    "hash",
)


class Command(BaseCommand):
    help = (
        "Remove cache entries. Filters narrow one another; --all means every entry. What a "
        "person corrected stays unless --corrected is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every entry")
        parser.add_argument("--category", choices=sorted(KEYS))
        parser.add_argument("--model", help="model_used, as the entries have it")
        parser.add_argument("--prompt-version", type=int)
        parser.add_argument("--older-than", type=arguments.days, help="made so long ago: 90d")
        parser.add_argument("--below-confidence", type=arguments.fraction, help="such as 0.5")
        parser.add_argument("--hash", help="one photo's SHA-256")
        parser.add_argument("--corrected", action="store_true", help="corrected entries too")
        parser.add_argument("--dry-run", action="store_true", help="count only")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        given = [name for name in FILTERS if options[name] is not None]
        if bool(given) == options["all"]:
            raise CommandError("Give --all, or at least one filter; not both.")
        entries = _selected(options)
        count = entries.count()
        if options["dry_run"]:
            self.stdout.write(f"{count} entries would be removed.")
            return
        if count and not options["yes"] and not _confirmed(count):
            raise CommandError("Nothing was removed.")
        self.stdout.write(f"{_remove(entries, count)} entries removed.")


def _selected(options: dict[str, Any]) -> QuerySet[CacheEntry]:
    entries = CacheEntry.objects.all()
    if options["hash"] is not None:
        if not HASH.fullmatch(options["hash"]):
            raise CommandError("--hash must be 64 hexadecimal digits.")
        entries = entries.filter(image_hash=options["hash"].lower())
    if options["category"] is not None:
        entries = entries.filter(category=options["category"])
    if options["model"] is not None:
        entries = entries.filter(model_used=options["model"])
    if options["prompt_version"] is not None:
        entries = entries.filter(prompt_version=options["prompt_version"])
    if options["older_than"] is not None:
        entries = entries.filter(created_at__lt=timezone.now() - options["older_than"])
    if options["below_confidence"] is not None:
        entries = entries.filter(confidence__lt=options["below_confidence"])
    return entries if options["corrected"] else entries.filter(corrected_at__isnull=True)


def _confirmed(count: int) -> bool:
    return input(f"Remove {count} entries? [y/N] ").strip().lower() in ("y", "yes")


def _remove(entries: QuerySet[CacheEntry], count: int) -> int:
    """Remove in small batches, so that no request waits for a long transaction."""
    removed = 0
    with tqdm(total=count, unit="entry", file=sys.stderr, disable=None) as bar:
        while batch := list(entries.order_by("pk").values_list("pk", flat=True)[:BATCH_ROWS]):
            removed += CacheEntry.objects.filter(pk__in=batch).delete()[0]
            bar.update(len(batch))
    return removed
