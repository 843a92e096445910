"""What each app asked: exact whether or not it is rolled up, and of nobody twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.models import STAFF_ID
from clients.models import App
from stats.figures import current_figures
from stats.rollup import chunks
from tests.support.apps import run
from tests.support.history import A_WHILE, NOW, call, log, log_links, rows_in_log

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture
def camera() -> App:
    App.objects.anonymous()
    return App.objects.create(name="camera", new_photos_per_day=5)


@pytest.fixture(params=["pending", "rolled up", "half"])
def history(request: pytest.FixtureRequest, camera: App) -> None:
    """Two days of `camera` and of nobody, in each state that figures are read in."""

    def first_half() -> None:
        log(YESTERDAY, app=camera, user_id="anna", cost=Decimal("0.01"))
        log(YESTERDAY, app=camera, user_id="Anna", from_cache=True, saved=Decimal("0.01"))
        log(YESTERDAY, user_id="anna", cost=Decimal("0.02"))

    def second_half() -> None:
        log(app=camera, user_id="anna", outcome="quota_exceeded", source="")
        log(app=camera, user_id="ben", cost=Decimal("0.01"))
        log(app=camera, user_id="anna", from_cache=True)
        log(user_id="ben", outcome="invalid_image", source="")

    with time_machine.travel(NOW, tick=False) as clock:
        first_half()
        if request.param == "rolled up":
            second_half()
        if request.param != "pending":
            for _ in range(2):
                list(chunks.roll_up())
                clock.shift(A_WHILE)
            list(chunks.roll_up())
        if request.param != "rolled up":
            second_half()


def figures() -> Any:
    return current_figures()


@pytest.mark.parametrize("rolled", ["pending", "rolled up"])
def test_an_app_spent_what_the_ledger_says(camera: App, admin_client: Client, rolled: str) -> None:
    """Failed calls were billed, too; one ended after midnight, and one was staff's trial."""
    with time_machine.travel(NOW, tick=False) as clock:
        log(YESTERDAY, app=camera, outcome="model_bad_reply", source="")
        call(YESTERDAY, app_id=camera.pk, outcome="model_bad_reply", cost=Decimal("0.01"))
        call(app_id=camera.pk, cost=Decimal("0.02"))
        call(app_id=camera.pk, billed="perhaps", cost=Decimal("0.04"))
        call(app_id=STAFF_ID, cost=Decimal("0.08"))
        log(cost=Decimal("0.16"))
        if rolled == "rolled up":
            for _ in range(3):
                list(chunks.roll_up())
                clock.shift(A_WHILE)
        with figures() as found:
            of_apps = found.apps(YESTERDAY.date(), TODAY)
            days = found.app_days(camera.pk, YESTERDAY.date(), TODAY)
            sums = [found.app_sums(pk, YESTERDAY.date(), TODAY) for pk in (camera.pk, 1)]
        page = admin_client.get(reverse("app", args=[camera.pk]))

    spent = {row["app_id"]: row["estimated_cost"] for row in of_apps}
    assert spent == {camera.pk: Decimal("0.03"), 1: Decimal("0.16")}
    assert [row["estimated_cost"] for row in sums] == [Decimal("0.03"), Decimal("0.16")]
    assert [(row["date"], row["estimated_cost"]) for row in days] == [
        (YESTERDAY.date(), Decimal("0.01")),
        (TODAY, Decimal("0.02")),
    ]
    assert page.status_code == 200


@pytest.mark.usefixtures("history")
def test_each_app_has_its_own_figures_and_the_rest_is_anonymous(camera: App) -> None:
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False), figures() as found:
        of_apps = found.apps(YESTERDAY.date(), TODAY)
        days = found.app_days(camera.pk, YESTERDAY.date(), TODAY)
        anonymous_days = found.app_days(1, YESTERDAY.date(), TODAY)

    assert [row["app_id"] for row in of_apps] == [camera.pk, 1]
    assert [
        (row["total_requests"], row["cache_hits"], row["new_photos"], row["failed_requests"])
        for row in of_apps
    ] == [(5, 2, 2, 1), (2, 0, 1, 1)]
    assert [row["estimated_cost"] for row in of_apps] == [Decimal("0.02"), Decimal("0.02")]
    assert [row["cost_saved"] for row in of_apps] == [Decimal("0.01"), 0]
    assert [(row["date"], row["total_requests"]) for row in days] == [
        (YESTERDAY.date(), 2),
        (TODAY, 3),
    ]
    assert [row["total_requests"] for row in anonymous_days] == [1, 1]


@pytest.mark.usefixtures("history")
def test_failures_and_users_are_the_apps_own(camera: App) -> None:
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False), figures() as found:
        days = (YESTERDAY.date(), TODAY)
        errors = [found.app_errors(app_id, *days) for app_id in (camera.pk, 1)]
        users = found.app_users(camera.pk, *days, 2)

    assert errors == [
        [{"error_code": "quota_exceeded", "count": 1}],
        [{"error_code": "invalid_image", "count": 1}],
    ]
    assert [(row["user_id"], row["request_count"], row["cache_hits"]) for row in users] == [
        ("anna", 3, 1),
        ("Anna", 1, 1),
    ]


@pytest.mark.usefixtures("history")
def test_staff_see_the_apps_on_pages_and_as_json(camera: App, admin_client: Client) -> None:
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        listed = admin_client.get(reverse("apps")).content.decode()
        page = admin_client.get(reverse("app", args=[camera.pk])).content.decode()
        answer = admin_client.get("/api/v1/stats/apps?days=2").json()

    assert "camera" in listed
    assert "5" in page
    assert "anna" in page
    assert [row["app"] for row in answer["data"]] == ["camera", "anonymous"]
    assert answer["data"][0]["estimated_cost"] == 0.02


@pytest.mark.usefixtures("history")
def test_the_dashboard_shows_one_app_or_all(camera: App, admin_client: Client) -> None:
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        whole, of_camera, of_nobody = (
            admin_client.get(f"/?last=7d{app}").context["dashboard"]
            for app in ("", "&app=camera", "&app=anonymous")
        )

    assert sums(of_camera.today) == (3, 1, 1, 1, Decimal("0.01"), 0)
    assert sums(of_camera.trend["sums"]) == (5, 2, 2, 1, Decimal("0.02"), Decimal("0.01"))
    assert of_camera.today["unique_users"] == 2
    assert [row["user_id"] for row in of_camera.users] == ["anna", "ben"]
    assert [row["total_requests"] for row in of_camera.trend["points"]] == [0] * 5 + [2, 3]
    assert of_camera.trend["errors"] == [{"error_code": "quota_exceeded", "count": 1}]
    assert of_camera.efficiency is None
    # Whoever asked with and without a key would be counted twice.
    assert "unique_users" not in of_nobody.today
    assert added(of_camera.today, of_nobody.today) == everybodys(whole.today)
    assert added(of_camera.trend["sums"], of_nobody.trend["sums"]) == everybodys(
        whole.trend["sums"]
    )


FIGURES = ("total_requests", "cache_hits", "failed_requests", "estimated_cost", "cost_saved")


def sums(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in (*FIGURES[:2], "new_photos", *FIGURES[2:]))


def added(one: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    return [one[name] + other[name] for name in FIGURES]


def everybodys(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in FIGURES]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("app", ["camera", "anonymous"])
def test_each_figure_of_an_app_leads_to_exactly_its_rows(admin_client: Client, app: str) -> None:
    """The number that is shown, and the rows of the list that a click on it opens."""
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        page = admin_client.get(f"/?last=7d&app={app}").content.decode()
        found = log_links(page)
        assert len(found) >= 3
        assert all("app=" in address for address in found)
        assert found == {address: rows_in_log(admin_client, address) for address in found}


@pytest.mark.usefixtures("history")
def test_an_app_is_kept_in_the_addresses_and_what_is_of_all_apps_left_out(
    admin_client: Client,
) -> None:
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        page = admin_client.get("/?app=camera&last=7d").content.decode()
        unknown = admin_client.get("/?app=nobody")

    assert 'href="?app=camera&amp;last=90d"' in page
    assert 'hx-get="/?app=camera&amp;last=7d"' in page
    assert "last=24h" not in page
    for of_all in ("card categories", "card cache", "card popular", "users.csv"):
        assert of_all not in page
    assert unknown.status_code == 404


@pytest.mark.usefixtures("history")
def test_the_range_of_an_app_is_served_as_json(admin_client: Client) -> None:
    address = "/api/v1/stats/range?app=camera"
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        # Days that the range touches are counted whole.
        answer = admin_client.get(f"{address}&start=2026-03-01T09:00&end=2026-03-02T09:00").json()
        by_hour = admin_client.get(f"{address}&last=24h&step=hour")
        unknown = admin_client.get("/api/v1/stats/range?app=nobody&last=7d")

    assert answer["data"]["start"] == "2026-03-01T00:00:00+08:00"
    assert answer["data"]["end"] == "2026-03-03T00:00:00+08:00"
    assert answer["data"]["step"] == "day"
    assert answer["data"]["sums"]["total_requests"] == 5
    assert [point["total_requests"] for point in answer["data"]["points"]] == [2, 3]
    assert answer["data"]["categories"] is None
    assert by_hour.status_code == unknown.status_code == 400


def test_pages_of_apps_are_for_staff(client: Client, camera: App) -> None:
    for address in (reverse("apps"), reverse("app", args=[camera.pk])):
        assert client.get(address)["Location"].startswith("/admin/login/")
    assert client.get("/api/v1/stats/apps").status_code == 401


def test_an_app_that_has_not_asked_has_a_page(admin_client: Client, camera: App) -> None:
    assert admin_client.get(reverse("app", args=[camera.pk])).status_code == 200
    assert admin_client.get(reverse("app", args=[999])).status_code == 404


@pytest.mark.usefixtures("history")
def test_apps_are_exported(camera: App, capfdbinary: Any) -> None:
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        run("export_stats", "--report", "apps", "--format", "json", "--from", "2026-03-01")

    assert b'"app": "camera"' in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("provider", "limit", "limits", "warned"),
    [
        ("aliyun", None, (), True),
        ("aliyun", Decimal(5), (), False),
        ("local", None, (), False),
        ("aliyun", None, ("--new-photos-per-day", "9"), False),
        ("aliyun", None, ("--off",), False),
    ],
)
def test_the_dashboard_says_when_anybody_can_spend(
    admin_client: Client,
    settings: Settings,
    provider: str,
    limit: Decimal | None,
    limits: tuple[str, ...],
    warned: bool,
) -> None:
    settings.LLM_PROVIDER, settings.DAILY_COST_LIMIT = provider, limit
    if limits:
        run("create_app", "anonymous", *limits)
    page = admin_client.get("/").content.decode()

    assert ("create_app anonymous" in page) is warned
