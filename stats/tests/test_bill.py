"""The bill: every call once, whose it was, what the month will cost, and the provider's file."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from classification.models import STAFF_ID, ModelCall
from clients.models import App
from stats import aggregations
from stats.bill.provider_file import UnreadableBill, read_bill
from stats.figures import current_figures
from stats.rollup import chunks
from tests.support.api import upload
from tests.support.apps import bearer, make_app
from tests.support.dashscope_server import DashScopeServer
from tests.support.history import A_WHILE, NOW, SHANGHAI, call, log
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture
def camera() -> App:
    App.objects.anonymous()
    return App.objects.create(name="camera")


def roll_up(clock: Any) -> None:
    for _ in range(2):
        list(chunks.roll_up())
        clock.shift(A_WHILE)
    list(chunks.roll_up())


@pytest.mark.parametrize("rolled", ["nothing", "half", "all"])
def test_every_call_is_its_apps_once_however_far_it_is_rolled_up(camera: App, rolled: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        call(YESTERDAY, app_id=camera.pk, cost=Decimal("0.01"), cached_tokens=300)
        call(YESTERDAY, cost=Decimal("0.02"))
        call(app_id=STAFF_ID, cost=Decimal("0.04"))
        if rolled == "half":
            roll_up(clock)
        call(app_id=camera.pk, model="qwen-vl-max", billed="perhaps", cost=Decimal("0.05"))
        call(cost=Decimal("0.03"))
        if rolled == "all":
            roll_up(clock)
        with current_figures() as figures:
            rows = figures.bill(YESTERDAY.date(), TODAY)

    assert [
        (row["day"], row["model"], row["app_id"], row["calls"], row["billed_cost"]) for row in rows
    ] == [
        (YESTERDAY.date(), "qwen-vl-plus", 1, 1, Decimal("0.02")),
        (YESTERDAY.date(), "qwen-vl-plus", camera.pk, 1, Decimal("0.01")),
        (TODAY, "qwen-vl-max", camera.pk, 1, 0),
        (TODAY, "qwen-vl-plus", STAFF_ID, 1, Decimal("0.04")),
        (TODAY, "qwen-vl-plus", 1, 1, Decimal("0.03")),
    ]
    assert rows[1]["cached_tokens"] == 300
    assert rows[2]["perhaps_billed_cost"] == Decimal("0.05")


def test_an_upload_with_a_key_is_billed_to_its_app(client: Client, model: DashScopeServer) -> None:
    assert upload(client, photo(), headers=bearer(make_app("camera"))).status_code == 200
    assert upload(client, photo(seed=2)).status_code == 200

    apps = list(ModelCall.objects.order_by("pk").values_list("app_id", flat=True))
    assert apps == [App.objects.get(name="camera").pk, 1]


def test_a_photo_of_the_test_page_is_staffs_trial(
    admin_client: Client, model: DashScopeServer
) -> None:
    assert upload(admin_client, photo()).status_code == 200
    assert ModelCall.objects.get().app_id == STAFF_ID


@pytest.mark.parametrize("rolled", ["nothing", "half", "all"])
def test_who_costs_money_is_told_by_yuan_and_new_photos(rolled: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        log(user_id="hits", from_cache=True, ip_address="192.0.2.9")
        log(user_id="dear", cost=Decimal("0.02"))
        log(YESTERDAY, user_id="before", cost=Decimal("9"))
        if rolled == "half":
            roll_up(clock)
        log(user_id="cheap", cost=Decimal("0.01"))
        log(user_id="dear", cost=Decimal("0.02"))
        log(user_id="failed", outcome="model_timeout", ip_address="192.0.2.9")
        if rolled == "all":
            roll_up(clock)
        with current_figures() as figures:
            users = figures.spenders(aggregations.DAY_USERS, TODAY, 10)
            addresses = figures.spenders(aggregations.ADDRESSES, TODAY, 10)

    assert users == [
        {"name": "dear", "new_photos": 2, "cost": Decimal("0.04")},
        {"name": "cheap", "new_photos": 1, "cost": Decimal("0.01")},
    ]
    assert addresses == [{"name": "192.0.2.1", "new_photos": 3, "cost": Decimal("0.05")}]


def test_the_forecast_goes_on_like_the_days_before() -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=SHANGHAI)
    with time_machine.travel(noon, tick=False):
        call(noon - timedelta(days=2), cost=Decimal(2))
        call(noon - timedelta(days=1), cost=Decimal(4))
        call(noon, cost=Decimal(1))
        with current_figures() as figures:
            month_end = figures.month_end(noon.date())

    # 7 so far, and 3 a day for the second half of today and two more days.
    assert month_end == Decimal("14.5")


def test_nothing_is_foretold_without_a_full_day() -> None:
    with time_machine.travel(NOW, tick=False):
        call()
        with current_figures() as figures:
            assert figures.month_end(TODAY) is None


BILLS = {
    "console": (
        "主键,账单日期,账单月份,产品code,优惠后金额,现金支付金额,定价币种\n"
        "r1,2026-03-01,2026-03,sfm,10.5,2.5,CNY\n"
        "r2,2026-03-02,2026-03,sfm,5,1.25,CNY\n"
        "r3,2026-03-02,2026-03,ecs,99,99,CNY\n"
    ),
    "details": (
        "账期,消费时间,产品名称,实例ID,应付金额（元）,币种\r\n"
        '2026-03,2026/3/1 08:00:00,大模型服务平台百炼,x,"10.50",CNY\r\n'
        "2026-03,2026/3/2 09:00:00,大模型服务平台百炼,x,￥5,CNY\r\n"
        "2026-03,2026/3/2 09:00:00,云服务器 ECS,x,99,CNY\r\n"
    ),
    "api": (
        "BillingCycle\tBillingDate\tProductName\tPretaxAmount\tCurrency\n"
        "2026-03\t2026-03-01\tAlibaba Cloud Model Studio\t10.5\tCNY\n"
        "2026-03\t2026-03-02\tAlibaba Cloud Model Studio\t5\tCNY\n"
        "2026-03\t2026-03-02\tElastic Compute Service\t99\tCNY\n"
    ),
}


@pytest.mark.parametrize("text", BILLS.values(), ids=BILLS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_the_providers_bill_is_read_by_the_names_of_its_columns(text: str, encoding: str) -> None:
    bill = read_bill(text.encode(encoding))

    assert {f"{day}": yuan for day, yuan in bill.by_day.items()} == {
        "2026-03-01": Decimal("10.5"),
        "2026-03-02": 5,
    }
    assert (bill.rows, bill.other_rows, bill.total) == (2, 1, Decimal("15.5"))


@pytest.mark.parametrize(
    "text",
    ["2026-11-28", "2026/11/28 09:00:00", "20261128", "20261128093000", "2026年11月28日"],
)
def test_a_day_may_be_written_in_several_ways(text: str) -> None:
    bill = read_bill(f"账单日期,应付金额\n{text},1\n".encode())

    assert bill.by_day == {date(2026, 11, 28): 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04\x00\xff\xfe",
        "账单日期,用量\n2026-03-01,3\n".encode(),
        "产品,应付金额\nsfm,3\n".encode(),
        "账单日期,应付金额\n2026-03-01,=SUM(A1)\n".encode(),
        "账单日期,应付金额\n2026-13-01,1\n".encode(),
        "账单日期,应付金额\n2026-11,1\n".encode(),
        "账单日期,应付金额\n202611,1\n".encode(),
        "账单日期,应付金额,币种\n2026-03-01,1,USD\n".encode(),
        "账单日期,应付金额,产品code\n2026-03-01,1,ecs\n".encode(),
        "账单日期,应付金额\n2026-03-01,NaN\n".encode(),
        "账单日期,应付金额\n2026-03-01,9e999999\n".encode(),
        b'"' + b"a" * 200_000,
    ],
)
def test_what_is_no_bill_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(UnreadableBill, match=r"\S"):
        read_bill(data)


def test_the_page_shows_a_bill_beside_the_ledger(admin_client: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        call(YESTERDAY, cost=Decimal(10))
        call(cost=Decimal(4), billed="yes")
        call(cost=Decimal(1), billed="perhaps")
        file = SimpleUploadedFile("bill.csv", BILLS["console"].encode())
        page: Any = admin_client.post(reverse("bill-check"), {"file": file})

    assert [
        (f"{row['day']}", row["theirs"], row["ours"], row["perhaps"], row["difference"])
        for row in page.context["comparison"]
    ] == [
        ("2026-03-01", Decimal("10.5"), 10, 0, Decimal("0.5")),
        ("2026-03-02", 5, 4, 1, 1),
    ]


def test_a_wrong_file_is_refused_on_the_page(admin_client: Client) -> None:
    file = SimpleUploadedFile("bill.csv", b"name,size\na,1\n")
    page = admin_client.post(reverse("bill-check"), {"file": file})

    assert page.status_code == 400
    assert "应付金额" in page.content.decode()


def test_a_month_that_is_none_is_this_one(admin_client: Client) -> None:
    months = ("0001-01", "9999-12", "2026-13", "x")
    with time_machine.travel(NOW, tick=False):
        pages = [admin_client.get(reverse("bill"), {"month": month}) for month in months]

    assert [page.context["month"] for page in pages] == [TODAY.replace(day=1)] * 4


def address_of(report: str) -> str:
    return reverse("download", args=[report, "csv"])


def test_the_bill_is_for_those_who_may_see_the_ledger(client: Client) -> None:
    user = User.objects.create_user("somebody", is_staff=True)
    client.force_login(user)

    def status(address: str) -> int:
        response = client.get(address)
        list(response)  # which closes the file of a download
        return response.status_code

    of_calls = [reverse("bill"), *(address_of(report) for report in ("bill", "ledger"))]
    of_requests = [address_of(report) for report in ("days", "categories", "users", "apps")]

    user.user_permissions.set(Permission.objects.filter(codename="view_requestlog"))
    assert {status(address) for address in of_calls} == {403}
    assert {status(address) for address in of_requests} == {200}

    user.user_permissions.set(Permission.objects.filter(codename="view_modelcall"))
    assert {status(address) for address in of_calls} == {200}
    assert {status(address) for address in of_requests} == {403}


def test_downloads_are_of_the_days_that_are_asked_for(admin_client: Client, camera: App) -> None:
    with time_machine.travel(NOW, tick=False):
        call(YESTERDAY, app_id=camera.pk, cost=Decimal("0.5"))
        call(app_id=camera.pk)
        days = {"from": f"{YESTERDAY:%F}", "to": f"{YESTERDAY:%F}"}
        table = admin_client.get(reverse("download", args=["bill", "csv"]), days)
        book = admin_client.get(reverse("download", args=["bill", "xlsx"]), days)
        wrong = admin_client.get(reverse("download", args=["bill", "csv"]), {"from": "x"})
        endless = admin_client.get(reverse("download", args=["days", "csv"]), {"to": "2999-12-31"})

    text = table.getvalue().decode()
    assert text.startswith("\ufeff")
    assert [line.split(",")[:3] for line in text.splitlines()[1:]] == [
        [f"{YESTERDAY:%F}", "qwen-vl-plus", "camera"]
    ]
    assert book.getvalue().startswith(b"PK")
    assert [wrong.status_code, endless.status_code] == [400, 400]
