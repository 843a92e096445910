"""Agreement rates of voters with the model."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Sum
from django.utils import timezone

from quality.models import DayAgreement, Voter

RECENT, BEFORE = 7, 28  # days
# The fewest votes for a meaningful rate.
MIN_VOTES = 100

Key = tuple[Any, ...]


@dataclass(slots=True)
class Agreement:
    """A number of votes, and how many of them agree."""

    votes: int = 0
    agreeing: int = 0

    def add(self, other: "Agreement") -> None:
        self.votes += other.votes
        self.agreeing += other.agreeing

    @property
    def rate(self) -> float | None:
        """0 to 1; None without votes."""
        return self.agreeing / self.votes if self.votes else None


@dataclass(frozen=True, slots=True)
class Row:
    """The agreement of one group by kind of voter. Tokens, names and addresses are counted
    separately, since the latter two can be forged."""

    key: Key
    by_voter: dict[str, Agreement] = field(
        default_factory=lambda: {voter.value: Agreement() for voter in Voter}
    )

    @property
    def votes(self) -> int:
        return sum(found.votes for found in self.by_voter.values())

    def agreement(self, is_signed: bool) -> Agreement:
        """The agreement of users with tokens, or of all others."""
        added_up = Agreement()
        for voter, found in self.by_voter.items():
            if (voter == Voter.TOKEN) == is_signed:
                added_up.add(found)
        return added_up


def last_days(days: int) -> tuple[date, date]:
    """The first and the last of the last `days` days, including today."""
    today = timezone.localdate()
    return today - timedelta(days=days - 1), today


def rates(first: date, last: date, *keys: str) -> list[Row]:
    """The agreement from `first` to `last` by columns of DayAgreement, most votes first."""
    sums = (
        DayAgreement.objects.filter(day__range=(first, last))
        .values_list(*keys, "voter")
        .annotate(all_votes=Sum("votes"), all_agreeing=Sum("agreeing"))
        .order_by()
    )
    rows: dict[Key, Row] = {}
    for *key, voter, votes, agreeing in sums:
        row = rows.setdefault(tuple(key), Row(tuple(key)))
        row.by_voter[voter].add(Agreement(votes, agreeing))
    return sorted((row for row in rows.values() if row.votes), key=lambda row: -row.votes)


def total(rows: Iterable[Row]) -> Row:
    """The total of all rows."""
    whole = Row(())
    for row in rows:
        for voter, found in row.by_voter.items():
            whole.by_voter[voter].add(found)
    return whole


class Fall(NamedTuple):
    """A drop in agreement: the recent rate and the usual one, of users with tokens or of others."""

    is_signed: bool
    rate: float
    usual: float


def falls(by: float) -> list[Fall]:
    """The drops in agreement of at least `by` (0 to 1); ignores rates with few votes."""
    first, last = last_days(RECENT)
    before = total(rates(first - timedelta(days=BEFORE), first - timedelta(days=1), "day"))
    now = total(rates(first, last, "day"))
    found = []
    for is_signed in (True, False):
        recent, usual = now.agreement(is_signed), before.agreement(is_signed)
        if min(recent.votes, usual.votes) < MIN_VOTES:
            continue
        fall = Fall(is_signed, recent.agreeing / recent.votes, usual.agreeing / usual.votes)
        if fall.usual - fall.rate >= by:
            found.append(fall)
    return found
