"""The bill: laid beside the provider's, and downloaded; a viewer may, others may not."""

from decimal import Decimal

from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from clients.models import App
from tests.browser.conftest import wide_only
from tests.support.history import call


@wide_only
def test_a_viewer_compares_the_bill_and_downloads_it(page: Page, staff: User) -> None:
    staff.is_superuser = False
    staff.save()
    staff.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    camera = App.objects.create(name="camera")
    call(timezone.now(), app_id=camera.pk, cost=Decimal("2.5"))
    page.goto("/bill/")
    expect(page.get_by_role("heading", level=1)).to_have_text("账单")
    expect(page.locator(".figure .value").first).to_have_text("¥2.50")

    bill = f"账单日期,产品code,应付金额\n{timezone.localdate()},sfm,3\n"
    file = {"name": "bill.csv", "mimeType": "text/csv", "buffer": bill.encode()}
    page.locator("#bill-file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="对账").click()
    expect(page.locator("#check tbody tr")).to_contain_text("¥0.5000")

    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    table = started.value.path().read_text(encoding="utf-8-sig")
    assert f"{timezone.localdate()},qwen-vl-plus,camera,1,1," in table
