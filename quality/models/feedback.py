"""Votes, their sums, and the review queue."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from classification.models.entries import CATEGORY_CHOICES
from core.fields import ExactCharField


class Voter(models.TextChoices):
    """How a voter is identified: by a token, which cannot be forged; by a user id without a token,
    which can; or by address only."""

    TOKEN = "token", _("token")
    NAME = "name", _("name")
    ADDRESS = "address", _("address")


class Vote(models.Model):
    """A vote on a photo's category, and the answer that was voted on.

    `user_id` and `ip_address` are personal data: one of them is set, as it is stored. A user has
    one vote per photo, the last one; without a user id, an address has one per day. `is_counted`:
    it is included in DayAgreement, which covers models' answers but not corrections.
    """

    image_hash = models.CharField(_("photo hash"), max_length=64)
    app_id = models.PositiveIntegerField()
    voter = models.CharField(max_length=8, choices=Voter.choices)
    user_id = ExactCharField(_("user"), max_length=64, null=True)
    ip_address = models.CharField(_("address"), max_length=45, null=True)
    category = models.CharField(_("category"), max_length=50, choices=CATEGORY_CHOICES)
    day = models.DateField(_("day"))
    voted_at = models.DateTimeField(_("time"), db_index=True)

    answer = models.CharField(max_length=50, choices=CATEGORY_CHOICES)
    confidence = models.DecimalField(_("confidence"), max_digits=5, decimal_places=4)
    model = models.CharField(_("model"), max_length=50)
    prompt_version = models.PositiveIntegerField(_("prompt version"), null=True)
    is_counted = models.BooleanField()

    class Meta:
        db_table = "quality_vote"
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [
            # Nulls are never equal, so each constraint applies to the rows the other does not.
            models.UniqueConstraint(
                fields=["image_hash", "app_id", "voter", "user_id"], name="quality_vote_user"
            ),
            models.UniqueConstraint(
                fields=["image_hash", "app_id", "ip_address", "day"], name="quality_vote_address"
            ),
        ]
        indexes = [
            models.Index(fields=["image_hash", "voter", "category"], name="quality_vote_tally"),
            models.Index(fields=["user_id"], name="quality_vote_user_id"),
        ]

    def __str__(self) -> str:
        return f"{self.image_hash[:12]}… {self.category}"


class DayAgreement(models.Model):
    """How many voters of a day agreed with a model's answers. Kept longer than votes, as it is not
    personal data."""

    day = models.DateField()
    model = models.CharField(max_length=50)
    prompt_version = models.PositiveIntegerField()  # 0 where there was no prompt
    category = models.CharField(max_length=50)  # that the model gave
    voter = models.CharField(max_length=8, choices=Voter.choices)
    votes = models.IntegerField()
    agreeing = models.IntegerField()

    class Meta:
        db_table = "quality_day_agreement"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "model", "prompt_version", "category", "voter"],
                name="quality_day_agreement_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.model} {self.category}"


class Review(models.Model):
    """The review of a photo with votes: derived from the votes and the entry, and updated with each
    vote.

    `tally` counts votes by voter and category; `answer` is the category they are compared with;
    `priority` is 0 if there is nothing to decide.
    """

    class State(models.TextChoices):
        OPEN = "open"
        BY_USERS = "by_users"  # corrected by users, and no staff have looked yet
        SETTLED = "settled"

    image_hash = models.CharField(max_length=64, unique=True)
    answer = models.CharField(max_length=50)
    tally = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices)
    priority = models.FloatField()

    class Meta:
        db_table = "quality_review"
        indexes = [models.Index(fields=["state", "-priority"], name="quality_review_queue")]

    def __str__(self) -> str:
        return f"{self.image_hash[:12]}… {self.state}"
