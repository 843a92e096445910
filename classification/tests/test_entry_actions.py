"""What staff do to many entries at once: asked first, exactly as said, taken back, written down."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from classification.admin.tables import FirstRowsPaginator
from classification.models import CacheEntry
from classification.pipeline import answer_cache
from tests.support.api import make_entry

pytestmark = pytest.mark.django_db

ENTRIES = reverse("admin:classification_cacheentry_changelist")


def act(client: Client, action: str, *entries: CacheEntry, **fields: str) -> Any:
    selected = [str(entry.pk) for entry in entries]
    form = {"action": action, "_selected_action": selected} | fields
    return client.post(ENTRIES, form, follow=True)


def form_of(page: Any) -> dict[str, Any]:
    """The hidden fields of a page that asks once more."""
    text = page.content.decode()
    found = re.findall(r'<input type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', text)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def entries(count: int) -> list[CacheEntry]:
    return [make_entry(f"{number:064x}") for number in range(count)]


def test_marking_entries_stale_asks_first_and_names_the_cost(admin_client: Client) -> None:
    page = act(admin_client, "mark_ask_again", *entries(3)).content.decode()

    assert "已选中 3 条" in page
    assert "¥0.0036" in page
    assert not CacheEntry.objects.filter(ask_again=True).exists()


def test_marking_entries_stale_is_taken_back_and_written_down(admin_client: Client) -> None:
    kept, uploaded = entries(2)
    act(admin_client, "mark_ask_again", kept, uploaded, confirmed="yes")
    assert answer_cache.get(kept.image_hash) is None
    CacheEntry.objects.filter(pk=uploaded.pk).update(ask_again=False)
    answer = act(admin_client, "unmark_ask_again", kept, uploaded).content.decode()

    assert answer_cache.get(kept.image_hash)
    assert "1 条缓存已恢复使用" in answer
    messages = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert messages == ["已标记失效：2 条", "已撤销失效标记：1 条"]


@pytest.mark.parametrize("action", ["mark_ask_again", "purge"])
def test_all_means_the_rows_that_were_said_and_no_others(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(FirstRowsPaginator, "ROWS", 3)
    made = entries(5)
    page = act(admin_client, action, made[-1], select_across="1")
    assert "已选中 3 条" in page.content.decode()
    later = make_entry("f" * 64)
    admin_client.post(ENTRIES, form_of(page) | {"_selected_action": str(made[-1].pk)})

    left = CacheEntry.objects.filter(ask_again=False).order_by("pk")
    assert list(left) == [made[0], made[1], later]


@pytest.mark.parametrize("action", ["mark_ask_again", "unmark_ask_again", "purge"])
def test_a_viewer_does_nothing_to_entries(client: Client, action: str) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_cacheentry"))
    client.force_login(viewer)
    entry = make_entry(ask_again=action == "unmark_ask_again")
    act(client, action, entry, confirmed="yes")

    assert CacheEntry.objects.get().ask_again == entry.ask_again
    assert not LogEntry.objects.exists()
    assert entry.cost == Decimal("0.0012")
