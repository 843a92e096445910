"""The review queue, highest priority first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from classification.models import CacheEntry
from quality.feedback import reviews
from quality.models import Review, Voter

# Candidates read by stored priority, then sorted by current priority: hits change it between votes.
CANDIDATES = 200
# The most reviews read, including those that are outdated.
MAX_READ = 2000


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the queue: a review and its cache entry."""

    review: Review
    entry: CacheEntry

    @property
    def votes(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """The votes by kind of voter and category, most first."""
        tally = self.review.tally
        return [(voter, Counter(tally.get(voter, {})).most_common()) for voter in Voter]

    @property
    def proposals(self) -> list[str]:
        """The categories other than the answer that have votes; those of users with tokens
        first."""
        signed = Counter(self.review.tally.get(Voter.TOKEN, {}))
        unsigned = reviews.added_up(self.review.tally, Voter.NAME, Voter.ADDRESS)
        named = {*signed, *unsigned} - {self.entry.category}
        return sorted(named, key=lambda category: (-signed[category], -unsigned[category]))

    @property
    def priority(self) -> float:
        return reviews.priority(self.review, self.entry)


def open_items(limit: int) -> list[Item]:
    """Answers that users disagree with, by hits x disagreement x low confidence."""
    found = list(islice(_items(Review.State.OPEN), CANDIDATES))
    return sorted(found, key=lambda item: -item.priority)[:limit]


def corrected_by_users(limit: int) -> list[Item]:
    """Corrections by users that staff have not reviewed."""
    return list(islice(_items(Review.State.BY_USERS), limit))


def _items(state: str) -> Iterator[Item]:
    """The reviews in this state whose entries are still in it."""
    listed = Review.objects.filter(state=state).order_by("-priority")
    if state == Review.State.OPEN:
        listed = listed.filter(priority__gt=0)
    for start in range(0, MAX_READ, CANDIDATES):
        chunk = list(listed[start : start + CANDIDATES])
        entries = reviews.entries_of([review.image_hash for review in chunk])
        for review in chunk:
            entry = entries.get(review.image_hash)
            if entry and entry.category == review.answer and reviews.state_of(entry) == state:
                yield Item(review, entry)
        if len(chunk) < CANDIDATES:
            return
