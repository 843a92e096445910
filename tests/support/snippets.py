"""The client code that the documentation and the settings page show."""

import base64
import re
from io import BytesIO
from pathlib import Path

from django.template.loader import render_to_string
from PIL import Image

from tests.support import odd_photos
from tests.support.dashscope_server import DashScopeServer
from tests.support.odd_photos import save, scene

ROOT = Path(__file__).resolve().parents[2]
ODD = odd_photos.all_of_them()
# What clients used to get wrong, or cannot read themselves.
FILES = {
    "portrait": ODD["JPEG orientation 6"],
    "mirrored": ODD["PNG orientation 5"],
    "two pictures": ODD["JPEG two pictures"],
    "16 bits": ODD["PNG 16 bits"],
    "palette": ODD["PNG P"],
    "CMYK": ODD["JPEG CMYK"],
    "HEIC": ODD["HEIF orientation 8"],
    "Exif junk": ODD["JPEG Exif junk"],
    "transparent": save(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"),
    "long": save(scene().resize((300, 6000)), "PNG"),
}
EXPECTED = {
    "16 bits": scene("L"),
    "transparent": Image.new("RGB", (64, 64), "white"),
    "long": scene().resize((300, 6000)).crop((0, 0, 300, 900)),
}


def in_readme(name: str, language: str) -> str:
    """The block of this language that classifies a file."""
    text = (ROOT / name).read_text()
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return next(block for block in blocks if "classify(" in block)


def on_settings_page(language: str, base_url: str) -> str:
    return render_to_string(f"settings/{language}.txt", {"base_url": base_url})


def seen_by_the_model(model: DashScopeServer) -> Image.Image:
    """The picture in the latest request."""
    content = model.requests[-1].body["input"]["messages"][-1]["content"]
    uri = next(part["image"] for part in content if "image" in part)
    return Image.open(BytesIO(base64.b64decode(uri.partition(",")[2])))
