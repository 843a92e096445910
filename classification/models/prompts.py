"""The versions of the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.default_prompt import DEFAULT_PROMPT
from core.database.transactions import write_atomically

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class PromptVersionManager(models.Manager["PromptVersion"]):
    def current(self) -> PromptVersion:
        """The current version; the first one is created from the settings."""
        latest = self.order_by("-version").first()
        if latest:
            return latest
        text = settings.CLASSIFICATION_PROMPT or DEFAULT_PROMPT
        try:
            return write_atomically(self.create, version=1, text=text)
        except IntegrityError:  # another process was first
            return self.get(version=1)

    def publish(
        self,
        text: str,
        *,
        author: User,
        after: int,
        keep_older: bool,
        restored_from: int | None = None,
    ) -> PromptVersion:
        """Publish a text as the version after `after`.

        With `keep_older`, answers to older versions are still served. Raises IntegrityError if
        another version has been published since.
        """
        version = after + 1
        accepted_from = self.get(version=after).accepted_from if keep_older else version
        return write_atomically(
            self.create,
            version=version,
            text=text,
            author=author,
            restored_from=restored_from,
            accepted_from=accepted_from,
        )


class PromptVersion(models.Model):
    """A version of the prompt; the highest is the current one. Versions are immutable."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    text = models.TextField(_("text"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    restored_from = models.PositiveIntegerField(_("restored from version"), null=True)
    accepted_from = models.PositiveIntegerField(_("answers valid from version"), default=0)

    objects = PromptVersionManager()

    class Meta:
        db_table = "prompt_version"
        verbose_name = _("prompt version")
        verbose_name_plural = _("prompt versions")
        permissions = [("publish_promptversion", _("Publish a prompt"))]

    def __str__(self) -> str:
        return f"v{self.version}"
