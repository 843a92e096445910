"""The list of columns that can hold personal data is complete."""

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from privacy.personal_data import NOT_OF_USERS, PLACES

# What a column is called that may hold such data, or the kind that it is of.
NAMES = re.compile(
    r"(^|_)(user|users|ip|ips|addr|address|mail|email|phone|name|names|who|person|people|owner|voter_id"
    r"|author|contact|token|tokens|session|device|cookie|subject|key|ids|request_id|requested_by"
    r"|alias|latitude|longitude|location)(_|$)|_by$|request_id$"
)
KINDS = (
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    models.EmailField,
    models.FileField,
)
NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField, models.BooleanField)


def columns() -> Iterator[tuple[str, Any]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            yield f"{model._meta.db_table}.{field.column}", field


def may_hold_personal_data(field: Any) -> bool:
    if field.choices:
        return False
    if isinstance(field, KINDS):
        return True
    if isinstance(field, NUMBERS):
        return field.column in ("user_id", "phone")
    is_of_staff = field.is_relation and field.related_model._meta.label == settings.AUTH_USER_MODEL
    is_named_so = NAMES.search(field.column) is not None
    return is_of_staff or (is_named_so and not isinstance(field, models.AutoField))


def test_every_column_that_may_hold_personal_data_is_on_the_list() -> None:
    listed = {column for place in PLACES for column in place.columns} | set(NOT_OF_USERS)
    missing = [
        column
        for column, field in columns()
        if may_hold_personal_data(field)
        and column not in listed
        and f"{column.partition('.')[0]}.*" not in listed
    ]

    assert not missing, (
        "Say in privacy/personal_data.py how these are forgotten, or why they need not be: "
        f"{missing}"
    )


def test_the_list_names_only_columns_that_there_are() -> None:
    known = {column for column, _ in columns()}
    known |= {f"{column.partition('.')[0]}.*" for column in known} | {"django_migrations.*"}
    listed = {column for place in PLACES for column in place.columns} | set(NOT_OF_USERS)

    assert listed <= known


def test_every_reason_is_given() -> None:
    assert all(len(reason) > 5 for reason in NOT_OF_USERS.values())
