"""Invalidates the directory when apps or keys change."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from clients.directory import directory
from clients.models import App, AppKey


@receiver([post_save, post_delete], sender=App)
@receiver([post_save, post_delete], sender=AppKey)
def changed(**_: Any) -> None:
    directory.invalidate()
    # Until the commit, other threads may have read the old row.
    transaction.on_commit(directory.invalidate)
