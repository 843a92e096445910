"""How often people agree with the model, as staff read it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from quality.feedback.rates import Row
from quality.templatetags.agreement import agreement_card
from tests.support.api import HASH, make_entry
from tests.support.apps import make_app
from tests.support.votes import token_of, vote

pytestmark = pytest.mark.django_db

PAGE = reverse("quality-agreement")
OTHER = "bb" * 32
Counts = dict[str, tuple[int, int]]


@pytest.fixture
def votes(client: Client) -> None:
    """One user with a token who agrees; three others, of whom one does, on another model's."""
    make_entry(HASH)
    make_entry(OTHER, category="foods", model_used="qwen-vl-max", prompt_version=2)
    vote(client, "pets", headers=token_of(client, make_app(), "anna"))
    vote(client, "foods", OTHER, user_id="anna")
    vote(client, "other", OTHER, user_id="ben")
    with time_machine.travel(timezone.now() - timedelta(days=10), tick=False):
        vote(client, "other", OTHER)


def tables(response: Any) -> list[dict[str, Counts]]:
    """What the page shows: agreeing and votes by voter, where there are any."""
    return [
        {
            label: {
                voter: (found.agreeing, found.votes)
                for voter, found in row.by_voter.items()
                if found.votes
            }
            for label, row in table["rows"]
        }
        for table in response.context["tables"]
    ]


def test_agreement_is_told_by_model_prompt_category_and_day(
    admin_client: Client, votes: None
) -> None:
    by_model, by_category, by_day = tables(admin_client.get(PAGE))
    today = f"{timezone.localdate()}"
    before = f"{timezone.localdate() - timedelta(days=10)}"

    others: Counts = {"name": (1, 2), "address": (0, 1)}
    assert by_model == {"qwen-vl-max · v2": others, "qwen-vl-plus · v1": {"token": (1, 1)}}
    assert by_category == {"美食记录": others, "宠物萌照": {"token": (1, 1)}}
    assert by_day == {
        today: {"token": (1, 1), "name": (1, 2)},
        before: {"address": (0, 1)},
    }
    assert list(by_day) == [today, before]


def test_only_the_days_that_are_asked_for_count(admin_client: Client, votes: None) -> None:
    by_day = tables(admin_client.get(PAGE, {"days": "7"}))[2]

    assert list(by_day) == [f"{timezone.localdate()}"]


def test_the_dashboard_shows_it_once_there_are_votes(client: Client, admin_client: Client) -> None:
    hidden = 'class="card agreement" hidden'
    assert hidden in admin_client.get("/").content.decode()
    make_entry()
    vote(client, "pets", headers=token_of(client, make_app(), "anna"))
    page = admin_client.get("/").content.decode()

    assert hidden not in page
    assert "100.0%" in page
    assert PAGE in page


def test_the_dashboard_tells_it_by_category_and_day_too(
    client: Client,
    admin_client: Client,
    votes: None,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(3):
        card = agreement_card()

    def counts(row: Row) -> Counts:
        found = row.by_voter.items()
        return {voter: (each.agreeing, each.votes) for voter, each in found if each.votes}

    assert {row.key: counts(row) for row in card["categories"]} == {
        ("foods",): {"name": (1, 2), "address": (0, 1)},
        ("pets",): {"token": (1, 1)},
    }
    assert counts(card["recent"]) == {"token": (1, 1), "name": (1, 2)}
    # Today all agree, half of them, and nobody votes; ten days before, one votes otherwise.
    assert card["bars"] == ["M116 24v-24.0h3v24.0z", "M116 24v-12.0h3v12.0z", "M76 24v-0.5h3v0.5z"]
    page = admin_client.get("/").content.decode()
    assert all(path in page for path in card["bars"])
    assert "美食记录" in page


def test_all_staff_see_it_and_nobody_else(client: Client) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(User.objects.create_user("viewer", is_staff=True))

    assert client.get(PAGE).status_code == 200
