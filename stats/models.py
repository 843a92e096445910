"""The tables that statistics are read from: the request log and the ledger, rolled up.

Each row of the log is counted either in these tables or as a pending row, whose id is above
`RollUp.upto`. So all figures are exact at any moment, however far the roll-up has come:

    aggregations.py  how rows are aggregated, as one SELECT for each table below
    rollup/          adds the rows up to some id to these tables, each row once
    snapshot.py      these tables and the pending rows at one moment
    figures.py       combines the two; ranges.py does so for any range of minutes

Days and minutes are those of the wall clock, as in `created_date`. User ids are compared byte for
byte on every database, as in Python.
"""

from django.db import models

from core.fields import ExactCharField


def _yuan() -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(max_digits=16, decimal_places=6, default=0, db_default=0)


class RollUp(models.Model):
    """How far one table is rolled up: all rows with an id up to `upto`, and no others.

    All ids up to `ceiling` had been assigned by `ceiling_time` (seconds since 1970, unaffected by
    daylight saving). Some seconds later their rows are visible, except for late ones.
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
    """The ids from `first_id` to `last_id` that were counted: their number, their sum, and the ids
    themselves, compressed. At `check_time` (seconds since 1970), it is checked for late rows."""

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
    """Counts and sums of requests; `total_time_ms` is of the `timed_requests`, money in yuan."""

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
    """A minute of the wall clock, as "HH:MM"; the hour that is repeated in autumn counts as one.

    All tables by the minute are kept as long as the log."""

    pk = models.CompositePrimaryKey("day", "minute")
    day = models.DateField()
    minute = models.CharField(max_length=5)

    class Meta:
        db_table = "stats_minute"

    def __str__(self) -> str:
        return f"{self.day} {self.minute}"


class Day(RequestSums):
    """A day, also with figures that are not sums: users, addresses, and the 95th percentile."""

    day = models.DateField(primary_key=True)
    unique_users = models.PositiveIntegerField(default=0, db_default=0)
    unique_ips = models.PositiveIntegerField(default=0, db_default=0)
    p95_time_ms = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "stats_day"

    def __str__(self) -> str:
        return str(self.day)


class DayDuration(models.Model):
    """How many requests of a day took `time_ms` milliseconds."""

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
    """The requests of a user on a day."""

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
    """All requests of a user."""

    user_id = ExactCharField(max_length=64, primary_key=True)
    requests = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    first_request = models.DateTimeField()
    last_request = models.DateTimeField()

    class Meta:
        db_table = "stats_user"
        # The order of users/top, ties included; otherwise all users are sorted to show ten.
        indexes = [models.Index(fields=["-requests", "user_id"], name="stats_user_most_requests")]

    def __str__(self) -> str:
        return str(self.user_id)


class DayAddress(models.Model):
    """The new photos of an address on a day; kept only as long as the log."""

    pk = models.CompositePrimaryKey("day", "ip_address")
    day = models.DateField()
    ip_address = models.CharField(max_length=45)
    new_photos = models.PositiveIntegerField(default=0, db_default=0)
    cost = _yuan()
    # The previous release still writes it; the next one drops it.
    first_request = models.DateTimeField(null=True)

    class Meta:
        db_table = "stats_day_address"

    def __str__(self) -> str:
        return f"{self.day}"


class DayApp(RequestSums):
    """The requests of an app with keys on a day; the rest of the day is `anonymous`'s."""

    # The previous release uses `cost`, which is in DayAppLedger now; the next one drops it.
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
    """The requests of a user of an app with keys on a day."""

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
    # The part of it that is an estimate, since tokens or price were unknown.
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
    """The last count of a cache that is too large to be counted for each reader; a single row."""

    entries = models.PositiveBigIntegerField()
    hits = models.PositiveBigIntegerField()
    most_hits = models.PositiveIntegerField()
    corrected = models.PositiveIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "stats_cache_totals"

    def __str__(self) -> str:
        return str(self.counted_at)
