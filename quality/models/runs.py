"""Evaluation runs on labelled photos, which are stored by name and hash only."""

from __future__ import annotations

import hashlib

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.choices import OK


def prompt_hash(text: str) -> str:
    """The SHA-256 of a prompt's text, which identifies it in runs."""
    return hashlib.sha256(text.encode()).hexdigest()


class EvaluationRun(models.Model):
    """A run with all its parameters.

    `key` is a digest of them, by which an interrupted run is resumed. `snapshot` is the model's
    name in its replies. The prompt is empty for the on-device model.
    """

    key = models.CharField(max_length=64, db_index=True)
    set_name = models.CharField(_("set"), max_length=255)
    set_hash = models.CharField(_("hash of the set"), max_length=64)
    photo_count = models.PositiveIntegerField(_("photos"))
    provider = models.CharField(_("provider"), max_length=20)
    model = models.CharField(_("model"), max_length=100)
    snapshot = models.CharField(_("snapshot"), max_length=255, default="", blank=True)
    prompt_version = models.PositiveIntegerField(_("prompt version"), null=True)
    prompt_hash = models.CharField(_("hash of the prompt"), max_length=64)
    prompt_text = models.TextField(_("prompt"), blank=True)
    max_side = models.PositiveIntegerField(_("longest side (px)"))
    started_at = models.DateTimeField(_("begun"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        db_table = "quality_evaluation_run"
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        indexes = [models.Index(fields=["prompt_hash", "model"], name="quality_run_subject")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.model}"

    def request_id(self, image_hash: str) -> str:
        """The request id of this run's call about a photo: deterministic, so that calls from before
        a kill are found."""
        return f"{self.request_prefix}{image_hash[:32]}"

    @property
    def request_prefix(self) -> str:
        return f"eval_{self.pk}_"


class EvaluatedPhoto(models.Model):
    """The result for one photo of a run; `expected` is its true category.

    `outcome` is "ok" or an error code; `category` is empty on errors.
    """

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="results")
    image_hash = models.CharField(max_length=64)
    file = models.CharField(max_length=255)
    expected = models.CharField(max_length=50)
    category = models.CharField(max_length=50, default="")
    confidence = models.FloatField(null=True)
    outcome = models.CharField(max_length=40, default=OK)
    snapshot = models.CharField(max_length=100, default="")
    milliseconds = models.FloatField(default=0)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=12, decimal_places=6, default=0)

    class Meta:
        db_table = "quality_evaluated_photo"
        constraints = [
            models.UniqueConstraint(fields=["run", "image_hash"], name="quality_photo_unique")
        ]

    def __str__(self) -> str:
        return self.file

    @property
    def is_right(self) -> bool:
        return self.category == self.expected


class AcceptedModel(models.Model):
    """Staff's acceptance of a live model despite the gate's `reason`; `run` is its last run, if
    any: a later run needs a new acceptance."""

    provider = models.CharField(_("provider"), max_length=20)
    model = models.CharField(_("model"), max_length=100)
    reason = models.CharField(_("reason"), max_length=20)
    run = models.ForeignKey(EvaluationRun, null=True, on_delete=models.CASCADE, related_name="+")
    accepted_at = models.DateTimeField(_("accepted"), default=timezone.now)

    class Meta:
        db_table = "quality_accepted_model"
        verbose_name = _("accepted model")
        verbose_name_plural = _("accepted models")

    def __str__(self) -> str:
        return self.model
