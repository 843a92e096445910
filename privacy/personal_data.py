"""The inventory of personal data: every column that can contain it.

A test compares it with all tables: a new column whose name or type suggests personal data must
belong to a place, or be excluded with a reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from privacy.people import Person
from privacy.places import counters, declared_hashes, figures, request_log, votes
from privacy.places.task import ErasureTask, ForgottenRows, Row


@dataclass(frozen=True)
class Place:
    """A place where data about apps' users is stored: the columns that identify them, as
    table.column, and the functions that read, count and forget their rows."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[Person], Iterator[Row]]
    count: Callable[[Person], int]
    forget: Callable[[ErasureTask], Iterator[ForgottenRows]]


# In the order in which they are forgotten.
PLACES = (
    Place(
        "request_log",
        (
            "request_log.user_id",
            "request_log.ip_address",
            "request_log.request_id",
            "stats_day_address.ip_address",
        ),
        request_log.read,
        request_log.count,
        request_log.forget,
    ),
    Place(
        "declared_hashes",
        ("declared_hash.user_id", "declared_hash.has_token"),
        declared_hashes.read,
        declared_hashes.count,
        declared_hashes.forget,
    ),
    Place(
        "votes",
        ("quality_vote.user_id", "quality_vote.ip_address"),
        votes.read,
        votes.count,
        votes.forget,
    ),
    Place(
        "figures",
        ("stats_day_user.user_id", "stats_user.user_id", "stats_day_app_user.user_id"),
        figures.read,
        figures.count,
        figures.forget,
    ),
    Place(
        "limits",
        ("client_quota_counter.subject",),
        counters.read,
        counters.count,
        counters.forget,
    ),
)

STAFF = "of staff, under their contract: an operator deletes the account"
MACHINE = "of a machine or a program, not of a person"
CALL = "identifies a call, which leads to nobody once its log row is deleted"
# Columns that look like personal data of apps' users but are not, with the reason; table.* is a
# whole table.
NOT_OF_USERS = {
    "auth_user.*": STAFF,
    "auth_user_groups.*": STAFF,
    "auth_user_user_permissions.*": STAFF,
    "auth_group.*": "names of roles",
    "auth_group_permissions.*": "which role may do what",
    "auth_permission.*": "names of permissions",
    "authtoken_token.*": STAFF,
    "api_token.*": STAFF,
    "dismissed_card.name": "a card of the dashboard",
    "django_admin_log.*": "the audit of what staff did, kept as long as the log; its entries about "
    "exports and erasures do not name the person",
    "django_session.*": "staff's sessions, signed; users of apps have none",
    "django_content_type.*": "names of tables",
    "django_migrations.*": "names of migrations",
    "client_app.name": "an app, not a person",
    "client_app.contact": "who to contact at the app's maker, with whom there is a contract",
    "client_quota_reservation.token": MACHINE,
    "client_quota_reservation.subject_counter_id": "lives as long as one call",
    "client_forgotten_user.subject": "the mark of an erasure: a keyed digest, for a day",
    "login_attempt_count.key": "staff's or a guesser's attempts: a digest, for a day",
    "image_classification_cache.description": "what a photo shows, for whoever has the photo; not "
    "stored for ID cards",
    "image_classification_cache.model_description": "the same, before staff corrected it",
    "image_classification_cache.model_response": "the same, in the model's own words",
    "image_classification_cache.corrected_by_id": STAFF,
    "flight.token": MACHINE,
    "flight.answer": "an answer for processes that wait for it, kept for minutes",
    "server_process.token": MACHINE,
    "task_run.name": "a scheduled command",
    "prompt_version.text": "the prompt",
    "prompt_version.author_id": STAFF,
    "model_call_failure.message": "a provider's error message, without numbers and keys",
    "model_call_failure.reply": "an unreadable answer; not stored for ID cards",
    "model_call.request_id": CALL,
    "model_call.provider_request_id": CALL,
    "spending_reservation.request_id": CALL,
    "spending_reservation.token": MACHINE,
    "stats_roll_up_chunk.ids": "ids of rows",
    "quality_review.tally": "numbers of votes",
    "quality_evaluation_run.key": "a digest of what was measured",
    "quality_evaluation_run.set_name": "an operator's folder of labelled photos",
    "quality_evaluation_run.prompt_text": "the prompt",
    "privacy_erasure.user_id": "the person of an erasure in progress; empty in a receipt",
    "privacy_erasure.alias": "random, and empty in a receipt",
    "privacy_erasure.requested_by": STAFF,
    "privacy_erasure.rows": "numbers of rows",
}
