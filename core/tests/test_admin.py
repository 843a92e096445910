"""What staff can send to the admin by hand: an answer or a refusal, never a defect."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from core.admin import DownloadableAdmin

pytestmark = pytest.mark.django_db

MODELS = list(admin.site._registry)
DOWNLOADED = [m for m, a in admin.site._registry.items() if isinstance(a, DownloadableAdmin)]
LOOKUPS = ("regex", "iregex", "contains", "startswith", "in", "year")
HUGE = "9" * 20
QUERIES = [
    *("prompt=²", f"prompt={HUGE}", "prompt=٣", "corrected=²", "p=²", f"p={HUGE}", "o=²"),
    *(f"o={HUGE}", "q=%00", "q=²", "all=²", "id=²", f"id={HUGE}", "created_at__gte=²", "e=1"),
    *("created_at__gte=99999-01-01", "created_at__isnull=²", f"hit_count={HUGE}", "_to_field=²"),
    *("is_staff__exact=²", "groups__id__exact=²", "image_hash=%00"),
]
ROWS = ["²", "abc", HUGE, "", "\x00"]
ACTIONS = ("purge", "mark_ask_again", "delete_selected")
each_list = pytest.mark.parametrize("model", MODELS, ids=[m._meta.label_lower for m in MODELS])


def list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@each_list
def test_a_list_takes_only_its_own_look_ups(admin_client: Client, model: Any) -> None:
    fields = [
        f.name for f in model._meta.fields if f.get_internal_type() in ("CharField", "TextField")
    ]
    statuses = {
        admin_client.get(list_of(model), {f"{name}__{kind}": "(a+)+$"}).status_code
        for name in fields
        for kind in LOOKUPS
    }

    assert statuses == {400}


@each_list
def test_odd_queries_are_no_defects(admin_client: Client, model: Any) -> None:
    statuses = {
        query: admin_client.get(f"{list_of(model)}?{query}", follow=True).status_code
        for query in QUERIES
    }

    assert set(statuses.values()) <= {200, 400}, statuses


@pytest.mark.parametrize("model", DOWNLOADED, ids=[m._meta.label_lower for m in DOWNLOADED])
def test_odd_queries_of_a_download_are_no_defects(admin_client: Client, model: Any) -> None:
    statuses = {}
    for query in QUERIES:
        reply = admin_client.get(f"{list_of(model)}download/?{query}")
        list(reply)  # which reads the rows
        statuses[query] = reply.status_code

    assert set(statuses.values()) <= {200, 400}, statuses


@each_list
def test_odd_rows_are_no_defects(admin_client: Client, model: Any) -> None:
    for row in ROWS:
        replies = [
            admin_client.post(
                list_of(model),
                {"action": action, "_selected_action": row, "index": "0"},
                follow=True,
            )
            for action in ACTIONS
        ]
        replies.append(admin_client.get(f"{list_of(model)}{row or '²'}/change/", follow=True))
        assert {reply.status_code for reply in replies} <= {200, 400, 403, 404}, row
