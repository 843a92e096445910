"""The state of alerts between evaluations."""

from django.db import models


class AlertState(models.Model):
    """A rule that fires, or fired recently, and what one channel has been sent about it.

    `notified_at` is when the channel last accepted a notification, None before. The row is deleted
    once the channel has been notified that the alert is resolved.
    """

    rule = models.CharField(max_length=40, db_column="condition")
    channel = models.CharField(max_length=40, db_column="receiver")
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True, db_column="told_at")

    class Meta:
        db_table = "alert_state"
        constraints = [
            models.UniqueConstraint(fields=["rule", "channel"], name="alert_state_unique")
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.channel}"


class AlertLease(models.Model):
    """Only used by the previous release, which may run in parallel during an update; the next
    release drops it."""

    busy_until = models.DateTimeField()

    class Meta:
        db_table = "alert_lease"

    def __str__(self) -> str:
        return str(self.busy_until)
