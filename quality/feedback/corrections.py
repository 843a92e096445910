"""Corrections based on votes: by staff, and by agreeing users where staff allow it."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from classification.categories import BY_KEY
from classification.models import CORRECTION_FIELDS, CacheEntry
from clients.models import App
from core.audit import record
from core.database.transactions import write_atomically
from quality.feedback import reviews
from quality.models import Review, Vote, Voter


@dataclass(frozen=True, slots=True)
class Decision:
    """A staff decision on a photo: its category, given the answer `seen`."""

    image_hash: str
    seen: str
    category: str


def decide(decision: Decision, *, by: User) -> bool:
    """Correct the answer, or confirm it; returns whether that was done.

    Does nothing if the answer has changed since, or other staff have decided meanwhile.
    """
    return write_atomically(_decide, decision, by)


def _decide(decision: Decision, by: User) -> bool:
    wanted = CacheEntry.objects.select_for_update().filter(image_hash=decision.image_hash)
    entry = wanted.filter(category=decision.seen).first()
    if entry is None or reviews.state_of(entry) == Review.State.SETTLED:
        return False
    if decision.category == decision.seen:
        entry.reviewed_at = timezone.now()
        entry.save(update_fields=["reviewed_at"])
        message = _("Answer confirmed: %(category)s")
    else:
        entry.correct(decision.category, by=by)
        entry.save(update_fields=CORRECTION_FIELDS)
        message = _("Corrected to: %(category)s")
    reviews.update(entry)
    record(by, entry, message % {"category": BY_KEY[decision.category].name})
    return True


def correct_by_users(entry: CacheEntry, app_id: int) -> None:
    """Correct an answer if enough of an app's users agree on another one, and staff allow it.

    Only users with tokens count, and those with other votes count against it. Never overrides
    staff. Must run in a transaction that has locked the entry.
    """
    if reviews.state_of(entry) == Review.State.SETTLED:
        return
    app = App.objects.exclude(corrections_by_users=None).filter(pk=app_id).first()
    if app is None or app.corrections_by_users is None:
        return
    votes = Vote.objects.filter(
        image_hash=entry.image_hash, app_id=app_id, voter=Voter.TOKEN
    ).values_list("category")
    counts = dict(votes.annotate(votes=Count("pk")).order_by())
    category, users = max(counts.items(), key=lambda item: item[1])
    lead = 2 * users - sum(counts.values())
    if category != entry.category and lead >= app.corrections_by_users:
        entry.correct_by_users(category, app=app, users=users)
        entry.save(update_fields=CORRECTION_FIELDS)
