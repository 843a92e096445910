"""Apps and staff ask that a person be forgotten, or for what is kept of them."""

import json
import logging
from importlib import import_module
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from classification.models import RequestLog
from classification.pipeline.write_behind import buffer
from privacy import worker
from privacy.models import Erasure
from tests.support.api import check_cache, make_entry
from tests.support.apps import assert_refused, bearer, make_app

pytestmark = pytest.mark.django_db

ANNA = "anna-7f3"
USER = f"/api/v1/users/{ANNA}"
ANONYMOUS_REQUESTER = {
    "request_log": 0,
    "declared_hashes": 0,
    "votes": 0,
    "figures": 0,
    "limits": 0,
}


@pytest.fixture
def keys(client: Client) -> dict[str, dict[str, str]]:
    """Two apps, that both have a user of this name."""
    make_entry()
    keys = {name: bearer(make_app(name)) for name in ("camera", "album")}
    for key in keys.values():
        check_cache(client, user_id=ANNA, headers=key)
    buffer.flush()
    return keys


def staff_of(role: str) -> User:
    user = User.objects.create_user(f"a-{role}", is_staff=True)
    group, _ = Group.objects.get_or_create(name=role)
    if role == "operator":  # as its migration has it; tests that commit empty every table
        codes = ("find_person", "forget_person")
        group.permissions.add(*Permission.objects.filter(codename__in=codes))
    user.groups.add(group)
    return user


def apps_of_anna() -> list[str]:
    names = RequestLog.objects.filter(user_id=ANNA).order_by("pk")
    return list(names.values_list("app__name", flat=True))


def exported(response: Any) -> Any:
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    return json.loads(b"".join(response.streaming_content))


def test_an_app_exports_and_forgets_its_own_user(
    client: Client, keys: dict[str, dict[str, str]]
) -> None:
    reply = client.get(f"{USER}/export", headers=keys["camera"])
    found = exported(reply)
    assert (found["success"], found["request_id"]) == (True, reply["X-Request-ID"])
    assert [row["app"] for row in found["request_log"]] == ["camera"]

    answer = client.delete(USER, headers=keys["camera"])
    assert answer.status_code == 202
    assert answer.json()["data"]["rows"] == ANONYMOUS_REQUESTER | {"request_log": 1}
    worker.run_all()
    assert apps_of_anna() == ["album"]
    receipt = Erasure.objects.get(pk=answer.json()["data"]["receipt"])
    assert (receipt.requested_by, receipt.user_id) == ("app camera", None)
    again = client.delete(USER, headers=keys["camera"]).json()["data"]["rows"]
    assert again == ANONYMOUS_REQUESTER


@pytest.mark.parametrize(
    "user_id",
    ["a/export", "export", "a/export/export", "/a/", "..", "a/../b", "a%2Fb", "a\nb", "小?#"],
)
def test_an_id_may_be_any_text(
    client: Client, keys: dict[str, dict[str, str]], user_id: str
) -> None:
    check_cache(client, user_id=user_id, headers=keys["camera"])
    buffer.flush()
    address = f"/api/v1/users/{quote(user_id, safe='')}"
    found = exported(client.get(f"{address}/export", headers=keys["camera"]))
    answer = client.delete(address, headers=keys["camera"])

    assert (found["user_id"], len(found["request_log"])) == (user_id, 1)
    assert answer.json()["data"]["rows"]["request_log"] == 1


def test_operators_do_it_for_all_apps_or_for_one(
    client: Client, keys: dict[str, dict[str, str]]
) -> None:
    token = {"Authorization": f"Token {Token.objects.create(user=staff_of('operator')).key}"}
    found = exported(client.get(f"{USER}/export", headers=token))
    assert len(found["request_log"]) == 2

    assert client.delete(f"{USER}?app=nobody", headers=token).status_code == 404
    client.delete(f"{USER}?app=album", headers=token)
    worker.run_all()
    assert apps_of_anna() == ["camera"]
    client.delete(USER, headers=token)
    worker.run_all()
    assert apps_of_anna() == []
    said = list(LogEntry.objects.values_list("user__username", "change_message"))
    assert len(said) == 3
    assert all(ANNA not in message for _, message in said)


def test_nobody_else_may(client: Client, keys: dict[str, dict[str, str]]) -> None:
    body = {"user_id": ANNA}
    made = client.post("/api/v1/auth/token", body, "application/json", headers=keys["camera"])
    viewer = {"Authorization": f"Token {Token.objects.create(user=staff_of('viewer')).key}"}
    for method, address in ((client.delete, USER), (client.get, f"{USER}/export")):
        assert_refused(method(address))
        assert_refused(method(address, headers=bearer(made.json()["token"])))
        assert method(address, headers=viewer).status_code == 403
    assert not Erasure.objects.exists()


def test_the_id_reaches_no_log(
    client: Client, keys: dict[str, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client.delete(USER, headers=keys["camera"])
        worker.run_all()
        client.delete(f"{USER}\x00", headers=keys["camera"])
    lines = [each for each in caplog.records if not each.name.startswith("django.db")]
    assert not any(ANNA in record.getMessage() for record in lines)


def test_an_operator_finds_exports_and_forgets_on_the_page(
    client: Client, keys: dict[str, dict[str, str]]
) -> None:
    client.force_login(staff_of("operator"))
    form = {"user_id": ANNA, "app": ""}
    assert "还没有" in client.get(reverse("privacy")).text
    found = client.post(reverse("privacy-find"), form)
    assert '<td class="number">2</td>' in found.text
    file = client.post(reverse("privacy-export"), form)
    assert len(exported(file)["request_log"]) == 2
    assert ANNA not in file["Content-Disposition"]

    refused = client.post(reverse("privacy-forget"), form | {"typed": "ben"})
    assert (refused.status_code, Erasure.objects.count()) == (200, 0)
    assert "两次输入的 ID 不同" in refused.text
    done = client.post(reverse("privacy-forget"), form | {"typed": ANNA}, follow=True)
    assert "正在删除" in done.text
    assert ANNA not in done.text
    worker.run_all()
    assert apps_of_anna() == []
    assert "request_log&nbsp;2" in client.get(reverse("privacy")).text


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_other_roles_do_not_see_the_page(client: Client, role: str) -> None:
    client.force_login(staff_of(role))
    assert client.get(reverse("privacy")).status_code == 403
    for name in ("privacy-find", "privacy-export", "privacy-forget"):
        assert client.post(reverse(name), {"user_id": ANNA, "typed": ANNA}).status_code == 403
    assert reverse("privacy") not in client.get("/").text


def test_operators_have_the_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    operator, _ = Group.objects.get_or_create(name="operator")
    operator.permissions.clear()
    config = apps.get_app_config("privacy")
    monkeypatch.setattr(config, "models_module", config.models_module)  # put back afterwards
    import_module("privacy.migrations.0002_operators").permit(apps, None)

    codes = operator.permissions.filter(content_type__app_label="privacy")
    assert set(codes.values_list("codename", flat=True)) == {"find_person", "forget_person"}
