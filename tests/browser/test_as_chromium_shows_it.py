"""What the service sees of a photo is what a browser shows of the same bytes."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from classification import images
from tests.support import coloured_photos, flawed_photos, odd_photos
from tests.support.browser_pictures import shown
from tests.support.likeness import difference

ALL_FORMATS = ["jpg", "png", "webp", "gif", "avif"]
# No browser but Safari shows HEIC.
ODD = {
    name: data
    for name, data in (odd_photos.all_of_them() | flawed_photos.shown()).items()
    if "HEIF" not in name
}
NOT_SHOWN = flawed_photos.not_shown()
# Chromium takes the alpha and the frames of these for video, with fewer shades.
TOLERANCE = 24
COLOURED = coloured_photos.all_of_them()


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", ODD)
def test_chromium_shows_the_same(blank: Page, name: str) -> None:
    theirs = shown(blank, ODD[name])
    ours = images.prepare(ODD[name], allowed_formats=ALL_FORMATS, max_side=1024)

    assert theirs is not None
    assert (ours.width, ours.height) == theirs.size
    assert difference(Image.open(BytesIO(ours.jpeg)), theirs.picture) <= TOLERANCE


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_chromium_does_not_show_it(blank: Page, name: str) -> None:
    theirs = shown(blank, NOT_SHOWN[name])

    assert theirs is None or difference(theirs.picture, odd_photos.scene()) > TOLERANCE


@pytest.mark.parametrize("name", COLOURED)
def test_chromium_shows_these_colours(blank: Page, name: str) -> None:
    data, expected = COLOURED[name]
    theirs = shown(blank, data)

    assert theirs is not None
    assert theirs.picture.getpixel((32, 32)) == pytest.approx(expected, abs=2)
