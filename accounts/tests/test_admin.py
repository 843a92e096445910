"""The admin's forms of accounts and groups, which may stay open while others change the same."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from tests.support.html_forms import input_values

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin() -> User:
    user = User.objects.create_user("lin", password="a-long-word-7", is_staff=True)
    user.groups.set([Group.objects.create(name="day"), Group.objects.create(name="night")])
    return user


def page_of(row: Any) -> str:
    return reverse(f"admin:auth_{row._meta.model_name}_change", args=[row.pk])


def open_form(staff: Client, row: Any) -> dict[str, Any]:
    return input_values(staff.get(page_of(row)).content.decode())


def test_an_open_form_does_not_give_back_what_was_taken_meanwhile(
    admin_client: Client, lin: User
) -> None:
    form = open_form(admin_client, lin)
    User.objects.filter(pk=lin.pk).update(is_active=False, is_staff=False)
    lin.groups.remove(Group.objects.get(name="night"))
    saved = admin_client.post(page_of(lin), form | {"email": "lin@example.com"})

    assert saved.status_code == 302
    now = User.objects.get(pk=lin.pk)
    assert (now.is_active, now.is_staff, now.email) == (False, False, "lin@example.com")
    assert [group.name for group in now.groups.all()] == ["day"]
    assert now.check_password("a-long-word-7")


def test_an_account_is_changed_in_one_form(admin_client: Client, lin: User) -> None:
    form = open_form(admin_client, lin)
    right = Permission.objects.get(codename="view_app")
    night = Group.objects.get(name="night")
    changes: dict[str, Any] = {"user_permissions": [right.pk], "groups": [night.pk]}
    admin_client.post(page_of(lin), form | changes | {"is_active": ""})

    now = User.objects.get(pk=lin.pk)
    assert (now.is_active, now.is_staff) == (False, True)
    assert [*now.user_permissions.all(), *now.groups.all()] == [right, night]


def test_two_open_forms_do_not_undo_each_other(admin_client: Client, lin: User) -> None:
    group = Group.objects.get(name="day")
    codes = ("view_app", "change_app", "view_appkey")
    view, change, keys = (Permission.objects.get(codename=code) for code in codes)
    group.permissions.set([view])
    form = open_form(admin_client, group)
    group.permissions.set([view, change])
    page = admin_client.post(page_of(group), form | {"permissions": [view.pk, keys.pk]})

    assert "请刷新页面后再修改" in page.content.decode()
    assert set(group.permissions.all()) == {view, change}
    admin_client.post(page_of(group), form | {"name": "by day"})
    group.refresh_from_db()
    assert (group.name, set(group.permissions.all())) == ("by day", {view, change})


def test_a_password_is_not_in_the_page(admin_client: Client, lin: User) -> None:
    page = admin_client.get(page_of(lin)).content.decode()

    assert lin.password.rsplit("$", 1)[1] not in page
