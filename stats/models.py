"""The tables that figures are read from: the request log and the ledger, added up.

A row of the log is counted either here or as a pending row, one that came after `RollUp.upto`.
So every figure is exact at any moment, however far the rolling up has come:

    aggregations.py  how rows add up, as one SELECT for each table below
    rollup/          adds the rows up to an id to these tables, each row once
    snapshot.py      these tables and the pending rows, as of one moment
    figures.py       adds the two together, ranges.py for any range of minutes

Days and minutes are those of the wall clock, as `created_date` is. Users are told apart byte
for byte on every database, as Python does it.
"""

from django.db import models

from core.fields import ExactCharField


def _yuan() -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(max_digits=16, decimal_places=6, default=0, db_default=0)


class RollUp(models.Model):
    """How far one table has been added up: every row with an id up to `upto`, and no other.

    The ids up to `ceiling` had been given out by `ceiling_time` (seconds since 1970, which no
    summer time turns back); a while later their rows are there, but for those that come late.
    """

    table = models.CharField(max_length=32, primary_key=True)
    upto = models.PositiveBigIntegerField(default=0)
    ceiling = models.PositiveBigIntegerField(default=0)
    ceiling_time = models.FloatField(default=0)

    class Meta:
        db_table = "stats_roll_up"

    def __str__(self) -> str:
        return f"{self.table} up to {self.upto}"


class RollUpChunk(models.Model):
    """The ids that were counted of those from `first_id` to `last_id`: their number, their sum,
    and they themselves, packed. It is looked at again at `check_time` (seconds since 1970)."""

    table = models.CharField(max_length=32)
    first_id = models.PositiveBigIntegerField()
    last_id = models.PositiveBigIntegerField()
    rows = models.PositiveIntegerField()
    id_sum = models.PositiveBigIntegerField()
    ids = models.BinaryField()
    rolled_time = models.FloatField()
    check_time = models.FloatField()

    class Meta:
        db_table = "stats_roll_up_chunk"
        indexes = [models.Index(fields=["table", "check_time"], name="stats_chunk_due")]

    def __str__(self) -> str:
        return f"{self.table} {self.first_id}-{self.last_id}"


class RequestSums(models.Model):
    """Counts and sums of requests; times of `timed_requests` in milliseconds, money in yuan."""

    requests = models.PositiveIntegerField(default=0, db_default=0)
    hits = models.PositiveIntegerField(default=0, db_default=0)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    timed_requests = models.PositiveIntegerField(default=0, db_default=0)
    total_time_ms = models.PositiveBigIntegerField(default=0, db_default=0)
    cost = _yuan()
    saved = _yuan()

    class Meta:
        abstract = True


class Minute(RequestSums):
    """A minute of the wall clock, as "HH:MM"; the hour that comes twice in autumn is one.

    Kept as long as the log is, as every table by the minute."""

    pk = models.CompositePrimaryKey("day", "minute")
    day = models.DateField()
    minute = models.CharField(max_length=5)

    class Meta:
        db_table = "stats_minute"

    def __str__(self) -> str:
        return f"{self.day} {self.minute}"


class Day(RequestSums):
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


class MinuteCategory(models.Model):
    """How many answers of a minute named a category."""

    pk = models.CompositePrimaryKey("day", "minute", "category")
    day = models.DateField()
    minute = models.CharField(max_length=5)
    category = models.CharField(max_length=50)
    answers = models.PositiveIntegerField(default=0)
    total_confidence = models.DecimalField(max_digits=16, decimal_places=4, default=0)

    class Meta:
        db_table = "stats_minute_category"

    def __str__(self) -> str:
        return f"{self.day} {self.minute} {self.category}"


class MinuteError(models.Model):
    """How many requests of a minute failed with a code."""

    pk = models.CompositePrimaryKey("day", "minute", "error_code")
    day = models.DateField()
    minute = models.CharField(max_length=5)
    error_code = models.CharField(max_length=40)
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "stats_minute_error"

    def __str__(self) -> str:
        return f"{self.day} {self.minute} {self.error_code}"


class DayUser(models.Model):
    """What a user asked on a day."""

    pk = models.CompositePrimaryKey("day", "user_id")
    day = models.DateField()
    user_id = ExactCharField(max_length=64)
    requests = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    new_photos = models.PositiveIntegerField(default=0, db_default=0)
    cost = _yuan()
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
    """What an address asked for on a day; kept only as long as the log is."""

    pk = models.CompositePrimaryKey("day", "ip_address")
    day = models.DateField()
    ip_address = models.CharField(max_length=45)
    new_photos = models.PositiveIntegerField(default=0, db_default=0)
    cost = _yuan()
    # The release before this one still writes it; the next one drops it.
    first_request = models.DateTimeField(null=True)

    class Meta:
        db_table = "stats_day_address"

    def __str__(self) -> str:
        return f"{self.day}"


class DayApp(RequestSums):
    """What an app with keys asked on a day; the rest is `anonymous`'s."""

    # The release before this one uses `cost`, which DayAppLedger has; the next one drops it.
    pk = models.CompositePrimaryKey("day", "app_id")
    day = models.DateField()
    app_id = models.BigIntegerField()

    class Meta:
        db_table = "stats_day_app"

    def __str__(self) -> str:
        return f"{self.day} {self.app_id}"


class DayAppError(models.Model):
    """How many requests of an app with keys failed with a code on a day."""

    pk = models.CompositePrimaryKey("day", "app_id", "error_code")
    day = models.DateField()
    app_id = models.BigIntegerField()
    error_code = models.CharField(max_length=40)
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "stats_day_app_error"

    def __str__(self) -> str:
        return f"{self.day} {self.app_id} {self.error_code}"


class DayAppUser(models.Model):
    """What a user of an app with keys asked on a day."""

    pk = models.CompositePrimaryKey("app_id", "day", "user_id")
    app_id = models.BigIntegerField()
    day = models.DateField()
    user_id = ExactCharField(max_length=64)
    requests = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "stats_day_app_user"

    def __str__(self) -> str:
        return f"{self.day} {self.app_id} {self.user_id}"


class LedgerSums(models.Model):
    """Counts and sums of calls, with their costs in yuan. A call that timed out after it was sent
    is possibly billed, and counted separately."""

    day = models.DateField()
    model = models.CharField(max_length=50)
    calls = models.PositiveIntegerField(default=0, db_default=0)
    billed_calls = models.PositiveIntegerField(default=0, db_default=0)
    perhaps_billed_calls = models.PositiveIntegerField(default=0, db_default=0)
    input_tokens = models.PositiveBigIntegerField(default=0, db_default=0)
    output_tokens = models.PositiveBigIntegerField(default=0, db_default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0, db_default=0)
    billed_cost = _yuan()
    # The part of it that is an estimate, as tokens or price were unknown.
    estimated_billed_cost = _yuan()
    perhaps_billed_cost = _yuan()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} {self.model}"


class DayLedger(LedgerSums):
    """The calls to one model on a day."""

    pk = models.CompositePrimaryKey("day", "model")

    class Meta:
        db_table = "stats_day_ledger"


class DayAppLedger(LedgerSums):
    """The calls to one model on a day for an app with keys, or for staff's trials; the rest of the
    day is `anonymous`'s."""

    pk = models.CompositePrimaryKey("day", "app_id", "model")
    app_id = models.BigIntegerField()

    class Meta:
        db_table = "stats_day_app_ledger"


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
