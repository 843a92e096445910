"""Log and ledger as tools: narrowed down, sorted, paged beyond the count, and downloaded."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from classification.admin.tables import FirstRowsPaginator, LongChangeList
from classification.models import STAFF_ID, ModelCall, RequestLog
from clients.models import App
from tests.support.api import HASH, make_entry
from tests.support.history import NOW, call, log

pytestmark = pytest.mark.django_db

LOG = reverse("admin:classification_requestlog_changelist")
CALLS = reverse("admin:classification_modelcall_changelist")


def listed(client: Client, where: str, **query: Any) -> list[Any]:
    response: Any = client.get(where, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize(
    "query",
    [
        {"created_at__gte": "2026-03-02T14:30", "created_at__lt": "2026-03-02T14:31"},
        {"created_at__gte": "2026-03-02 14:30:00+08:00", "created_at__lt": "2026-03-02T14:31"},
        {"app": "camera"},
        {"user": "anna"},
        {"address": "192.0.2.77"},
        {"slower": "1000"},
        {"dearer": "0.01"},
        {"source": "cache"},
        {"outcome": "model_timeout"},
        {"category__exact": "foods"},
    ],
    ids=lambda query: next(iter(query)) + "=" + next(iter(query.values())),
)
def test_the_log_is_narrowed_down(admin_client: Client, query: dict[str, str]) -> None:
    App.objects.anonymous()
    camera = App.objects.create(name="camera")
    earlier, later = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)
    log(earlier, cost=Decimal("0.01"), processing_time_ms=1000)
    log(
        NOW,
        app=camera,
        user_id="x-anna-1",
        ip_address="192.0.2.77",
        processing_time_ms=1001,
        cost=Decimal("0.02"),
        source="cache",
        outcome="model_timeout",
        category="foods",
    )
    log(later)
    if "app" in query:
        query = {"app": str(camera.pk)}

    assert [row.created_at for row in listed(admin_client, LOG, **query)] == [NOW]


def test_a_wrong_criterion_is_named_and_narrows_nothing_down(admin_client: Client) -> None:
    log()
    page: Any = admin_client.get(LOG, {"slower": "fast", "created_at__gte": "yesterday"})

    assert page.context["cl"].result_count == 1
    assert "errorlist" in page.content.decode()


@pytest.mark.parametrize(
    "query",
    [{"model": "max"}, {"slower": "700"}, {"dearer": "0.01"}, {"app": "1"}, {"outcome": "ok"}],
    ids=str,
)
def test_the_ledger_is_narrowed_down(admin_client: Client, query: dict[str, str]) -> None:
    App.objects.anonymous()
    call(app_id=STAFF_ID, outcome="model_timeout")
    call(model="qwen-vl-max", duration_ms=701, cost=Decimal("0.02"))

    assert [row.model for row in listed(admin_client, CALLS, **query)] == ["qwen-vl-max"]


@pytest.mark.parametrize(("column", "first"), [("6", 900), ("-6", 900), ("7", 900)])
def test_sorting_a_long_log_keeps_to_its_latest_rows_unless_a_time_is_given(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, column: str, first: int
) -> None:
    monkeypatch.setattr(LongChangeList, "SORTED_ROWS", 1)
    log(processing_time_ms=10)
    log(processing_time_ms=900)
    assert [row.processing_time_ms for row in listed(admin_client, LOG, o=column)] == [first]

    all_of_it = listed(admin_client, LOG, o="-6", created_at__gte="2026-01-01T00:00")
    assert [row.processing_time_ms for row in all_of_it] == [900, 10]


def test_one_pages_on_beyond_the_rows_that_are_counted(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FirstRowsPaginator, "ROWS", 60)
    rows = RequestLog.objects.bulk_create(RequestLog(request_id=f"r{n}") for n in range(70))
    first: Any = admin_client.get(LOG, {"p": "2"})
    older = first.context["cl"].older_rows
    second: Any = admin_client.get(LOG + older)

    assert [row.pk for row in second.context["cl"].result_list] == [
        row.pk for row in reversed(rows[:10])
    ]
    assert second.context["cl"].older_rows == ""


def test_links_lead_only_to_entries_and_requests_that_are_there(admin_client: Client) -> None:
    make_entry()
    log(image_hash=HASH, request_id="req_1")
    log(image_hash="c" * 64, outcome="invalid_image")
    call(image_hash="c" * 64, request_id="req_trial")
    page = admin_client.get(LOG).content.decode()
    trial = reverse("admin:classification_modelcall_change", args=[ModelCall.objects.get().pk])
    detail = admin_client.get(trial).content.decode()

    assert f"cacheentry/{HASH}/" in page
    assert f"cacheentry/{'c' * 64}/" not in page + detail
    assert "q=req_trial" not in detail


def test_a_download_has_what_the_list_has_and_no_formula(admin_client: Client) -> None:
    log(user_id="=cmd|' /C calc'!A0", request_id="req_1")
    log(user_id="anna", request_id="req_2")
    log(datetime(2026, 3, 3, tzinfo=NOW.tzinfo), user_id="anna", request_id="req_3")
    address = reverse("admin:classification_requestlog_download")
    everything: Any = admin_client.get(address)
    query = {"user": "anna", "created_at__lt": "2026-03-03T00:00"}
    narrowed: Any = admin_client.get(address, query)

    text = b"".join(everything.streaming_content).decode()
    assert "'=cmd|" in text
    assert [line.split(",")[1] for line in text.splitlines()[1:]] == ["req_3", "req_2", "req_1"]
    lines = b"".join(narrowed.streaming_content).decode().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["req_2"]
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["已下载", "已下载"]


def test_a_download_needs_the_right_to_see_the_list(client: Client) -> None:
    client.force_login(User.objects.create_user("somebody", is_staff=True))

    assert client.get(reverse("admin:classification_requestlog_download")).status_code == 403
