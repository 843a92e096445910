"""Tables by which processes coordinate: leases, process states, written batches, task runs."""

from django.db import models
from django.utils import timezone


class Lease(models.Model):
    """The lease on asking the model about one photo, across processes and hosts.

    Its holder increments `renewals` every second; others may take it over if that stops for some
    seconds. `ending` is "" while the lease is held, then "ok" or an error code; `answer` is one
    that is not cached, for processes that wait. `unreadable` counts unreadable answers to the
    prompt `prompt_version`.
    """

    image_hash = models.CharField(max_length=64, primary_key=True)
    token = models.CharField(max_length=32, unique=True)
    renewals = models.PositiveIntegerField(default=0)
    ending = models.CharField(max_length=40, default="", blank=True)
    answer = models.JSONField(null=True)
    unreadable = models.PositiveSmallIntegerField(default=0, db_default=0)
    prompt_version = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "flight"

    def __str__(self) -> str:
        return self.image_hash


class ServerProcess(models.Model):
    """The state of a server process, which it writes every few seconds.

    Circuit breaker, slots and buffer belong to each process; this table makes them visible to all.
    `pause_code` is "" unless model calls are paused; `pause_cause` is one of providers/causes.py.
    """

    token = models.CharField(max_length=32, primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    model_state = models.CharField(max_length=20)
    denied_models = models.CharField(max_length=255)
    calls_in_flight = models.PositiveIntegerField()
    pause_code = models.CharField(max_length=40, db_column="rest_code")
    pause_cause = models.CharField(max_length=20, db_column="rest_cause")
    paused_since = models.DateTimeField(null=True, db_column="rest_since")
    paused_until = models.DateTimeField(null=True, db_column="rest_until")
    rows_waiting = models.PositiveIntegerField()
    rows_dropped = models.PositiveIntegerField()
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "server_process"

    def __str__(self) -> str:
        return f"{self.host} {self.pid}"


class WrittenBatch(models.Model):
    """The id of rows that were written in one transaction, so that repeating the write fails: after
    a lost acknowledgement, nobody can know otherwise whether the commit succeeded."""

    id = models.CharField(max_length=32, primary_key=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "written_batch"

    def __str__(self) -> str:
        return self.id


class TaskRun(models.Model):
    """When a scheduled command last finished, on any host."""

    name = models.CharField(max_length=40, primary_key=True)
    host = models.CharField(max_length=255)
    ended_at = models.DateTimeField()

    class Meta:
        db_table = "task_run"

    def __str__(self) -> str:
        return self.name
