"""Sums of agreement between users and the model, by day."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db import connection

from quality.models import DayAgreement, Vote

COLUMNS = ("day", "model", "prompt_version", "category", "voter", "votes", "agreeing")
KEYS = COLUMNS[:5]


class Cell(NamedTuple):
    """An increment of one row of DayAgreement; its fields are the table's columns."""

    day: date
    model: str
    prompt_version: int
    category: str
    voter: str
    votes: int
    agreeing: int


def cell(vote: Vote, sign: int) -> Cell:
    """The increment of a vote, or with sign -1 its reversal; zero for a vote on a correction."""
    count = sign * vote.is_counted
    return Cell(
        vote.day,
        vote.model,
        vote.prompt_version or 0,
        vote.answer,
        vote.voter,
        votes=count,
        agreeing=count * (vote.category == vote.answer),
    )


def add(cells: Iterable[Cell]) -> None:
    """Add to the sums. In a fixed order, and with an upsert, to avoid deadlocks: INSERT IGNORE
    followed by UPDATE would lock twice."""
    quote = connection.ops.quote_name
    table = quote(DayAgreement._meta.db_table)
    columns = ", ".join(map(quote, COLUMNS))
    if connection.vendor == "sqlite":
        on_conflict = f"ON CONFLICT ({', '.join(map(quote, KEYS))}) DO UPDATE SET"
        added = "excluded.{}"
    else:
        on_conflict, added = "ON DUPLICATE KEY UPDATE", "VALUES({})"
    changes = ", ".join(
        f"{quote(name)} = {table}.{quote(name)} + {added.format(quote(name))}"
        for name in ("votes", "agreeing")
    )
    sql = (
        f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "  # noqa: S608
        f"{on_conflict} {changes}"
    )
    with connection.cursor() as cursor:
        for each in sorted(each for each in cells if each.votes):
            cursor.execute(sql, [connection.ops.adapt_datefield_value(each.day), *each[1:]])
