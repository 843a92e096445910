"""Render a file in a browser and read back the pixels."""

import base64
from io import BytesIO
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page

# On white, as the service shows what is transparent; large ones reduced.
_SCRIPT = """async ([encoded, longest]) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const picture = new Image();
    picture.src = URL.createObjectURL(new Blob([bytes]));
    try { await picture.decode(); } catch { return null; }
    const { naturalWidth: width, naturalHeight: height } = picture;
    const scale = Math.min(1, longest / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(picture.src);
    return [width, height, canvas.toDataURL("image/png").split(",")[1]];
}"""


class Shown(NamedTuple):
    """`size` is the whole picture's, upright; `picture` may be reduced."""

    size: tuple[int, int]
    picture: Image.Image


def shown(page: Page, data: bytes, longest: int = 1024) -> Shown | None:
    """The picture as the page shows it, or None where it shows none."""
    answer = page.evaluate(_SCRIPT, [base64.b64encode(data).decode(), longest])
    if answer is None:
        return None
    width, height, encoded = answer
    return Shown((width, height), Image.open(BytesIO(base64.b64decode(encoded))).convert("RGB"))
