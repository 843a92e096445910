"""The person that an export or an erasure is about."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from classification.api.serializers import UserIdField
from clients.pseudonyms import hashed_user_id


@dataclass(frozen=True)
class Person:
    """A user of one app, or of all apps if `app_id` is None; by the id that apps send, or as it is
    stored."""

    user_id: str
    app_id: int | None = None

    @classmethod
    def named(cls, text: str, app_id: int | None = None) -> "Person":
        """A person by an id from outside. Raises ValidationError for an invalid id."""
        user_id = UserIdField().run_validation(text)
        if not user_id:
            raise ValidationError(_("A user ID is needed."))
        return cls(user_id, app_id)

    @cached_property
    def kept_ids(self) -> tuple[str, ...]:
        """The ids that tables may contain: in plain text, and hashed with the current and older
        secrets."""
        secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        hashes = (hashed_user_id(self.user_id, secret) for secret in secrets)
        return tuple(dict.fromkeys((self.user_id, *hashes)))

    def rows(self, table: Any) -> "QuerySet[Any]":
        """The person's rows of a table with `user_id` and `app_id`; a superset if the database is
        case-insensitive: see is_of()."""
        rows: QuerySet[Any] = table._default_manager.filter(user_id__in=self.kept_ids)
        return rows if self.app_id is None else rows.filter(app_id=self.app_id)

    def is_of(self, user_id: str | None) -> bool:
        return user_id in self.kept_ids
