"""Take the README's pictures: python -m scripts.take_pictures, with Chromium and the dev packages.

Serves the site on a scratch database with made-up history and photographs every page, wide and
as on a phone.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import django
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
LOOKS = {"wide": (1440, 900), "phone": (390, 844)}
MAX_HEIGHT = 1500
NAME, PASSWORD = "staff", "take a picture"
START_SECONDS = 30


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/pictures.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "classifier_project.settings"
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        os.environ["DEBUG"] = "true"
        _prepare()
        with _server() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for look, size in LOOKS.items():
                _take_all(_log_in(browser, address, size), look)


def _prepare() -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from classification.models import PromptVersion

    call_command("migrate", verbosity=0)
    User.objects.create_superuser(NAME, password=PASSWORD)
    PromptVersion.objects.current()
    call_command("seed_demo_data", "--requests=40000", verbosity=0)


@contextmanager
def _server() -> Iterator[str]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "manage.py", "runserver", "--noreload", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603
    address = f"http://localhost:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/admin/login/")  # noqa: S310
        except URLError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("The server did not start.")


def _log_in(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    width, height = size
    page = browser.new_page(base_url=address, viewport={"width": width, "height": height})
    page.goto("/")
    page.locator("#id_username").fill(NAME)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").last.click()
    return page


def _take_all(page: Page, look: str) -> None:
    steps: dict[str, tuple[str, Callable[[Page], None]]] = {
        "dashboard": ("/", _dismiss_the_first_day),
        "wall": ("/?wall", lambda page: None),
        "test": ("/test/", _classify_two_photos),
        "prompt": ("/prompt/", _write_a_draft),
        "bill": ("/bill/", lambda page: None),
        "status": ("/status/", lambda page: None),
        "settings": ("/settings/", lambda page: None),
        "data": ("/admin/classification/cacheentry/", lambda page: None),
    }
    for name, (address, prepare) in steps.items():
        page.goto(address, wait_until="networkidle")
        prepare(page)
        _save(page.screenshot(full_page=True), PICTURES / f"{name}-{look}.png")


def _dismiss_the_first_day(page: Page) -> None:
    if page.locator(".first-day").count():
        page.locator(".first-day form button").click()
        page.wait_for_load_state("networkidle")


def _classify_two_photos(page: Page) -> None:
    """The two photos that scikit-learn brings along."""
    import sklearn

    folder = Path(sklearn.__file__).parent / "datasets" / "images"
    page.locator("#choose").set_input_files([folder / "flower.jpg", folder / "china.jpg"])
    for number in range(2):
        page.locator(".photo").nth(number).locator(".category").wait_for()
        page.locator(".photo").nth(number).locator("dl").wait_for()


def _write_a_draft(page: Page) -> None:
    prompt = page.locator("#id_text")
    prompt.fill(prompt.input_value().replace("图片分类助手", "相册照片分类专家"))
    page.locator("form .primary").click()
    page.locator(".differences").wait_for()


def _save(data: bytes, path: Path) -> None:
    """Save the upper part of a screenshot in 256 colours, a third of its size."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, MAX_HEIGHT)))
    picture.quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    main()
