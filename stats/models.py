"""What the figures are read from: the request log and the ledger, added up.

A row of the log is counted either here or in the tail, the rows that came after `RollUp.upto`;
so every figure is exact at any moment, however far the adding up has come:

    tallies.py   how rows add up, as one SELECT for each table below
    roll_ups.py  adds the rows up to an id into these tables, each row once
    tail.py      adds the rest up at each reading, as of one moment
    queries.py   adds the two together

Days and minutes are those of the wall clock, as `created_date` is. Users are told apart byte
for byte on every database, as Python does it.
"""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactCharField(models.CharField):  # type: ignore[type-arg]
    """Text in which "a" is not "A", whatever the database's own collation says."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        collation = "utf8mb4_bin" if connection.vendor == "mysql" else None
        return super().db_parameters(connection) | {"collation": collation}


class RollUp(models.Model):
    """How far one table has been added up: every row with an id up to `upto`, and no other.

    The ids up to `ceiling` had been given out by `ceiling_time` (seconds since 1970, which no
    summer time turns back); a while later their rows are there, or never will be.
    """

    table = models.CharField(max_length=32, primary_key=True)
    upto = models.PositiveBigIntegerField(default=0)
    ceiling = models.PositiveBigIntegerField(default=0)
    ceiling_time = models.FloatField(default=0)

    class Meta:
        db_table = "stats_roll_up"

    def __str__(self) -> str:
        return f"{self.table} up to {self.upto}"


class Figures(models.Model):
    """Counts and sums of requests; times of `timed_requests` in milliseconds, money in yuan."""

    requests = models.PositiveIntegerField(default=0, db_default=0)
    hits = models.PositiveIntegerField(default=0, db_default=0)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    timed_requests = models.PositiveIntegerField(default=0, db_default=0)
    total_time_ms = models.PositiveBigIntegerField(default=0, db_default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=6, default=0, db_default=0)
    saved = models.DecimalField(max_digits=16, decimal_places=6, default=0, db_default=0)

    class Meta:
        abstract = True


class Minute(Figures):
    """A minute of the wall clock, as "HH:MM"; the hour that comes twice in autumn is one."""

    pk = models.CompositePrimaryKey("day", "minute")
    day = models.DateField()
    minute = models.CharField(max_length=5)

    class Meta:
        db_table = "stats_minute"

    def __str__(self) -> str:
        return f"{self.day} {self.minute}"


class Day(Figures):
    """A day, with what does not add up from its parts: who asked, and how long 95% waited."""

    day = models.DateField(primary_key=True)
    unique_users = models.PositiveIntegerField(default=0, db_default=0)
    unique_ips = models.PositiveIntegerField(default=0, db_default=0)
    p95_time_ms = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "stats_day"

    def __str__(self) -> str:
        return str(self.day)


class DayDuration(models.Model):
    """How many requests of a day took so many milliseconds."""

    pk = models.CompositePrimaryKey("day", "time_ms")
    day = models.DateField()
    time_ms = models.PositiveIntegerField()
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "stats_day_duration"

    def __str__(self) -> str:
        return f"{self.day} {self.time_ms} ms"


class DayCategory(models.Model):
    """How many answers of a day named a category."""

    pk = models.CompositePrimaryKey("day", "category")
    day = models.DateField()
    category = models.CharField(max_length=50)
    answers = models.PositiveIntegerField(default=0)
    total_confidence = models.DecimalField(max_digits=16, decimal_places=4, default=0)

    class Meta:
        db_table = "stats_day_category"

    def __str__(self) -> str:
        return f"{self.day} {self.category}"


class DayError(models.Model):
    """How many requests of a day failed with a code."""

    pk = models.CompositePrimaryKey("day", "error_code")
    day = models.DateField()
    error_code = models.CharField(max_length=40)
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "stats_day_error"

    def __str__(self) -> str:
        return f"{self.day} {self.error_code}"


class DayUser(models.Model):
    """What a user asked on a day."""

    pk = models.CompositePrimaryKey("day", "user_id")
    day = models.DateField()
    user_id = ExactCharField(max_length=64)
    requests = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    first_request = models.DateTimeField()
    last_request = models.DateTimeField()

    class Meta:
        db_table = "stats_day_user"

    def __str__(self) -> str:
        return f"{self.day} {self.user_id}"


class User(models.Model):
    """What a user asked since the log began."""

    user_id = ExactCharField(max_length=64, primary_key=True)
    requests = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    first_request = models.DateTimeField()
    last_request = models.DateTimeField()

    class Meta:
        db_table = "stats_user"
        # In the order of users/top, ties included; else all users would be sorted to show ten.
        indexes = [models.Index(fields=["-requests", "user_id"], name="stats_user_most_requests")]

    def __str__(self) -> str:
        return str(self.user_id)


class DayAddress(models.Model):
    """An address that asked on a day; kept only as long as the log is."""

    pk = models.CompositePrimaryKey("day", "ip_address")
    day = models.DateField()
    ip_address = models.CharField(max_length=45)
    # The release before this one still writes it; the next one drops it.
    first_request = models.DateTimeField(null=True)

    class Meta:
        db_table = "stats_day_address"

    def __str__(self) -> str:
        return f"{self.day}"


class DayLedger(models.Model):
    """The calls to one model on a day, with their costs in yuan. A call that timed out after it
    was sent is perhaps billed, and counted apart."""

    pk = models.CompositePrimaryKey("day", "model")
    day = models.DateField()
    model = models.CharField(max_length=50)
    calls = models.PositiveIntegerField(default=0)
    billed_calls = models.PositiveIntegerField(default=0)
    perhaps_billed_calls = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    billed_cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)
    perhaps_billed_cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)

    class Meta:
        db_table = "stats_day_ledger"

    def __str__(self) -> str:
        return f"{self.day} {self.model}"


class CacheTotals(models.Model):
    """The last count of a cache too large to be counted at each reading; its only row."""

    entries = models.PositiveBigIntegerField()
    hits = models.PositiveBigIntegerField()
    most_hits = models.PositiveIntegerField()
    corrected = models.PositiveIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "stats_cache_totals"

    def __str__(self) -> str:
        return str(self.counted_at)
