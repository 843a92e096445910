"""What alerts remember between one check and the next."""

from django.db import models


class AlertState(models.Model):
    """A condition that holds, or has held a moment ago, as one receiver knows it.

    `told_at` is when the receiver was last told that it holds; None while that has not
    succeeded. A row goes when the receiver was told that it is over.
    """

    condition = models.CharField(max_length=40)
    receiver = models.CharField(max_length=40)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert_state"
        constraints = [
            models.UniqueConstraint(fields=["condition", "receiver"], name="alert_state_unique")
        ]

    def __str__(self) -> str:
        return f"{self.condition} {self.receiver}"


class AlertLease(models.Model):
    """Which check is under way, as the timers of several hosts go off at once; its only row."""

    busy_until = models.DateTimeField()

    class Meta:
        db_table = "alert_lease"

    def __str__(self) -> str:
        return str(self.busy_until)
