"""Casting votes: users say what a photo shows.

A vote does not change the answer by itself, but enough agreeing ones do where staff allow it.
"""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from classification.models import CacheEntry
from classification.pipeline import answer_cache, declared_hashes
from classification.pipeline.request_log import ClientInfo
from clients import forgotten
from core.database.transactions import write_atomically
from quality.feedback import agreement, reviews
from quality.feedback.corrections import correct_by_users
from quality.models import Vote, Voter


class UnknownPhoto(Exception):
    """The hash is unknown to check-cache as well."""


def cast_vote(*, image_hash: str, category: str, client: ClientInfo) -> None:
    """Save a client's vote on a photo, replacing its earlier one.

    Raises UnknownPhoto and DatabaseError.
    """
    answers = answer_cache.get_from_table([image_hash])
    known = answers.get(image_hash) or declared_hashes.find(image_hash, client)
    if known is None:
        raise UnknownPhoto
    write_atomically(_cast, known.image_hash, category, client)


def _cast(image_hash: str, category: str, client: ClientInfo) -> None:
    # Serializes the votes on a photo.
    entry = CacheEntry.objects.select_for_update().filter(image_hash=image_hash).first()
    if entry is None:  # purged a moment ago
        raise UnknownPhoto
    if forgotten.now_forgotten().has(client.app.id, client.user_id, client.began):
        return
    vote = _earlier_vote(image_hash, client) or Vote()
    is_new = vote.pk is None
    cells = [] if is_new else [agreement.cell(vote, -1)]
    changes = [] if is_new else [(vote.voter, vote.category, -1)]
    _fill_in(vote, image_hash, category, entry, client)
    vote.save()
    agreement.add([*cells, agreement.cell(vote, +1)])
    if vote.voter == Voter.TOKEN:
        correct_by_users(entry, client.app.id)
    reviews.update(entry, [*changes, (vote.voter, vote.category, +1)])


def _earlier_vote(image_hash: str, client: ClientInfo) -> Vote | None:
    own = Vote.objects.filter(image_hash=image_hash, app_id=client.app.id)
    return own.filter(**_who(client)).first()


def _who(client: ClientInfo) -> dict[str, Any]:
    """The columns that identify the voter, and make the vote unique."""
    if client.user_id is None:
        # If addresses are not stored, all clients without a user id are one voter.
        return {
            "voter": Voter.ADDRESS,
            "ip_address": client.ip_address or "",
            "day": timezone.localdate(),
        }
    return {
        "voter": Voter.TOKEN if client.has_token else Voter.NAME,
        "user_id": client.user_id,
    }


def _fill_in(
    vote: Vote, image_hash: str, category: str, entry: CacheEntry, client: ClientInfo
) -> None:
    columns = _who(client) | {
        "image_hash": image_hash,
        "app_id": client.app.id,
        "category": category,
        "day": timezone.localdate(),
        "voted_at": timezone.now(),
        "answer": entry.category,
        "confidence": entry.confidence,
        "model": entry.model_used,
        "prompt_version": entry.prompt_version,
        "is_counted": entry.corrected_at is None,
    }
    for name, value in columns.items():
        setattr(vote, name, value)


def delete_votes(votes: "QuerySet[Vote]") -> int:
    """Delete votes and refresh their reviews; returns their number. The daily sums stay."""
    hashes = set(votes.values_list("image_hash", flat=True))
    deleted, _ = votes.delete()
    reviews.refresh(hashes)
    return deleted
