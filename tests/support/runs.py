"""Evaluation runs as the command stores them, of as many photos as a test needs."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from quality.models import EvaluatedPhoto, EvaluationRun, prompt_hash


def make_run(
    right: int, photos: int, *, prompt: str = "", cost: str = "0.001", **fields: Any
) -> EvaluationRun:
    """A finished run over pets, of which the first so many were right and the others taken for
    food, all with a confidence of 0.9."""
    defaults = {
        "key": "key",
        "set_name": "held-out",
        "set_hash": "f" * 64,
        "photo_count": photos,
        "provider": "aliyun",
        "model": "qwen3-vl-plus",
        "prompt_hash": prompt_hash(prompt),
        "prompt_text": prompt,
        "max_side": 1024,
        "finished_at": timezone.now(),
    }
    run = EvaluationRun.objects.create(**(defaults | fields))
    EvaluatedPhoto.objects.bulk_create(
        EvaluatedPhoto(
            run=run,
            image_hash=f"{number:064x}",
            file=f"pets/{number:04}.jpg",
            expected="pets",
            category="pets" if number < right else "foods",
            confidence=0.9,
            milliseconds=1000,
            cost=Decimal(cost),
        )
        for number in range(photos)
    )
    return run
