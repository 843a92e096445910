"""The two forms of the rule which entries clients get."""

from itertools import product

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from classification.models import CacheEntry, PromptVersion
from classification.pipeline import answer_cache
from classification.pipeline.served_entries import served_model_answers


@pytest.mark.django_db
@pytest.mark.parametrize("accepted_from", [0, 2])
def test_sql_counts_exactly_the_model_answers_that_clients_get(
    accepted_from: int, settings: Settings, admin_user: User
) -> None:
    settings.LLM_PROVIDER = "aliyun"
    PromptVersion.objects.create(version=3, text="…", accepted_from=accepted_from)
    cases = product(
        ("pets", "no such category"),
        ("aliyun", "local", "openai", ""),
        (None, 1, 2),
        (None, timezone.now()),
        (False, True),
    )
    for number, (category, provider, version, corrected_at, ask_again) in enumerate(cases):
        CacheEntry.objects.create(
            image_hash=f"{number:064x}",
            category=category,
            confidence="0.9",
            model_used="m",
            provider=provider,
            prompt_version=version,
            corrected_at=corrected_at,
            ask_again=ask_again,
        )
    entries = list(CacheEntry.objects.all())

    served = answer_cache.get_many(entry.image_hash for entry in entries)

    by_model = {
        entry.image_hash
        for entry in entries
        if entry.image_hash in served and entry.corrected_at is None and entry.provider != "local"
    }
    counted = served_model_answers(accepted_from).values_list("image_hash", flat=True)
    assert set(counted) == by_model
    assert 0 < len(by_model) < len(served) < len(entries)
