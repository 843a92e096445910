"""What is refused as half a photo is what a browser shows half of; what it shows whole is not."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support import half_photos
from tests.support.browser_pictures import shown
from tests.support.likeness import difference

# No browser but Safari shows HEIC.
HALF, WHOLE, FLAT = (
    {name: data for name, data in make().items() if "HEIF" not in name}
    for make in (half_photos.half, half_photos.whole, half_photos.flat)
)
# Of 255, for what compression makes of details.
TOLERANCE = 5


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", HALF)
def test_chromium_shows_half(blank: Page, name: str) -> None:
    theirs = shown(blank, HALF[name])

    assert theirs is None or difference(theirs.picture, half_photos.detailed()) > TOLERANCE


@pytest.mark.parametrize("name", WHOLE | FLAT)
def test_chromium_shows_it_whole(blank: Page, name: str) -> None:
    theirs = shown(blank, (WHOLE | FLAT)[name])
    whole = half_photos.detailed() if name in WHOLE else half_photos.partly_flat()

    assert theirs is not None
    assert difference(theirs.picture, whole) <= TOLERANCE
