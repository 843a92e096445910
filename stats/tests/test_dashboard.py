"""The dashboard's page, as it is served."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone, translation

from classification.errors import ERRORS
from classification.models import PromptVersion, RequestLog
from tests.support.history import A_WHILE, NOW, call, log, log_links, rows_in_log, scatter

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_screen_on_the_wall_stays_logged_in(admin_client: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=10), tick=False) as clock:
        assert admin_client.get("/?wall").status_code == 200
        clock.shift(timedelta(days=10))

        assert admin_client.get("/?wall").status_code == 200


def test_a_session_is_written_once_a_day(admin_client: Client) -> None:
    admin_client.get("/")
    before = Session.objects.values_list("expire_date").get()
    admin_client.get("/")

    assert Session.objects.values_list("expire_date").get() == before


def test_failures_are_told_in_words(admin_client: Client) -> None:
    RequestLog.objects.create(request_id="req_1", outcome="model_timeout")
    RequestLog.objects.create(
        request_id="req_2", outcome="model_timeout", created_at=timezone.now() - timedelta(days=3)
    )
    sentence = str(ERRORS["model_timeout"][1])

    with translation.override("zh-hans"):
        assert failures(admin_client, "/?last=7d") == {str(sentence): 2}
        assert failures(admin_client, "/?last=1h") == {str(sentence): 1}


def failures(client: Client, address: str) -> dict[str, int]:
    """The reasons that the dashboard lists, with their numbers."""
    page = client.get(address).content.decode()
    rows = re.findall(r'id="error-.*?>([^<]+)</a>.*?<td class="number">(\d+)', page, re.DOTALL)
    return {reason: int(count) for reason, count in rows}


@pytest.mark.parametrize(
    "address",
    ["/", "/?wall", "/?last=90d", "/?last=x", "/?start=2026-03-02T00:00&end=2026-03-01T00:00"],
)
def test_an_empty_service_has_a_dashboard(admin_client: Client, address: str) -> None:
    text = admin_client.get(address).content.decode()

    assert "还没有识别过照片" in text
    assert "此时段没有失败" in text


def test_a_wrong_range_is_told_and_the_usual_one_shown(admin_client: Client) -> None:
    text = admin_client.get("/?start=2026-03-02T00:00&end=x").content.decode()

    assert "note warn" in text
    assert 'href="?last=30d"' in text


@pytest.mark.parametrize("last", ["1h", "today", "24h", "7d", "30d"])
def test_each_figure_leads_to_exactly_its_rows(admin_client: Client, last: str) -> None:
    """The number that is shown, and the rows of the list that a click on it opens."""
    scatter(11, 150, days=5)
    RequestLog.objects.filter(category="other").update(source="none")
    log(NOW - timedelta(hours=2), category="other", source="llm")
    with time_machine.travel(NOW + 2 * A_WHILE, tick=False):
        page = admin_client.get(f"/?last={last}").content.decode()
        found = log_links(page, first="created_at")
        assert len(found) >= 3
        assert found == {address: rows_in_log(admin_client, address) for address in found}


@pytest.mark.parametrize(
    ("shown", "first", "last"),
    [
        ("last=7d", "2026-03-04", "2026-03-10"),
        ("start=2026-02-01T00:00&end=2026-03-01T00:00", "2026-02-01", "2026-02-28"),
        ("start=2026-02-01T10:00&end=2026-02-02T00:01", "2026-02-01", "2026-02-02"),
    ],
)
def test_a_download_is_of_the_range_that_is_shown(
    admin_client: Client, shown: str, first: str, last: str
) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 12, tzinfo=SHANGHAI), tick=False):
        page = unescape(admin_client.get(f"/?{shown}").content.decode())
        links = re.findall(r'href="(/download/[^"]+)', page)
        files = [admin_client.get(link) for link in links]

    assert [file["Content-Disposition"].split('"')[1] for file in files] == [
        f"days-{first}-{last}.csv",
        f"users-{first}-{last}.csv",
    ]
    for file in files:
        b"".join(file)  # which closes it


def test_a_user_leads_to_all_of_its_rows(admin_client: Client) -> None:
    for user in ("a", "a", "b", "a b"):
        RequestLog.objects.create(request_id="r", user_id=user)
    page = admin_client.get("/").content.decode()
    links = re.findall(r'href="(/admin/classification/requestlog/\?user_id[^"]+)"', page)

    assert sorted(rows_in_log(admin_client, unescape(link)) for link in links) == [1, 1, 2]


def test_what_was_changed_is_marked(admin_client: Client) -> None:
    for version, days in ((1, 20), (2, 3), (3, 2)):
        at = NOW - timedelta(days=days)
        PromptVersion.objects.create(version=version, text="t", created_at=at)
    for days, model in ((3, "qwen-vl-plus"), (2, "qwen-vl-plus"), (1, "qwen3-vl-plus")):
        call(NOW - timedelta(days=days), model=model)
    with time_machine.travel(NOW, tick=False):
        shown = admin_client.get("/?last=30d").context["dashboard"].marks
        late = admin_client.get("/?last=24h").context["dashboard"].marks

    assert [mark.label for mark in shown] == ["v2", "v3", "qwen3-vl-plus"]
    assert shown[2].at == NOW - timedelta(days=1)
    assert late == []


def test_an_amount_is_rounded_as_in_the_charts(admin_client: Client) -> None:
    RequestLog.objects.create(
        request_id="r", category="pets", source="cache", from_cache=True, saved=Decimal("0.303050")
    )

    assert "¥0.3031" in admin_client.get("/").content.decode()
