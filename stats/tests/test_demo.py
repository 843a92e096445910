"""A made-up history leaves no trace when it is removed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from classification.models import CacheEntry, ModelCall, RequestLog
from stats import demo, models
from tests.support.history import data, figures, log

pytestmark = pytest.mark.django_db


def test_demo_data_looks_like_a_history(staff: Client, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_demo_data", "--days=20", "--requests=800")

    assert "800 requests written" in capsys.readouterr().out
    trend = data(staff, "trend?days=20")
    assert sum(day["total_requests"] for day in trend) == RequestLog.objects.count() == 800
    assert all(day["total_requests"] > 0 for day in trend)
    assert len(data(staff, "category-distribution")) >= 7
    assert 50 < data(staff, "today")["cache_hit_rate"] < 95
    assert ModelCall.objects.filter(billed="perhaps").exists()


@pytest.mark.parametrize("is_added_up", [True, False])
def test_removing_it_leaves_what_was_there(staff: Client, is_added_up: bool) -> None:
    log(timezone.now())
    before = figures(staff)
    call_command("seed_demo_data", "--days=3", "--requests=300")
    if is_added_up:
        call_command("roll_up_stats")
    between = figures(staff)
    call_command("seed_demo_data", "--remove")

    assert between["today"]["total_requests"] > 1
    assert figures(staff) == before
    assert RequestLog.objects.count() == 1
    assert not CacheEntry.objects.exists()
    assert not ModelCall.objects.exists()
    assert not models.User.objects.filter(user_id__startswith=demo.USER).exists()


def test_removing_it_after_a_purge_leaves_what_was_there(staff: Client) -> None:
    for age in (0, 1, 5):
        log(timezone.now() - timedelta(days=age), cost=Decimal(1))
    before = figures(staff)
    call_command("seed_demo_data", "--days=9", "--requests=300")
    call_command("roll_up_stats")
    call_command("purge_request_log", "--older-than=2")
    between = figures(staff)
    call_command("seed_demo_data", "--remove")

    assert sum(day["total_requests"] for day in between["trend?days=7"]) > 100
    assert figures(staff) == before
    assert RequestLog.objects.count() == 2
    assert not models.Minute.objects.filter(requests__gt=1).exists()
    assert models.Day.objects.count() == 3


def test_it_is_not_written_twice() -> None:
    call_command("seed_demo_data", "--requests=10")
    with pytest.raises(CommandError, match="--remove"):
        call_command("seed_demo_data", "--requests=10")
