"""A page as Chromium draws it."""

import subprocess
import tempfile
from pathlib import Path

from PIL import Image

COMMAND = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
    "--disable-background-networking", "--no-first-run", "--allow-file-access-from-files",
)  # fmt: skip


def capture(html: str, size: tuple[int, int], scale: int = 1) -> Image.Image:
    """The top of a page in a window of a width and height in CSS pixels, each `scale` pixels."""
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        page.write_text(html)
        subprocess.run(
            [*COMMAND, f"--user-data-dir={folder}/profile", f"--screenshot={shot}",
             f"--window-size={size[0]},{size[1]}", f"--force-device-scale-factor={scale}",
             page.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
        return Image.open(shot).convert("RGB")
