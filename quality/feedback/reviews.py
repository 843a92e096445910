"""Maintains the reviews: the state and priority of each photo with votes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Count

from classification.models import CacheEntry
from core.database.transactions import write_atomically
from quality.models import Review, Vote, Voter

Tally = dict[str, dict[str, int]]  # the votes by voter and category
Change = tuple[str, str, int]  # voter, category, increment
State = Review.State

# The minimum weight: users may be right even if the model is certain.
LEAST_DOUBT = 0.01
BATCH = 200


def update(entry: CacheEntry, changes: Iterable[Change] = ()) -> None:
    """Update the review of a photo from its entry and a change of votes.

    Must run in a transaction that has locked the entry. Does not recount the votes, which would be
    slow for photos with many.
    """
    image_hash = entry.image_hash.lower()
    review = Review.objects.select_for_update().filter(image_hash=image_hash).first()
    if review is None:
        review = Review(image_hash=image_hash)
        tally = _tallies([image_hash]).get(image_hash, {})
    else:
        tally = _changed(review.tally, changes)
    _fill_in(review, entry, tally)
    review.save()


def _changed(tally: Tally, changes: Iterable[Change]) -> Tally:
    counts = Counter({(v, c): count for v, votes in tally.items() for c, count in votes.items()})
    for voter, category, count in changes:
        counts[voter, category] += count
    changed: Tally = defaultdict(dict)
    for (voter, category), count in counts.items():
        if count > 0:
            changed[voter][category] = count
    return dict(changed)


def refresh(image_hashes: Iterable[str]) -> None:
    """Recompute reviews from votes and entries; delete those without an entry, or without votes and
    corrections by users."""
    wanted = sorted(image_hashes)
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        write_atomically(_refresh_batch, batch)


def _refresh_batch(image_hashes: list[str]) -> None:
    # Locked before the votes are read, so that a concurrent vote is not overwritten.
    found = Review.objects.select_for_update().filter(image_hash__in=image_hashes)
    reviews = list(found.order_by("image_hash"))
    tallies, entries = _tallies(image_hashes), entries_of(image_hashes)
    gone = []
    for review in reviews:
        entry = entries.get(review.image_hash)
        before = (review.answer, review.tally, review.state, review.priority)
        if entry:
            _fill_in(review, entry, tallies.get(review.image_hash, {}))
        if entry is None or not (review.tally or review.state == State.BY_USERS):
            gone.append(review.pk)
        elif before != (review.answer, review.tally, review.state, review.priority):
            review.save()
    Review.objects.filter(pk__in=gone).delete()


def _fill_in(review: Review, entry: CacheEntry, tally: Tally) -> None:
    review.answer, review.tally = entry.category, tally
    review.state = state_of(entry)
    review.priority = 0 if review.state == State.SETTLED else priority(review, entry)


def state_of(entry: CacheEntry) -> str:
    """The review state of an entry."""
    if entry.reviewed_at:
        return State.SETTLED
    if entry.corrected_at:  # by staff, before there were reviews
        return State.BY_USERS if entry.correcting_app_id else State.SETTLED
    return State.OPEN


def priority(review: Review, entry: CacheEntry) -> float:
    """Hits x disagreement x low confidence."""
    doubt = max(1 - float(entry.confidence), LEAST_DOUBT)
    return entry.hit_count * disagreement(review.tally, review.answer) * doubt


def disagreement(tally: Tally, answer: str) -> float:
    """The share of voters who disagree, 0 to 1; the answer itself counts as one voter.

    All votes without a token together weigh as much as one user with a token, so forged ids cannot
    raise a photo further than one user could.
    """
    signed, unsigned = tally.get(Voter.TOKEN, {}), added_up(tally, Voter.NAME, Voter.ADDRESS)
    voters, others = sum(signed.values()), float(sum(signed.values()) - signed.get(answer, 0))
    if unsigned:
        others += 1 - unsigned.get(answer, 0) / sum(unsigned.values())
        voters += 1
    return others / (voters + 1)


def added_up(tally: Tally, *voters: str) -> Counter[str]:
    """The votes of these kinds of voters, by category."""
    return sum((Counter(tally.get(voter, {})) for voter in voters), Counter())


def entries_of(image_hashes: Collection[str]) -> dict[str, CacheEntry]:
    """The entries by hash in lower case; older installations wrote some in upper case."""
    found = CacheEntry.objects.filter(image_hash__in=image_hashes).select_related("correcting_app")
    return {entry.image_hash.lower(): entry for entry in found}


def _tallies(image_hashes: Collection[str]) -> dict[str, Tally]:
    counts = (
        Vote.objects.filter(image_hash__in=image_hashes)
        .values_list("image_hash", "voter", "category")
        .annotate(votes=Count("pk"))
        .order_by()
    )
    tallies: dict[str, Tally] = defaultdict(lambda: defaultdict(dict))
    for image_hash, voter, category, votes in counts:
        tallies[image_hash][voter][category] = votes
    return {image_hash: dict(tally) for image_hash, tally in tallies.items()}
