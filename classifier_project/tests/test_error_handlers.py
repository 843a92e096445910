"""What a person sees of a page that cannot be shown."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client

POLICY = "style-src 'self';"


def test_an_unknown_page_leads_back(admin_client: Client) -> None:
    response = admin_client.get("/nothing/here/")
    text = response.content.decode()

    assert response.status_code == 404
    assert "页面不存在" in text
    assert response.headers["X-Request-ID"] in text
    assert POLICY in response.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_staff_without_the_right_are_told(client: Client) -> None:
    client.force_login(User.objects.create_user("guest", is_staff=True))
    response = client.get("/admin/classification/cacheentry/")

    assert response.status_code == 403
    assert "没有此权限" in response.content.decode()


@pytest.mark.django_db
def test_a_form_that_is_out_of_date_says_so(admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    response = client.post("/prompt/draft/", {"text": "x"})

    assert response.status_code == 403
    assert "表单已过期" in response.content.decode()


@pytest.mark.django_db
def test_a_page_without_its_database_says_so_and_comes_back(
    admin_client: Client,
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError(2013, "Lost connection to server during query")

    admin_client.raise_request_exception = False
    with connection.execute_wrapper(away):
        response = admin_client.get("/")
        posted = admin_client.post("/prompt/draft/")

    assert response.status_code == 503
    assert "数据库暂时不可用" in response.content.decode()
    assert int(response.headers["Refresh"]) == int(response.headers["Retry-After"]) > 0
    assert posted.status_code == 503
    assert "Refresh" not in posted.headers  # it would be loaded again as something else
    assert admin_client.get("/").status_code == 200
