"""Lookups by the hash of an original file, of which the app uploads a smaller copy.

An answer is cached under the hash of the uploaded bytes only. A declaration maps the hash a client
declares for them to that entry. It counts for the user who made it; for all users of an app that
staff marked as trusted; and for all users of an app once three of them, each with a token, have
made it and their answers agree. It never counts for another app, and never overrides an entry of
the hash itself.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from classification.models import CacheEntry, DeclaredHash
from classification.pipeline.answer_cache import COLUMNS, CachedAnswer
from classification.pipeline.query_batching import QueryBatcher
from classification.pipeline.request_log import ClientInfo
from clients import forgotten
from clients.models import ANONYMOUS_ID

logger = logging.getLogger(__name__)

# How many users with a token must agree to count for their whole app.
AGREEING_USERS = 3
# `asked_at` of a declaration is updated at most once in this time.
TOUCH_INTERVAL = timedelta(days=1)
# One statement in raw SQL: the ORM took longer than everything else in a hit. An entry of the hash
# itself takes precedence, even if it is not served at the moment.
SELECT = f"""
    SELECT declared.id, declared.declared_hash, declared.app_id, declared.user_id,
        declared.has_token, declared.asked_at < %s, {", ".join(f"entry.{name}" for name in COLUMNS)}
    FROM declared_hash AS declared
    JOIN image_classification_cache AS entry ON entry.image_hash = declared.image_hash
    LEFT JOIN image_classification_cache AS own ON own.image_hash = declared.declared_hash
    WHERE own.id IS NULL AND ({{conditions}}) ORDER BY declared.id
"""  # noqa: S608


class _Lookup(NamedTuple):
    """A lookup of a hash by a user of an app; `is_trusted` says whether the app is."""

    declared_hash: str
    app_id: int
    user_id: str | None
    has_token: bool
    is_trusted: bool


class _Declaration(NamedTuple):
    """A declaration that leads to an entry, and the entry's answer."""

    id: int
    user_id: str
    has_token: bool
    is_stale: bool
    answer: CachedAnswer


def find(image_hash: str, client: ClientInfo) -> CachedAnswer | None:
    """The answer that this client gets for a declared hash, if any; raises DatabaseError."""
    return _batcher.get(_lookup(image_hash, client)) if _can_have_declared(client) else None


def find_many(image_hashes: Sequence[str], client: ClientInfo) -> dict[str, CachedAnswer]:
    """The answers that this client gets for declared hashes, with one query; raises
    DatabaseError."""
    if not image_hashes or not _can_have_declared(client):
        return {}
    found = _select([_lookup(image_hash, client) for image_hash in image_hashes])
    return {lookup.declared_hash: answer for lookup, answer in found.items()}


def remember(declared_hash: str, image_hash: str, client: ClientInfo) -> None:
    """Save the hash that a client declares for the bytes of an entry; ignored without a user id.

    A declaration that still leads to an entry is never changed, so nobody who merely claims to be a
    user can change that user's answers. A database error is only logged: the client has its answer,
    and would upload again.
    """
    if client.user_id is None:
        return
    try:
        with transaction.atomic():
            _remember(declared_hash, image_hash, client)
    except Error as error:
        logger.warning("A declared hash could not be kept: %s", type(error).__name__)


def _remember(declared_hash: str, image_hash: str, client: ClientInfo) -> None:
    key = {
        "declared_hash": declared_hash.lower(),
        "app_id": client.app.id,
        "user_id": client.user_id,
        "has_token": client.has_token,
    }
    mine = DeclaredHash.objects.filter(**key)
    if forgotten.now_forgotten().has(client.app.id, client.user_id, client.began):
        return
    if not mine.exists():
        row = DeclaredHash(**key, image_hash=image_hash)
        DeclaredHash.objects.bulk_create([row], ignore_conflicts=True)
        return
    entry = CacheEntry.objects.filter(image_hash=OuterRef("image_hash"))
    mine.filter(~Exists(entry)).update(image_hash=image_hash, asked_at=timezone.now())


def _can_have_declared(client: ClientInfo) -> bool:
    if settings.DECLARED_HASHES == "refuse":
        return False
    # Users of `anonymous` have no tokens, so their declarations never count for others.
    return client.user_id is not None or client.app.is_trusted or client.app.id != ANONYMOUS_ID


def _lookup(image_hash: str, client: ClientInfo) -> _Lookup:
    app = client.app
    return _Lookup(image_hash, app.id, client.user_id, client.has_token, app.is_trusted)


def _select(lookups: list[_Lookup]) -> dict[_Lookup, CachedAnswer]:
    """The answers to these lookups, which may be of different clients."""
    by_hash = _declarations(lookups)
    chosen: dict[_Lookup, _Declaration] = {}
    for lookup in lookups:
        declarations = by_hash.get((lookup.app_id, lookup.declared_hash), [])
        if declaration := _choose(declarations, lookup):
            chosen[lookup] = declaration
    _touch(chosen.values())
    return {lookup: declaration.answer for lookup, declaration in chosen.items()}


_batcher = QueryBatcher(_select)


def _declarations(lookups: list[_Lookup]) -> dict[tuple[int, str], list[_Declaration]]:
    """The declarations that lead to a served entry, by app and hash, oldest first."""
    conditions, parameters = _conditions(lookups)
    stale_before = connection.ops.adapt_datetimefield_value(timezone.now() - TOUCH_INTERVAL)
    with connection.cursor() as cursor:
        cursor.execute(SELECT.format(conditions=conditions), [stale_before, *parameters])
        rows = cursor.fetchall()
    found: dict[tuple[int, str], list[_Declaration]] = defaultdict(list)
    for declared_id, declared_hash, app_id, user_id, has_token, is_stale, *entry in rows:
        declaration = _Declaration(
            declared_id, user_id, bool(has_token), bool(is_stale), CachedAnswer.from_row(entry)
        )
        if declaration.answer.is_served:
            found[app_id, declared_hash].append(declaration)
    return found


def _conditions(lookups: list[_Lookup]) -> tuple[str, list[Any]]:
    """The SQL conditions, one per client, that select the declarations which may count, and their
    parameters."""
    by_client: dict[_Lookup, list[str]] = defaultdict(list)
    for lookup in lookups:
        by_client[lookup._replace(declared_hash="")].append(lookup.declared_hash)
    conditions, parameters = [], []
    for client, hashes in by_client.items():
        marks = ",".join(["%s"] * len(hashes))
        condition = f"declared.app_id = %s AND declared.declared_hash IN ({marks})"
        parameters += [client.app_id, *hashes]
        if not client.is_trusted:
            condition += " AND (declared.has_token OR declared.user_id = %s)"
            parameters.append(client.user_id)
        conditions.append(f"({condition})")
    return " OR ".join(conditions), parameters


def _choose(declarations: Sequence[_Declaration], lookup: _Lookup) -> _Declaration | None:
    """The declaration that counts for the client: its own, else one of other users."""
    for declaration in declarations:
        if (declaration.user_id, declaration.has_token) == (lookup.user_id, lookup.has_token):
            return declaration
    if lookup.is_trusted:
        return declarations[0] if declarations else None
    with_token = [declaration for declaration in declarations if declaration.has_token]
    categories = {declaration.answer.category for declaration in with_token}
    agree = len(categories) == 1 and len(with_token) >= AGREEING_USERS
    return with_token[0] if agree else None


def _touch(declarations: Iterable[_Declaration]) -> None:
    """Update `asked_at`, so that declarations in use are not purged."""
    stale = {declaration.id for declaration in declarations if declaration.is_stale}
    if stale:
        DeclaredHash.objects.filter(pk__in=stale).update(asked_at=timezone.now())
